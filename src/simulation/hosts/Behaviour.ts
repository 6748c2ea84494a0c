import type { RemoteExit } from "../../ssh/Transport.ts"

/** One thing that a simulated process does. */
export type Action =
  | { readonly _tag: "Pause"; readonly millis: number }
  | { readonly _tag: "Write"; readonly stream: "stdout" | "stderr"; readonly text: string }
  /** Writes so many bytes, as lines of 79 characters and a last, shorter one. */
  | { readonly _tag: "Fill"; readonly bytes: number }

/** What a command does on a simulated host when nothing goes wrong: its text alone decides it. */
export interface Behaviour {
  readonly actions: ReadonlyArray<Action>
  readonly exit: RemoteExit
}

/** The bounds of the numbers in commands; a larger number counts as the bound. */
const MAX_LINES = 100_000
const MAX_MILLIS = 86_400_000
const MAX_BYTES = 100_000_000

/** How long any program runs at least. */
const START_MILLIS = 1

const OK: RemoteExit = { _tag: "Exited", code: 0 }

/** A number of at least 0, at most `maximum`; 0 when the word is none. */
const number = (word: string | undefined, maximum: number): number =>
  word !== undefined && /^[0-9]{1,12}$/.test(word) ? Math.min(Number(word), maximum) : 0

const write = (stream: "stdout" | "stderr", text: string): Action => ({ _tag: "Write", stream, text })
const pause = (millis: number): Action => ({ _tag: "Pause", millis })

/**
 * What the programs of a workload do; the words after those that are named are written by some, and name the command apart
 * from every other:
 *
 * - `echo WORDS` writes one line. `lines N` writes N lines at once, `ticks N MILLIS` one every MILLIS.
 * - `flood BYTES` writes as fast as it is read. `sleep MILLIS` writes nothing (milliseconds, unlike the real one).
 * - `fail CODE` writes a line to stderr and exits with CODE. `die SIGNAL` is killed by it.
 * - Any other text writes one line with the name of its program, and exits with 0.
 */
export const behaviourOf = (command: string): Behaviour => {
  const [name = "", first, second, ...rest] = command.split(" ")
  const start = pause(START_MILLIS)
  const line = (index: number) => `line ${index + 1}\n`
  switch (name) {
    case "echo":
      return { actions: [start, write("stdout", `${[first, second, ...rest].filter(Boolean).join(" ")}\n`)], exit: OK }
    case "lines":
      return {
        actions: [
          start,
          write("stdout", Array.from({ length: number(first, MAX_LINES) }, (_, index) => line(index)).join(""))
        ],
        exit: OK
      }
    case "ticks": {
      const millis = number(second, MAX_MILLIS)
      const ticks = Array.from({ length: number(first, MAX_LINES) }, (_, index) => [
        pause(millis),
        write("stdout", line(index))
      ])
      return { actions: ticks.flat(), exit: OK }
    }
    case "flood":
      return { actions: [start, { _tag: "Fill", bytes: number(first, MAX_BYTES) }], exit: OK }
    case "sleep":
      return { actions: [pause(number(first, MAX_MILLIS))], exit: OK }
    case "fail":
      return {
        actions: [start, write("stderr", "failed as told\n")],
        exit: { _tag: "Exited", code: number(first, 255) }
      }
    case "die":
      return {
        actions: [start],
        exit: { _tag: "Signalled", signal: /^[A-Z0-9]{1,8}$/.test(first ?? "") ? (first ?? "") : "TERM" }
      }
    default:
      return { actions: [start, write("stdout", `${name}: simulated\n`)], exit: OK }
  }
}

/** The bytes that a behaviour writes to each stream, when nothing goes wrong. */
export const bytesOf = ({ actions }: Behaviour): { readonly stdout: number; readonly stderr: number } => {
  const total = { stdout: 0, stderr: 0 }
  for (const action of actions) {
    if (action._tag === "Write") total[action.stream] += Buffer.byteLength(action.text)
    if (action._tag === "Fill") total.stdout += action.bytes
  }
  return total
}

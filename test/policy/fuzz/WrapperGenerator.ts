import type { Random } from "./Random.ts"
import { redirection } from "./RedirectionGenerator.ts"
import type { Place } from "./WordGenerator.ts"

/** Writes a whole text, with the bodies of its here-documents. */
export type MakeText = (place: Place) => string

const single = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** One word that stands for the text. */
const quoted = ({ random }: Place, text: string): string =>
  random.weighted<string>([
    [5, () => single(text)],
    [3, () => `"${text.replace(/[\\$`"]/g, "\\$&")}"`],
    [1, () => `$'${text.replace(/[\\']/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t")}'`],
    // Two pieces of one word.
    [
      1,
      () => {
        const at = random.below(text.length + 1)
        return `${single(text.slice(0, at))}"${text.slice(at).replace(/[\\$`"]/g, "\\$&")}"`
      }
    ]
  ])

/** A word that only seems to stand for the text: the shell around it expands it, or splits it. */
const halfQuoted = ({ random }: Place, text: string): string =>
  random.pick([`"${text.replaceAll('"', '\\"')}"`, text, `'${text}'`, `"${text}"`, `$'${text}'`])

/** Commands around a shell; `sudo` of the fuzz drops `-n` and `-u NAME`. */
const AROUND = [
  "timeout 5 ",
  "timeout -k 1 -s KILL 5 ",
  "env ",
  "env LC_ALL=C ",
  "env -u v ",
  "nice ",
  "nice -n 1 ",
  "nohup ",
  "setsid -w ",
  "stdbuf -o L ",
  "sudo ",
  "sudo -n -u root ",
  "command ",
  "exec ",
  "xargs -I{} ",
  "timeout 5 env nice ",
  "command timeout 5 "
] as const

const around = (random: Random): string => (random.chance(45) ? random.pick(AROUND) : "")

const SHELLS = [
  "sh -c",
  "sh -c",
  "bash -c",
  "dash -c",
  "dash -c",
  "sh -e -c",
  "sh -ec",
  "dash -ec",
  "bash -fc"
] as const

/** Ways to hand text to a shell that the policy cannot or should not follow. */
const hostileShell = (place: Place, text: string): string => {
  const { random } = place
  const word = quoted(place, text)
  return random.pick([
    `sh -c ${halfQuoted(place, text)}`,
    `eval ${halfQuoted(place, text)}`,
    `sh -c ${word} x y`,
    `sh -c -- ${word}`,
    `sh -c +e ${word}`,
    `sh -sc ${word}`,
    `bash -lc ${word}`,
    `bash -O extglob -c ${word}`,
    `p ${word} | sh`,
    `p ${word} | xargs -I{} sh -c '{}'`,
    `p '>x.log' | xargs -I{} sh -c 'a {}'`,
    `p ${word} | xargs -0 sh -c`,
    `xargs sh -c ${word} </dev/null`,
    `env -S "sh -c ${word}"`,
    `env v=${word} sh -c '$v'`,
    `env v=${word} sh -c 'eval "$v"'`,
    `v=${word}; eval "$v"`,
    `v=${word}; sh -c "$v"`,
    `eval 'eval' ${word}`,
    `sh x.log`,
    `sh <in/x`,
    `find sub -name q.log -exec sh -c 'a {}>x.log' ';'`,
    `builtin eval ${word}`,
    `command eval ${word}`,
    `timeout 5 -- sh -c ${word}`,
    `nice --5 sh -c ${word}`,
    `/bin/sh -c ${word}`
  ])
}

/** `eval` joins its words: an operator that is quoted in one of them is an operator in the text. */
const evalOfPieces = (place: Place, text: string): string =>
  `eval ${text
    .split(" ")
    .map((piece) => (piece === "" ? "" : quoted(place, piece)))
    .join(" ")}`

const FILE_COMMANDS = ["a x", "p x", "i", "b", "p y z", "f", "e", "a | i", "p x | i"] as const

/** A text whose commands read and write files; most of what wrappers are given is of this kind. */
const fileText = (place: Place): string => {
  const { random } = place
  const one = (): string => {
    const command = random.pick(FILE_COMMANDS)
    const text = random.chance(15) ? `${redirection(place, true)} ${command}` : `${command} ${redirection(place, true)}`
    return random.weighted<string>([
      [8, () => text],
      [1, () => `{ ${text}; } ${random.pick([">out/x", "<in/x", "2>&1"])}`],
      [1, () => `(${text}) ${random.pick([">out/x", "<in/x", "2>&1"])}`],
      [1, () => `if ${text}; then p y >out/y; fi`],
      [1, () => `p y | while read -r v; do ${text}; done >>out/y`],
      [1, () => `p "$(${random.pick(["a", "p x", "i <in/x"])} 2>out/y)" >out/x`],
      [1, () => random.pick(["p x >own/x", "{ p x; p y; } >own/x", "p x | p y >>own/old"])]
    ])
  }
  const parts = Array.from({ length: 1 + random.below(2) }, one)
  const due = place.pending.splice(0).join("")
  return due === "" ? parts.join(random.pick(["; ", " && ", "\n", " | "])) : `${parts.join("; ")}\n${due}`
}

/** A command that runs shell text: `sh -c`, `eval`, also behind other wrappers and within one another. */
export const makeWrapped = (place: Place, makeText: MakeText): string => {
  const { hostile, random } = place
  const inner: Place = { ...place, depth: place.depth - 1, inLoop: false, substituted: false, pending: [] }
  const text = random.weighted<string>([
    [5, () => fileText(inner)],
    [3, () => makeText(inner)],
    [inner.depth > 0 ? 2 : 0, () => makeWrapped(inner, makeText)]
  ])
  if (hostile && random.chance(25)) return hostileShell(place, text)
  const command = random.weighted<string>([
    [7, () => `${around(random)}${random.pick(SHELLS)} ${quoted(place, text)}`],
    [2, () => `eval ${quoted(place, text)}`],
    [2, () => (/[\n\t\\]|<</.test(text) ? `eval ${quoted(place, text)}` : evalOfPieces(place, text))],
    [1, () => `find sub -name q.log -exec ${random.pick(SHELLS)} ${quoted(place, text)} ';'`],
    [1, () => `${random.pick(AROUND)}${random.pick(["a x", "p x y", "i"])}`]
  ])
  return random.chance(20) ? `${command} ${redirection(place, true)}` : command
}

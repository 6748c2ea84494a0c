import { Context, Effect, Latch, Ref } from "effect"
import { Orchestrator } from "../../src/Orchestrator.ts"
import { openFleet } from "../mcp/resources/SpeakingHosts.ts"

/** How much of everything. */
export interface Load {
  readonly tasks: number
  /** Each polls its share of the tasks in turn. */
  readonly readers: number
  /** Lines that each command prints. */
  readonly lines: number
  /** Milliseconds between two pieces of a command's output: a line or two. */
  readonly printEvery: number
  /** Milliseconds between two pages that a reader asks for. */
  readonly readEvery: number
}

/** What the readers of one task got. */
export interface Delivered {
  readonly taskId: string
  readonly lines: ReadonlyArray<string>
  /** Lines that the pages said were dropped before them. */
  readonly dropped: number
  /** Pages read. */
  readonly pages: number
  readonly status: string
}

/** Tasks a host: fewer than the pool runs at a time on a host, so that none of them waits. */
const TASKS_PER_HOST = 20

const filesFor = ({ tasks }: Load) => {
  const hosts = Array.from(
    { length: Math.ceil(tasks / TASKS_PER_HOST) },
    (_, n) => `  - { alias: h${n}, host: 10.0.${n >> 8}.${n & 255}, credentials: admin }\n`
  )
  return {
    "config/servers.yml": `hosts:\n${hosts.join("")}`,
    "config/credentials.yml": "entries:\n  - { name: admin, username: deployer, password_secret: admin_password }\n",
    "config/policy.yml": `limits:
  max_seconds: 0
  max_concurrent_tasks: ${tasks}
  max_tasks_per_host: ${TASKS_PER_HOST}
rules:
  - { action: allow, commands: ["uptime"] }
`,
    "keys/known_hosts": "10.0.0.0 ssh-ed25519 AAAA\n",
    "secrets/admin_password": "hunter2"
  }
}

/** The lines that the n-th command prints, of different lengths and not all ASCII. */
export const linesOf = (n: number, { lines }: Load): ReadonlyArray<string> =>
  Array.from({ length: lines }, (_, at) => `command ${n} line ${at} ${"é".repeat((n + at) % 40)}`)

/** The text of a command in pieces that end anywhere but at a line's end. */
const piecesOf = (n: number, load: Load): ReadonlyArray<string> => {
  const text = `${linesOf(n, load).join("\n")}\n`
  const size = 40 + (n % 97)
  return Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size))
}

/**
 * Runs so many commands at the same time on simulated hosts, behind the whole server but its edges, and reads their
 * output by cursor while they print. All of them run before the first one prints; `during` goes on meanwhile.
 */
export const runManyTasks = Effect.fn("runManyTasks")(function* (load: Load) {
  const { context, hosts } = yield* openFleet(filesFor(load))
  const orchestrator = Context.get(context, Orchestrator)
  const numbers = Array.from({ length: load.tasks }, (_, n) => n)
  const begin = yield* Latch.make()

  const started = yield* Effect.forEach(
    numbers,
    (n) =>
      Effect.gen(function* () {
        const { task_id: taskId } = yield* orchestrator.start({
          alias: `h${n % Math.ceil(load.tasks / TASKS_PER_HOST)}`,
          command: "uptime"
        })
        const { next_cursor: cursor, total_lines: total } = yield* orchestrator.taskOutput(taskId)
        // Every start comes with a turn of the event loop, as one that a client asks for does.
        yield* Effect.sleep(1)
        if (total > 0) return yield* Effect.die(new Error("printed before it was told to"))
        return { taskId, cursor }
      }),
    { concurrency: 10 }
  )
  const speakers = yield* Effect.forEach(numbers, () => hosts.next)

  const speak = Effect.forEach(
    speakers,
    ({ end, print }, n) =>
      Effect.gen(function* () {
        yield* Latch.await(begin)
        // Hosts and readers know nothing of each other: they do not all move at the same moment.
        yield* Effect.sleep((n / load.tasks) * load.printEvery)
        for (const piece of piecesOf(n, load)) {
          yield* print(piece)
          yield* Effect.sleep(load.printEvery)
        }
        yield* end
      }),
    { concurrency: "unbounded", discard: true }
  )

  const delivered = yield* Effect.forEach(started, (task) =>
    Ref.make<Delivered & { readonly cursor: string }>({ ...task, lines: [], dropped: 0, pages: 0, status: "pending" })
  )
  /** Reads one page of one task; true once the task ended and all of it was read. */
  const readOn = Effect.fnUntraced(function* (task: (typeof delivered)[number]) {
    const before = yield* Ref.get(task)
    const maxLines = 1 + (before.pages % 60)
    const page = yield* orchestrator.taskOutput(before.taskId, { cursor: before.cursor, maxLines })
    yield* Ref.set(task, {
      ...before,
      cursor: page.next_cursor,
      lines: [...before.lines, ...page.output_lines],
      dropped: before.dropped + page.dropped_lines,
      pages: before.pages + 1,
      status: page.status
    })
    return !page.has_more && !["pending", "running"].includes(page.status)
  })
  const readAll = Effect.fnUntraced(function* (reader: number) {
    yield* Effect.sleep((reader / load.readers) * load.readEvery)
    let open = delivered.filter((_, n) => n % load.readers === reader)
    while (open.length > 0) {
      const ended = yield* Effect.forEach(open, (task) => Effect.tap(readOn(task), Effect.sleep(load.readEvery)))
      open = open.filter((_, at) => ended[at] !== true)
    }
  })

  yield* Effect.all(
    [
      speak,
      Latch.open(begin),
      Effect.forEach(
        Array.from({ length: load.readers }, (_, reader) => reader),
        readAll,
        { concurrency: "unbounded", discard: true }
      )
    ],
    { concurrency: "unbounded", discard: true }
  )
  return yield* Effect.forEach(delivered, (task) => Ref.get(task))
})

import { spawn } from "node:child_process"
import { open } from "node:fs/promises"
import { dirname } from "node:path"
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, FileSystem, Schema } from "effect"
import type { Scope } from "effect"
import type { Stub } from "./Stubs.ts"

/** The shells that scripts are run with, by their paths in Debian. */
export const SHELLS = { bash: "/bin/bash", dash: "/bin/dash" } as const

/** A shell that scripts are run with. */
export type ShellName = keyof typeof SHELLS

/** The locale of a batch: bash decodes `$'\\u00e9'` by it, and matches `?` by characters or bytes. */
export type Locale = "C" | "C.UTF-8"

/** One text to run with one shell. */
export interface ShellJob {
  readonly shell: ShellName
  readonly text: string
}

/** What one text did when a shell ran it. */
export interface ShellRun {
  /** Every program that was executed: its name and arguments, in the order of their logs. */
  readonly executed: ReadonlyArray<readonly [string, ...ReadonlyArray<string>]>
  /** What the programs named `i` read from their standard input. */
  readonly inputs: ReadonlyArray<string>
  /** The files of the scratch directory that it made or changed, sorted; they are put back before the next text runs. */
  readonly wrote: ReadonlyArray<string>
  /** What the shell and its programs wrote to standard error, as far as the script left it open. */
  readonly stderr: string
  readonly code: number
  /** Whether the shell was killed because it used up a second of processor time, or waited for 20 seconds. */
  readonly endless: boolean
}

/** The shells could not be run, or not within the time, or the scratch directory could not be put back. */
export class ShellRunnerError extends Schema.TaggedError<ShellRunnerError>()("ShellRunnerError", {
  detail: Schema.String
}) {}

/** A directory with stub programs as the only PATH, and scratch directories with known files. */
export interface ShellRunner {
  /** Runs texts one after the other, each as `<shell> -c <text>` in a scratch directory of the batch; in UTF-8 by default. */
  readonly run: (
    jobs: ReadonlyArray<ShellJob>,
    locale?: Locale
  ) => Effect.Effect<ReadonlyArray<ShellRun>, ShellRunnerError>
}

/** The home directory of the scripts; it does not exist. */
export const HOME = "/h/me"

const FILES = [
  ..."x.log y.log -z [u].log é.log .h sub/q.log sub/-q in/x out/old own/old".split(" "),
  "x y.log",
  "in/x y"
]

/** What a file of the scratch directory holds: its own name, so that who read it can be told. */
export const contentOf = (file: string): string => `from ${file}\n`

/** When the files of the scratch directory were last changed, in seconds; what is newer than a year later was changed by a text. */
const MADE = 946_684_800
const YEAR = 31_536_000

/** Time for one batch; a batch of 300 texts takes two seconds on an idle machine. */
const BATCH_LIMIT = "120 seconds"

/** For a text that waits for itself, as a reader does whose closed input became its own pipe. */
const TIMEOUT = "/usr/bin/timeout -s KILL 20"

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/**
 * A stub appends one record to the log of its batch by one write: `A` and the number of its arguments, its name, its
 * arguments, each ended by NUL. The log's path is in its text, since the environment is the script's.
 */
const stubText = (log: string, stub: Stub): string =>
  [
    "#!/bin/dash",
    `log() { printf '%s\\0' "$@" >> ${quote(log)}; }`,
    `log "A$#" "\${0##*/}" "$@"`,
    stub.behaviour,
    "exit 0",
    ""
  ].join("\n")

/** Where a batch has its files. */
interface BatchPaths {
  readonly log: string
  readonly bin: string
  readonly scratch: string
  /** The files of `scratch` as they were. */
  readonly original: string
  /** A file that is younger than those of `scratch`, and older than what a text writes. */
  readonly mark: string
  readonly script: string
  readonly stderr: string
}

const driver = ({ log, mark, original }: BatchPaths, jobs: ReadonlyArray<ShellJob>): string =>
  [
    "shopt -s globstar dotglob nullglob",
    "w() {",
    "  local file",
    "  for file in **; do",
    `    [[ -f $file && $file -nt ${quote(mark)} ]] || continue`,
    `    printf 'W\\0%s\\0' "$file" >> ${quote(log)}`,
    '    /bin/rm -f -- "./$file"',
    `    [[ ! -f ${quote(original)}/$file ]] || /bin/cp -p -- ${quote(original)}/"$file" "./$file"`,
    "  done",
    "}",
    "ulimit -t 1",
    "ulimit -c 0",
    // Every run is a process group of its own.
    "set -m",
    "r() {",
    `  printf 'M\\0%s\\0' "$1" >> ${quote(log)}`,
    `  printf '\\nM%s\\n' "$1" >&2`,
    `  ${TIMEOUT} "$2" -c "$3" < /dev/null > /dev/null &`,
    "  wait $!",
    "  code=$?",
    // What a shell left behind may not log into the next run: a killed one, or a caller's own `a &>>f`, to dash a background.
    '  kill -KILL -- "-$!" 2> /dev/null',
    `  printf 'R\\0%s\\0' "$code" >> ${quote(log)}`,
    "  w",
    "}",
    ...jobs.map((job, index) => `r ${index} ${SHELLS[job.shell]} ${quote(job.text)}`),
    ""
  ].join("\n")

const spawnDriver = (path: string, cwd: string, stderr: string, bin: string, locale: Locale) =>
  Effect.acquireUseRelease(
    Effect.tryPromise({
      try: () => open(stderr, "a"),
      catch: (cause) => new ShellRunnerError({ detail: String(cause) })
    }),
    (file) =>
      Effect.callback<void, ShellRunnerError>((resume) => {
        const child = spawn(SHELLS.bash, [path], {
          cwd,
          env: { PATH: bin, HOME, ...(locale === "C" ? {} : { LC_ALL: locale }) },
          stdio: ["ignore", "ignore", file.fd],
          detached: true
        })
        child.on("error", (error) => resume(Effect.fail(new ShellRunnerError({ detail: error.message }))))
        child.on("close", (code, signal) =>
          resume(
            code === 0 ? Effect.void : Effect.fail(new ShellRunnerError({ detail: `driver ended: ${code ?? signal}` }))
          )
        )
        return Effect.sync(() => {
          if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL")
        })
      }),
    (file) => Effect.promise(() => file.close())
  )

interface MutableRun {
  executed: Array<readonly [string, ...ReadonlyArray<string>]>
  inputs: Array<string>
  wrote: Array<string>
  code: number
}

/** Reads the log back: `M index` opens a run, to which `A count name args…`, `S input`, `R code` and `W file` belong. */
const readLog = (log: string, count: number): ReadonlyArray<MutableRun> => {
  const runs = Array.from({ length: count }, (): MutableRun => ({ executed: [], inputs: [], wrote: [], code: -1 }))
  const fields = log.split("\0")
  let run: MutableRun | undefined
  for (let at = 0; at + 1 < fields.length;) {
    const kind = fields[at] ?? ""
    const next = fields[at + 1] ?? ""
    if (kind === "M") run = runs[Number(next)]
    else if (kind === "R" && run !== undefined) run.code = Number(next)
    else if (kind === "S") run?.inputs.push(next)
    else if (kind === "W") run?.wrote.push(next)
    else if (/^A[0-9]+$/.test(kind)) {
      const size = Number(kind.slice(1))
      run?.executed.push([next, ...fields.slice(at + 2, at + 2 + size)])
      at += size
    } else throw new Error(`broken log at field ${at}: ${JSON.stringify(fields.slice(at, at + 5))}`)
    at += 2
  }
  return runs
}

const readStderr = (text: string, count: number): ReadonlyArray<string> => {
  const parts = Array.from({ length: count }, () => "")
  for (const part of text.split(/\n(?=M[0-9]+\n)/)) {
    const end = part.indexOf("\n")
    if (part.startsWith("M")) parts[Number(part.slice(1, end))] = part.slice(end + 1)
  }
  return parts
}

/** Exit statuses of a shell whose processor time ran out: by SIGKILL, or by SIGXCPU where the kernel sends that first. */
const OUT_OF_TIME: ReadonlyArray<number> = [128 + 9, 128 + 24]

const makeRunner = Effect.fn("ShellRunner.make")(function* (stubs: ReadonlyArray<Stub>) {
  const fs = yield* FileSystem.FileSystem
  const root = yield* fs.makeTempDirectoryScoped({ prefix: "policy-fuzz-" })
  let batches = 0

  const prepare = Effect.fnUntraced(function* (directory: string) {
    const paths: BatchPaths = {
      log: `${directory}/log`,
      bin: `${directory}/bin`,
      scratch: `${directory}/scratch`,
      original: `${directory}/original`,
      mark: `${directory}/mark`,
      script: `${directory}/driver.sh`,
      stderr: `${directory}/stderr`
    }
    const { bin, log } = paths
    yield* fs.makeDirectory(bin, { recursive: true })
    for (const file of [paths.scratch, paths.original].flatMap((root) => FILES.map((name) => [root, name] as const))) {
      const path = file.join("/")
      yield* fs.makeDirectory(dirname(path), { recursive: true })
      yield* fs.writeFileString(path, contentOf(file[1]))
      yield* fs.utimes(path, MADE, MADE)
    }
    yield* fs.writeFileString(paths.mark, "")
    yield* fs.utimes(paths.mark, MADE + YEAR, MADE + YEAR)
    const files = new Map<string, string>()
    for (const stub of stubs) {
      const twin = files.get(stub.behaviour)
      const path = `${bin}/${stub.name}`
      if (twin === undefined) yield* fs.writeFileString(path, stubText(log, stub), { mode: 0o755 })
      else yield* fs.link(twin, path)
      files.set(stub.behaviour, twin ?? path)
    }
    return paths
  })

  const listing = (scratch: string) =>
    Effect.gen(function* () {
      const names = (yield* fs.readDirectory(scratch, { recursive: true })).toSorted()
      const sizes = yield* Effect.forEach(names, (name) =>
        Effect.map(fs.stat(`${scratch}/${name}`), ({ size }) => size)
      )
      return names.map((name, index) => `${name} ${sizes[index]}`).join("\n")
    })

  const run = Effect.fnUntraced(function* (jobs: ReadonlyArray<ShellJob>, locale: Locale) {
    const batch = batches++
    const directory = `${root}/${batch}`
    const paths = yield* prepare(directory)
    yield* fs.writeFileString(paths.log, "")
    yield* fs.writeFileString(paths.script, driver(paths, jobs))
    const before = yield* listing(paths.scratch)
    yield* spawnDriver(paths.script, paths.scratch, paths.stderr, paths.bin, locale).pipe(Effect.timeout(BATCH_LIMIT))
    if ((yield* listing(paths.scratch)) !== before) {
      return yield* new ShellRunnerError({ detail: `the files of batch ${batch} could not be put back` })
    }
    const runs = readLog(yield* fs.readFileString(paths.log), jobs.length)
    const stderr = readStderr(yield* fs.readFileString(paths.stderr), jobs.length)
    yield* fs.remove(directory, { recursive: true })
    return runs.map((each, index): ShellRun => ({
      ...each,
      wrote: each.wrote.toSorted(),
      stderr: stderr[index] ?? "",
      endless: OUT_OF_TIME.includes(each.code)
    }))
  })

  const runner: ShellRunner = {
    run: (jobs, locale = "C.UTF-8") =>
      run(jobs, locale).pipe(
        Effect.catch((error) =>
          Effect.fail(error instanceof ShellRunnerError ? error : new ShellRunnerError({ detail: String(error) }))
        )
      )
  }
  return runner
})

/** Makes a runner; its directories live in the Scope. Only the stubs are on the PATH of the scripts. Processes that outlast their batch's time are killed as a group. */
export const makeShellRunner = (
  stubs: ReadonlyArray<Stub>
): Effect.Effect<ShellRunner, ShellRunnerError, Scope.Scope> =>
  makeRunner(stubs).pipe(
    Effect.catch((error) => Effect.fail(new ShellRunnerError({ detail: String(error) }))),
    Effect.provide(NodeFileSystem.layer)
  )

import { Effect, FileSystem } from "effect"
import { readlinkSync } from "node:fs"

/** The mount namespace of a process, "" when it is gone or not ours to see. */
export const namespaceOf = (pid: number): string => {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`)
  } catch {
    return ""
  }
}

/** Live pids with their parent and the environment and arguments that /proc shows to us. */
export const processTable = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const read = (path: string) => Effect.orElseSucceed(fs.readFileString(path), () => "")
  const names = yield* Effect.orDie(fs.readDirectory("/proc"))
  return yield* Effect.forEach(
    names.filter((name) => /^[0-9]+$/.test(name)),
    (name) =>
      Effect.map(
        Effect.all([read(`/proc/${name}/stat`), read(`/proc/${name}/environ`), read(`/proc/${name}/cmdline`)]),
        ([stat, environ, cmdline]) => {
          const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
          return {
            pid: Number(name),
            parent: Number(fields[1] ?? 0),
            namespace: namespaceOf(Number(name)),
            zombie: fields[0] === "Z" || fields[0] === undefined || fields[0] === "",
            environ: environ.split("\0"),
            command: cmdline.split("\0").join(" ").trim()
          }
        }
      ),
    { concurrency: 32 }
  )
})

/** Kills a process with SIGKILL, where it is still there. */
export const killPid = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // already gone
  }
}

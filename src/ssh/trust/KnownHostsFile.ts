import { Clock, Effect, FileSystem, Option, Result, Semaphore } from "effect"
import { readRegularFile } from "../../config/RegularFile.ts"
import { type SshError, sshError } from "../errors.ts"
import { KnownHosts } from "./KnownHosts.ts"
import type { Target } from "../Target.ts"

/** Bytes of a known_hosts file: some hundred thousand hosts, as when the configuration is loaded. */
export const MAX_KNOWN_HOSTS_BYTES = 64 * 1024 * 1024

/** Parsed files that are kept. There is one unless a reload names another. */
const MAX_FILES = 4

/** A file that changed within this time before it was read may change again without another time stamp. */
const SETTLED_MILLIS = 2_000

/** What tells one state of a file from another: git's idea of it. */
const stampOf = (info: FileSystem.File.Info): string =>
  [info.dev, Option.getOrElse(info.ino, () => 0n), info.size, Option.getOrElse(info.mtime, () => new Date(0)).getTime()]
    .map(String)
    .join(" ")

interface Parsed {
  readonly stamp: string
  readonly known: KnownHosts
}

/** Reads the known_hosts of a target. Fails with `KnownHostsUnreadable`. */
export type KnownHostsReader = (target: Pick<Target, "alias" | "hostKeys">) => Effect.Effect<KnownHosts, SshError>

/**
 * Makes the reader of known_hosts. It looks at the file at every call, so that a change of it counts from the next connect
 * on, and parses it when the file is another one than before.
 *
 * Of a target's files the first that exists is the only one, unlike in OpenSSH, which joins those of user and system: a
 * known_hosts in the keys directory says whom this server trusts, and a person's own file must not add to that. A file
 * that exists and cannot be read is an error, never a reason to take the next. No file at all is an empty one.
 */
export const makeKnownHostsReader: Effect.Effect<KnownHostsReader, never, FileSystem.FileSystem> = Effect.gen(
  function* () {
    const fs = yield* FileSystem.FileSystem
    const context = yield* Effect.context<FileSystem.FileSystem>()
    // One at a time: of the connects of a fan-out the first parses the file and the others find it parsed.
    const semaphore = yield* Semaphore.make(1)
    const parsed = new Map<string, Parsed>()
    const nobody = new KnownHosts("")

    const read = Effect.fnUntraced(function* (path: string, stamp: string, changed: number) {
      const kept = parsed.get(path)
      if (kept?.stamp === stamp) return kept.known
      const now = yield* Clock.currentTimeMillis
      const { bytes } = yield* Effect.provideContext(readRegularFile(path, MAX_KNOWN_HOSTS_BYTES), context)
      const known = new KnownHosts(Buffer.from(bytes).toString("latin1"), path)
      parsed.delete(path)
      if (now - changed > SETTLED_MILLIS) {
        const [oldest] = parsed.keys()
        if (parsed.size >= MAX_FILES && oldest !== undefined) parsed.delete(oldest)
        parsed.set(path, { stamp, known })
      }
      return known
    })

    return Effect.fn("KnownHostsFile.read")(function* (target) {
      const unreadable = (path: string, why: string) =>
        sshError(target.alias, "KnownHostsUnreadable", `${path}: ${why}`)
      for (const path of target.hostKeys.paths) {
        const info = yield* Effect.result(fs.stat(path))
        if (Result.isFailure(info)) {
          if (info.failure.reason._tag === "NotFound") continue
          return yield* unreadable(path, info.failure.message)
        }
        const changed = Option.getOrElse(info.success.mtime, () => new Date(0)).getTime()
        return yield* read(path, stampOf(info.success), changed).pipe(
          Effect.mapError(({ reason }) => unreadable(path, reason))
        )
      }
      return nobody
    }, semaphore.withPermits(1))
  }
)

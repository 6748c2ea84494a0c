import { Effect, FileSystem, Result } from "effect"
import { SshError } from "./errors.ts"
import { parseKnownHosts } from "./KnownHosts.ts"
import type { KnownHost } from "./KnownHosts.ts"
import type { Target } from "./Target.ts"

/** A file beyond this is refused: it would be read and searched at every connect. */
const MAX_BYTES = 10 * 1024 * 1024

/**
 * Reads the first known_hosts file of a target that exists, afresh, so that a change of it counts from the next connect
 * on. No file at all is an empty one. Fails with `KnownHostsUnreadable`.
 */
export const readKnownHosts = Effect.fn("KnownHostsFile.read")(function* (
  target: Target
): Effect.fn.Return<ReadonlyArray<KnownHost>, SshError, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const unreadable = (detail: string) => new SshError({ failure: "KnownHostsUnreadable", alias: target.alias, detail })
  for (const path of target.hostKeys.paths) {
    const stat = yield* Effect.result(fs.stat(path))
    if (Result.isFailure(stat)) {
      if (stat.failure.reason._tag === "NotFound") continue
      return yield* unreadable(stat.failure.message)
    }
    if (stat.success.size > MAX_BYTES) return yield* unreadable(`${path} is larger than 10 MiB`)
    const text = yield* Effect.mapError(fs.readFileString(path), (error) => unreadable(error.message))
    return parseKnownHosts(text)
  }
  return []
})

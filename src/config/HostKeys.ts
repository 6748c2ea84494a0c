import { createHash } from "node:crypto"
import { Effect, Option, Path, Result } from "effect"
import { mapContainerPath } from "./ContainerPath.ts"
import { Directories } from "./Directories.ts"
import { environmentVariable } from "./Environment.ts"
import type { HostKeyPolicy } from "./HostKeyPolicy.ts"
import { readRegularFile } from "./RegularFile.ts"

/** Bytes of a known_hosts file: some hundred thousand hosts. */
const MAX_KNOWN_HOSTS = 64 * 1024 * 1024

/** Where host keys are looked up and, if that cannot work, why. */
export interface LoadedHostKeys {
  readonly policy: HostKeyPolicy
  readonly warning?: string
}

/**
 * Finds the known_hosts files. `configured` (policy.yml's `known_hosts_path`) is then the only one: falling back to
 * another file would trust keys that the operator did not name. Without it: `known_hosts` in the keys directory, then
 * `~/.ssh/known_hosts`.
 */
export const loadHostKeys = Effect.fn("HostKeys.load")(function* (configured: string | undefined) {
  const path = yield* Path.Path
  const directories = yield* Directories
  const home = yield* environmentVariable("HOME")
  const inHome = (rest: string) => Option.map(home, (directory) => path.join(directory, rest))

  const paths =
    configured === undefined
      ? [path.join(directories.keys, "known_hosts"), ...Option.toArray(inHome(".ssh/known_hosts"))]
      : [
          path.resolve(
            directories.config,
            configured.startsWith("~/")
              ? Option.getOrElse(inHome(configured.slice(2)), () => configured)
              : mapContainerPath(path, directories, configured)
          )
        ]

  for (const file of paths) {
    const read = yield* Effect.result(readRegularFile(file, MAX_KNOWN_HOSTS))
    if (Result.isSuccess(read)) {
      const digest = createHash("sha256").update(read.success.bytes).digest("hex")
      const loaded: LoadedHostKeys = { policy: { paths, digest } }
      return loaded
    }
    const { reason } = read.failure
    if (reason !== "not found") {
      const loaded: LoadedHostKeys = {
        policy: { paths, digest: "" },
        warning: `known_hosts cannot be read: ${reason}; no host key can be verified`
      }
      return loaded
    }
  }
  const loaded: LoadedHostKeys = {
    policy: { paths, digest: "" },
    warning: "known_hosts not found; no host key can be verified"
  }
  return loaded
})

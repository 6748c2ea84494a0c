import { Effect, FileSystem, PlatformError } from "effect"
import { loadConfig } from "../config/LoadConfig.ts"

/** The files whose problems are not those of the policy. */
const OTHERS = /(?:^|[/\\])(?:servers|credentials)\.yml$/

/** A file system in which policy.yml is the only configuration file. */
const withoutOthers = (fs: FileSystem.FileSystem): FileSystem.FileSystem => ({
  ...fs,
  stat: (path) =>
    OTHERS.test(path)
      ? Effect.fail(
          PlatformError.systemError({
            _tag: "NotFound",
            module: "FileSystem",
            method: "stat",
            pathOrDescriptor: path
          })
        )
      : fs.stat(path)
})

/**
 * The configuration with the policy alone, loaded in the very way of all others: policy.yml decides even when no host can
 * be reached with the rest of the directory. Not `usable` when policy.yml has an error.
 */
export const loadPolicyAlone = Effect.flatMap(FileSystem.FileSystem, (fs) =>
  Effect.provideService(loadConfig, FileSystem.FileSystem, withoutOthers(fs))
)

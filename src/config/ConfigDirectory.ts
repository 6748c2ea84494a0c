import {
  ConfigProvider,
  Context,
  Effect,
  FileSystem,
  Layer,
  Path,
  Schema,
  Semaphore,
  type Stream,
  SubscriptionRef
} from "effect"
import { Directories } from "./Directories.ts"
import { ReloadFailed } from "./errors.ts"
import { compareInventories, type ConfigSnapshot } from "./Inventory.ts"
import { loadConfig } from "./LoadConfig.ts"
import { formatProblem } from "./Problem.ts"

export { ReloadFailed } from "./errors.ts"

/** The answer to a reload that took effect. */
export const ReloadReport = Schema.Struct({
  status: Schema.Literal("reloaded"),
  hosts: Schema.Int,
  rules: Schema.Int,
  /** Aliases whose host entry or login material changed. */
  changed: Schema.Struct({
    added: Schema.Array(Schema.String),
    removed: Schema.Array(Schema.String),
    modified: Schema.Array(Schema.String)
  })
})
export type ReloadReport = typeof ReloadReport.Type

/**
 * The configuration in force: servers.yml, credentials.yml and policy.yml, decoded, cross-checked and joined with the
 * keys and secrets that they name.
 *
 * A file set with a structural error is never used: at start the snapshot is then empty and not `usable`, on reload
 * the previous one stays. Only `reload` reads files again; nothing is watched.
 */
export class ConfigDirectory extends Context.Service<
  ConfigDirectory,
  {
    /** The snapshot in force. */
    readonly snapshot: Effect.Effect<ConfigSnapshot>
    /**
     * Reads everything afresh and swaps the snapshot at once, or fails and leaves it. Concurrent calls run one after
     * the other. Interruption leaves the old snapshot.
     */
    readonly reload: Effect.Effect<ReloadReport, ReloadFailed>
    /** The snapshot in force now, then each one that replaces it. A slow reader does not hold up a reload. */
    readonly changes: Stream.Stream<ConfigSnapshot>
  }
>()("mcp-ssh-orchestrator/config/ConfigDirectory") {
  /** Reads the directories once, when built. Never fails: see `ConfigSnapshot.usable`. */
  static readonly layer: Layer.Layer<ConfigDirectory, never, Directories | FileSystem.FileSystem | Path.Path> =
    Layer.effect(
      ConfigDirectory,
      Effect.gen(function* () {
        // The environment that the layer was built with is kept for reloads; nothing else of its context is.
        const services = Context.pick(Directories, FileSystem.FileSystem, Path.Path, ConfigProvider.ConfigProvider)
        const context = services(yield* Effect.context<Directories | FileSystem.FileSystem | Path.Path>())
        const load = Effect.provideContext(loadConfig, context)
        const current = yield* SubscriptionRef.make(yield* load)
        const oneAtATime = yield* Semaphore.make(1)

        const reload = Effect.gen(function* () {
          const after = yield* load
          if (!after.usable) return yield* new ReloadFailed({ problems: after.problems.map(formatProblem) })
          const before = yield* SubscriptionRef.getAndSet(current, after)
          const report: ReloadReport = {
            status: "reloaded",
            hosts: after.hosts.size,
            rules: after.policy.ruleCount,
            changed: compareInventories(before, after)
          }
          return report
        }).pipe(Semaphore.withPermit(oneAtATime), Effect.withSpan("ConfigDirectory.reload"))

        return ConfigDirectory.of({
          snapshot: SubscriptionRef.get(current),
          reload,
          changes: SubscriptionRef.changes(current)
        })
      })
    )
}

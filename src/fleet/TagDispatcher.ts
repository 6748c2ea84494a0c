import { Array as Arr, Context, Effect, Layer } from "effect"
import { ConfigDirectory } from "../config/ConfigDirectory.ts"
import { hostsByTag } from "../config/Inventory.ts"
import { HINTS } from "../policy/Denial.ts"
import type { Limits } from "../policy/Limits.ts"
import { limitsFor } from "../policy/Policy.ts"
import { commandHash } from "../policy/shell/ShellCommand.ts"
import type { TaskId } from "../task/Task.ts"
import type { CleanChunk } from "../task/TaskOutput.ts"
import { Dispatcher } from "./Dispatcher.ts"
import { CommandDenied, type ConfigUnusable, requireUsable } from "./errors.ts"
import { Fleet, type Launch } from "./Fleet.ts"
import type { HostDenialReason } from "./FleetResult.ts"

/** A command for all hosts of a tag. */
export interface TagRequest {
  readonly tag: string
  readonly command: string
  readonly timeoutSeconds?: number
  /** Hosts at the same time, 1 to 256; default 32. */
  readonly concurrency?: number
  /** Sizes of successive batches, each a count or a percentage (`["1", "10%", "100%"]`); the last one repeats. */
  readonly batch?: ReadonlyArray<string>
  /** Stop starting hosts once more than this many (or this percentage) failed. */
  readonly maxFailures?: string
  /** Only these hosts of the tag. */
  readonly only?: ReadonlyArray<string>
  readonly client?: string
  readonly onOutput?: (alias: string, chunk: CleanChunk) => Effect.Effect<void>
  /** Told the parent task's id as soon as the task exists, before its end is waited for. */
  readonly started?: (taskId: TaskId) => Effect.Effect<void>
}

/** What a call on a tag came to: no host has the tag, or a parent task whose children run. */
export type TagStart =
  | { readonly _tag: "NoHosts" }
  | { readonly _tag: "Started"; readonly taskId: TaskId; readonly hash: string; readonly limits: Limits }

/** One command on the hosts of a tag: picks the hosts, and hands the fan-out to `Fleet` with a launcher per host. */
export class TagDispatcher extends Context.Service<
  TagDispatcher,
  {
    /** Starts the parent task. A host of `only` that the tag does not have is denied in the result, never ignored. */
    readonly start: (request: TagRequest) => Effect.Effect<TagStart, ConfigUnusable | CommandDenied>
  }
>()("mcp-ssh-orchestrator/fleet/TagDispatcher") {
  static readonly layer = Layer.effect(
    TagDispatcher,
    Effect.gen(function* () {
      const config = yield* ConfigDirectory
      const dispatcher = yield* Dispatcher
      const fleet = yield* Fleet

      const denied = (reason: HostDenialReason, hint: string): Launch => ({ _tag: "Denied", reason, hint })

      const launch =
        (request: TagRequest, members: ReadonlySet<string>) =>
        (alias: string, onOutput: (chunk: CleanChunk) => Effect.Effect<void>): Effect.Effect<Launch> => {
          if (!members.has(alias)) {
            return Effect.succeed(
              denied(
                "config",
                `Host '${alias}' does not have the tag '${request.tag}'. Use ssh_list_hosts with this tag and name only its hosts in \`only\`.`
              )
            )
          }
          const prepare = dispatcher.prepare({
            alias,
            command: request.command,
            ...(request.timeoutSeconds === undefined ? {} : { timeoutSeconds: request.timeoutSeconds }),
            ...(request.client === undefined ? {} : { client: request.client }),
            onOutput: (chunk) =>
              request.onOutput === undefined
                ? onOutput(chunk)
                : Effect.andThen(onOutput(chunk), request.onOutput(alias, chunk))
          })
          // Fleet launches uninterruptibly, so that no submitted child is lost; name resolution may take long.
          return Effect.interruptible(prepare).pipe(
            Effect.flatMap(dispatcher.submit),
            Effect.map((taskId): Launch => ({ _tag: "Started", taskId })),
            Effect.catchTags({
              CommandDenied: ({ denial }) => Effect.succeed(denied(denial.reason, denial.hint)),
              ConfigUnusable: ({ message }) =>
                Effect.succeed(
                  denied(
                    "config",
                    `${message} Ask the operator to mend the configuration, then call ssh_reload_config.`
                  )
                ),
              HostNotFound: ({ message }) => Effect.succeed(denied("config", `${message} Use ssh_list_hosts.`))
            })
          )
        }

      const start = Effect.fn("TagDispatcher.start")(function* (request: TagRequest) {
        const snapshot = yield* Effect.flatMap(config.snapshot, requireUsable)
        const members = hostsByTag(snapshot, request.tag).map(({ host }) => host.alias)
        const { only } = request
        const matched = only === undefined ? members : members.filter((alias) => only.includes(alias))
        const aliases = only === undefined ? matched : [...matched, ...Arr.difference(Arr.dedupe(only), members)]
        if (members.length === 0 || aliases.length === 0) return { _tag: "NoHosts" } satisfies TagStart
        const limits = limitsFor(snapshot.policy, { alias: "", tags: [request.tag] })
        const command = request.command.trim()
        const hash = commandHash(command)
        const taskId = yield* fleet
          .start({
            tag: request.tag,
            command,
            hash,
            aliases,
            matched: matched.length,
            concurrency: request.concurrency ?? 32,
            ...(request.batch === undefined ? {} : { batch: request.batch }),
            ...(request.maxFailures === undefined ? {} : { maxFailures: request.maxFailures }),
            limits,
            launch: launch(request, new Set(members))
          })
          .pipe(
            Effect.mapError(
              ({ detail }) =>
                new CommandDenied({
                  denial: {
                    status: "denied",
                    reason: "limit",
                    alias: `tag.${request.tag}`,
                    hash,
                    detail,
                    hint: HINTS.limit
                  }
                })
            )
          )
        return { _tag: "Started", taskId, hash, limits } satisfies TagStart
      })

      return TagDispatcher.of({ start })
    })
  )
}

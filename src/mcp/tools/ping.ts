import { Effect, Schema } from "effect"
import { type HostError, HostStatus, Orchestrator, ServerStatus } from "../../Orchestrator.ts"
import { alias } from "../Fields.ts"
import { type Answer, answered, defineTool } from "../Tool.ts"

/** Whether the server, or one host, can be used. */
export const ping = defineTool({
  name: "ssh_ping",
  title: "Check the server or a host",
  description:
    "Check the server (no alias) or one host (alias). Without alias: version, host and task counts, configuration problems. With alias: connects and authenticates but runs nothing, and says reachable, unreachable (with the reason and what to do) or denied. Use it when a call failed on its connection or configuration; an ordinary ssh_run does not need it.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: Schema.Struct({ alias: Schema.optionalKey(alias) }),
  output: Schema.Union([ServerStatus, HostStatus]),
  run: ({ alias }) =>
    Orchestrator.use((orchestrator) =>
      Effect.gen(function* (): Effect.fn.Return<Answer<ServerStatus | HostStatus>, HostError> {
        if (alias === undefined) return answered(yield* orchestrator.status)
        const value = yield* orchestrator.ping(alias)
        return { value, isError: value.status === "denied" }
      })
    )
})

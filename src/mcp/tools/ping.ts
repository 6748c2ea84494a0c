import { Effect, Schema } from "effect"
import { type HostError, HostStatus, Orchestrator, ServerStatus } from "../../Orchestrator.ts"
import { alias } from "../Fields.ts"
import { type Answer, answered, defineTool } from "../Tool.ts"

/** Whether the server, or one host, can be used. */
export const ping = defineTool({
  name: "ssh_ping",
  title: "Check the server or a host",
  description:
    "Check that this server works (no alias) or that one host can be logged in to (alias); runs no command. Use it after a call failed on its connection or configuration; ssh_run needs no ping first. Without alias: version, numbers of hosts and running tasks, config_problems. With alias: connects and authenticates, by default within 15 s, and answers reachable with latency_ms, unreachable with the reason and next step, or denied by network policy. For a host's settings use ssh_describe_host.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: Schema.Struct({
    alias: Schema.optionalKey(alias.annotate({ description: 'Host to check, e.g. "web-1". Default: only the server.' }))
  }),
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

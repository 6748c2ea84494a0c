import type { Cause } from "effect"
import { Effect, Layer, Queue, Stream } from "effect"
import { NodeServices } from "@effect/platform-node"
import { AuditLog } from "../../src/audit/AuditLog.ts"
import { Dispatcher } from "../../src/fleet/Dispatcher.ts"
import { Fleet } from "../../src/fleet/Fleet.ts"
import { TagDispatcher } from "../../src/fleet/TagDispatcher.ts"
import { Orchestrator } from "../../src/Orchestrator.ts"
import { DnsLookup } from "../../src/ssh/address/DnsLookup.ts"
import { HostResolver } from "../../src/ssh/address/HostResolver.ts"
import type { SshError } from "../../src/ssh/errors.ts"
import { ConnectionPool } from "../../src/ssh/pool/ConnectionPool.ts"
import type { Target } from "../../src/ssh/Target.ts"
import { type Connection, type OutputChunk, Transport } from "../../src/ssh/Transport.ts"
import { TaskIds } from "../../src/task/TaskIds.ts"
import { TaskSupervisor } from "../../src/task/TaskSupervisor.ts"
import { layerAt, writeFiles } from "../config/ConfigFiles.ts"

/** What a command does on a host: prints, then exits. */
export interface Behaviour {
  readonly output: string
  readonly code: number
}

const encoder = new TextEncoder()

const POLICY = `version: 3
rules:
  - { action: allow, tags: [web], commands: ["uptime"] }
  - { action: deny, aliases: ["denied-*"], commands: ["uptime"] }
`

/** The whole server on hosts that behave as `behaviours` says, which a test may change between two runs. */
export const openFleet = Effect.fnUntraced(function* (
  tags: Readonly<Record<string, ReadonlyArray<string>>>,
  behaviours: ReadonlyMap<string, Behaviour>
) {
  const aliases = Object.keys(tags)
  const { root } = yield* writeFiles({
    "config/servers.yml": `hosts:\n${aliases
      .map(
        (alias, at) =>
          `  - { alias: ${alias}, host: 10.0.0.${at + 1}, credentials: admin, tags: [${tags[alias]?.join(", ")}] }\n`
      )
      .join("")}`,
    "config/credentials.yml": "entries:\n  - { name: admin, username: deployer, password_secret: admin_password }\n",
    "config/policy.yml": POLICY,
    "keys/known_hosts": aliases.map((_, at) => `10.0.0.${at + 1} ssh-ed25519 AAAA\n`).join(""),
    "secrets/admin_password": "hunter2"
  })
  const ran: Array<string> = []
  const exec =
    ({ alias }: Target): Connection["exec"] =>
    (text) =>
      Effect.gen(function* () {
        const { code, output } = behaviours.get(alias) ?? { code: 0, output: "" }
        ran.push(alias)
        const chunks = yield* Queue.make<OutputChunk, SshError | Cause.Done>()
        const print = (stream: OutputChunk["stream"], printed: string) =>
          Queue.offer(chunks, { stream, bytes: encoder.encode(printed) })
        const tag = /\b([0-9a-f]{32})\b/.exec(text)?.[1]
        yield* print("stderr", `MCPRUN ${tag} 4711${text.includes("{x}") ? " posix" : ""}\n`)
        yield* print("stdout", output)
        yield* Queue.end(chunks)
        return {
          output: Stream.fromQueue(chunks),
          exit: Effect.succeed({ _tag: "Exited" as const, code }),
          closed: Effect.void
        }
      })
  const transport = Layer.succeed(
    Transport,
    Transport.of({
      connect: (target) =>
        Effect.succeed({
          exec: exec(target),
          lost: Effect.never,
          forward: () => Effect.succeed({ through: target.alias })
        })
    })
  )
  const context = yield* Layer.build(
    Orchestrator.layerNoDeps.pipe(
      Layer.provide(TagDispatcher.layer),
      Layer.provide(Layer.mergeAll(Dispatcher.layer, Fleet.layer)),
      Layer.provide(TaskSupervisor.layer),
      Layer.provide(Layer.mergeAll(ConnectionPool.layer, HostResolver.layer, TaskIds.layer)),
      Layer.provide(Layer.mergeAll(transport, DnsLookup.layer, AuditLog.layerSilent)),
      Layer.provide(layerAt(root))
    )
  )
  return {
    context,
    /** The aliases of the hosts on which a command ran since the last time this was asked, sorted. */
    ran: Effect.sync(() => ran.splice(0).sort())
  }
}, Effect.provide(NodeServices.layer))

import type { Cause } from "effect"
import { Deferred, Effect, Layer, Queue, Stream } from "effect"
import { NodeServices } from "@effect/platform-node"
import { AuditLog } from "../../../src/audit/AuditLog.ts"
import { Dispatcher } from "../../../src/fleet/Dispatcher.ts"
import { Fleet } from "../../../src/fleet/Fleet.ts"
import { TagDispatcher } from "../../../src/fleet/TagDispatcher.ts"
import { Orchestrator } from "../../../src/Orchestrator.ts"
import { DnsLookup } from "../../../src/ssh/address/DnsLookup.ts"
import { HostResolver } from "../../../src/ssh/address/HostResolver.ts"
import type { SshError } from "../../../src/ssh/errors.ts"
import { ConnectionPool } from "../../../src/ssh/pool/ConnectionPool.ts"
import { type Connection, type OutputChunk, type RemoteExit, Transport } from "../../../src/ssh/Transport.ts"
import { TaskIds } from "../../../src/task/TaskIds.ts"
import { TaskSupervisor } from "../../../src/task/TaskSupervisor.ts"
import { type Files, layerAt, writeFiles } from "../../config/ConfigFiles.ts"

const encoder = new TextEncoder()

/** Hosts behind the `Transport` interface on which every command prints and ends as the test says. */
export const makeSpeakingHosts = Effect.gen(function* () {
  const live = yield* Queue.unbounded<{
    readonly output: Queue.Queue<OutputChunk, SshError | Cause.Done>
    readonly exit: Deferred.Deferred<RemoteExit, SshError>
  }>()

  /** What a TERM does to the commands that were started, by the tag that the killer names. */
  const terminate = new Map<string, Effect.Effect<void>>()

  const exec: Connection["exec"] = Effect.fnUntraced(function* (text) {
    const exit = yield* Deferred.make<RemoteExit, SshError>()
    const output = yield* Queue.make<OutputChunk, SshError | Cause.Done>()
    const tag = /\b([0-9a-f]{32})\b/.exec(text)?.[1]
    yield* Queue.offer(output, {
      stream: "stderr",
      bytes: encoder.encode(`MCPRUN ${tag} 4711${text.includes("{x}") ? " posix" : ""}\n`)
    })
    const killed = /mcpstop ([0-9a-f]+) /.exec(text)?.[1]
    if (killed !== undefined) {
      yield* terminate.get(killed) ?? Effect.void
      yield* Queue.offer(output, { stream: "stdout", bytes: encoder.encode("DEAD\n") })
      yield* Deferred.succeed(exit, { _tag: "Exited", code: 0 })
      yield* Queue.end(output)
    } else {
      terminate.set(
        tag ?? "",
        Effect.andThen(Queue.end(output), Deferred.succeed(exit, { _tag: "Signalled", signal: "TERM" }))
      )
      yield* Queue.offer(live, { output, exit })
    }
    return {
      output: Stream.fromQueue(output),
      exit: Deferred.await(exit),
      closed: Effect.asVoid(Effect.exit(Deferred.await(exit)))
    }
  })

  return {
    layer: Layer.succeed(
      Transport,
      Transport.of({
        connect: (target) =>
          Effect.succeed({
            exec,
            lost: Effect.never,
            forward: () => Effect.succeed({ through: target.alias })
          })
      })
    ),
    /** The next command that started: lets it print, and end with code 0. */
    next: Effect.map(Queue.take(live), ({ exit, output }) => ({
      print: (text: string) => Effect.asVoid(Queue.offer(output, { stream: "stdout", bytes: encoder.encode(text) })),
      end: Effect.andThen(Queue.end(output), Deferred.succeed(exit, { _tag: "Exited", code: 0 }))
    }))
  }
})

/** The whole server on a configuration directory and hosts of the test's own; `write` changes a file of it. */
export const openFleet = Effect.fnUntraced(function* (files: Files) {
  const { root, write } = yield* writeFiles(files)
  const hosts = yield* makeSpeakingHosts
  const context = yield* Layer.build(
    Orchestrator.layerNoDeps.pipe(
      Layer.provide(TagDispatcher.layer),
      Layer.provide(Layer.mergeAll(Dispatcher.layer, Fleet.layer)),
      Layer.provide(TaskSupervisor.layer),
      Layer.provide(Layer.mergeAll(ConnectionPool.layer, HostResolver.layer, TaskIds.layer)),
      Layer.provide(Layer.mergeAll(hosts.layer, DnsLookup.layer, AuditLog.layerSilent)),
      Layer.provide(layerAt(root))
    )
  )
  return { context, hosts, write }
}, Effect.provide(NodeServices.layer))

/** An inventory of one host with a tag and one without, and a policy that lets `uptime` and `docker ps` run. */
export const FILES: Files = {
  "config/servers.yml": `hosts:
  - { alias: web-1, host: 10.0.0.11, port: 2222, credentials: admin, tags: [web, docker], description: "Front \\u202eend" }
  - { alias: db-1, host: 10.0.0.12 }
`,
  "config/credentials.yml": `entries:
  - { name: admin, username: deployer, password_secret: admin_password }
`,
  "config/policy.yml": `version: 3
limits: { max_seconds: 40, max_result_bytes: 1024 }
network: { allow_cidrs: ["10.0.0.0/24"] }
rules:
  - { id: look, action: allow, commands: ["uptime", "docker ps"] }
overrides: { tags: { web: { task_result_ttl: 30 } } }
`,
  "keys/known_hosts": "10.0.0.11 ssh-ed25519 AAAA\n",
  "secrets/admin_password": "hunter2"
}

import { assert } from "@effect/vitest"
import { Deferred, Duration, Effect, Layer, Predicate, Ref, type Scope } from "effect"
import { TestConsole } from "effect/testing"
import { AuditLog } from "../../src/audit/AuditLog.ts"
import type { Limits } from "../../src/policy/Limits.ts"
import { SshError, type SshFailure } from "../../src/ssh/errors.ts"
import type { RemoteExit } from "../../src/ssh/Transport.ts"
import { TaskIds } from "../../src/task/TaskIds.ts"
import { type CommandSpec, type StartedProcess, type TaskIo, TaskSupervisor } from "../../src/task/TaskSupervisor.ts"

/** The built-in limits of the contract, with a short list of denied texts. */
export const LIMITS: Limits = {
  max_seconds: 60,
  max_output_bytes: 1_048_576,
  task_result_ttl: 300,
  task_progress_interval: 5,
  deny_substrings: [],
  max_concurrent_tasks: 64,
  max_tasks_per_host: 8,
  max_queued_tasks: 1000,
  connect_timeout_seconds: 15,
  sync_wait_seconds: 45,
  max_result_bytes: 65_536,
  redact_output: true
}

/** A command on `web` under the built-in limits, changed by `limits` and `changes`. */
export const command = (changes: Partial<CommandSpec> = {}, limits: Partial<Limits> = {}): CommandSpec => ({
  alias: "web",
  command: "uptime",
  hash: "0123456789abcdef",
  commandSha256: "f".repeat(64),
  decisionRule: "r1",
  client: "test",
  ...changes,
  limits: { ...LIMITS, ...limits }
})

/** The supervisor with the real audit log and real ids. */
export const supervisorLayer = TaskSupervisor.layer.pipe(Layer.provide(Layer.mergeAll(AuditLog.layer, TaskIds.layer)))

/** One scripted remote command: the test decides when it connects and how it ends, and sees what was stopped. */
export interface RemoteScript {
  readonly start: (io: TaskIo) => Effect.Effect<StartedProcess, SshError, Scope.Scope>
  /** Resolved once the supervisor called `start`. */
  readonly called: Deferred.Deferred<void>
  /** Decides the connection. */
  readonly connect: Deferred.Deferred<void, SshError>
  /** Decides the end of the command. */
  readonly exit: Deferred.Deferred<RemoteExit, SshError>
  /** Resolved once a stop began. */
  readonly stopping: Deferred.Deferred<void>
  /** Holds a stop back until resolved; resolved from the start unless the script says otherwise. */
  readonly stopGate: Deferred.Deferred<void>
  /** The graces of the stops so far. */
  readonly stops: Ref.Ref<ReadonlyArray<number>>
  readonly io: Deferred.Deferred<TaskIo>
}

/** A script in which nothing is decided yet. */
export const makeScript = (
  options: { readonly remote?: "confirmed" | "unconfirmed" | "silent"; readonly holdStop?: boolean } = {}
): Effect.Effect<RemoteScript> =>
  Effect.gen(function* () {
    const called = yield* Deferred.make<void>()
    const connect = yield* Deferred.make<void, SshError>()
    const exit = yield* Deferred.make<RemoteExit, SshError>()
    const stopping = yield* Deferred.make<void>()
    const stopGate = yield* Deferred.make<void>()
    const io = yield* Deferred.make<TaskIo>()
    const stops = yield* Ref.make<ReadonlyArray<number>>([])
    if (options.holdStop !== true) yield* Deferred.succeed(stopGate, undefined)
    const stop = (given: TaskIo) =>
      Effect.gen(function* () {
        if (yield* Deferred.isDone(exit)) return
        const grace = Duration.toMillis(yield* given.grace)
        yield* Ref.update(stops, (known) => [...known, grace])
        yield* Deferred.succeed(stopping, undefined)
        yield* Deferred.await(stopGate)
        const remote = options.remote ?? "confirmed"
        if (remote !== "silent") yield* given.stopped({ remote, survivors: remote === "confirmed" ? [] : [4711] })
      })
    return {
      called,
      connect,
      exit,
      stopping,
      stopGate,
      stops,
      io,
      start: (given) =>
        Effect.gen(function* () {
          yield* Deferred.succeed(called, undefined)
          yield* Deferred.succeed(io, given)
          yield* Deferred.await(connect)
          return yield* Effect.acquireRelease(
            Effect.succeed({ targetIp: "192.0.2.1", wait: Deferred.await(exit) }),
            () => stop(given)
          )
        })
    }
  })

/** A script that connects at once. */
export const connected = (options: Parameters<typeof makeScript>[0] = {}): Effect.Effect<RemoteScript> =>
  Effect.tap(makeScript(options), ({ connect }) => Deferred.succeed(connect, undefined))

/** A script that connects at once and exits at once. */
export const exiting = (code: number): Effect.Effect<RemoteScript> =>
  Effect.tap(connected(), ({ exit }) => Deferred.succeed(exit, { _tag: "Exited", code }))

/** A chunk of output as it comes from a host. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A failure of the SSH layer, with a detail that no client may see. */
export const sshError = (failure: typeof SshFailure.Type): SshError =>
  new SshError({ failure, alias: "web", detail: "connect ECONNREFUSED 10.9.8.7:22" })

/** The records of one type that were written to stderr so far. */
export const records = (type: string): Effect.Effect<ReadonlyArray<Record<string, unknown>>> =>
  Effect.map(TestConsole.errorLines, (lines) =>
    lines
      .map((line): unknown => JSON.parse(String(line)))
      .filter(Predicate.isObject)
      .map((record) => record as Record<string, unknown>)
      .filter((record) => record["type"] === type)
  )

/** The audit records of one task. */
export const auditsOf = (id: string) =>
  Effect.map(records("audit"), (all) => all.filter((record) => record["task_id"] === id))

/** Asserts that nothing is held any more: no fiber, no slot, nobody in the queue. */
export const assertIdle = Effect.gen(function* () {
  const { fibers, queued, slots } = yield* Effect.flatMap(TaskSupervisor, ({ held }) => held)
  assert.deepStrictEqual({ fibers, queued, slots }, { fibers: 0, queued: 0, slots: 0 })
})

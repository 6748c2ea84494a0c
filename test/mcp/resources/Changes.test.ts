import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Ref, Stream } from "effect"
import { TestClock } from "effect/testing"
import { sshResources } from "../../../src/mcp/resources/SshResources.ts"
import { Orchestrator } from "../../../src/Orchestrator.ts"
import { TaskNotFound } from "../../../src/task/errors.ts"
import { scripted, TASK_ID, TASK_REPORT } from "../ScriptedOrchestrator.ts"
import { FILES, openFleet } from "./SpeakingHosts.ts"

/** Lets every fiber run until all of them wait. */
const settle = Effect.repeat(TestClock.adjust(0), { times: 30 })

/** Counts what a stream emits, and knows when it ended. */
const count = <R>(changes: Stream.Stream<void, never, R>) =>
  Effect.gen(function* () {
    const emitted = yield* Ref.make(0)
    const fiber = yield* Effect.forkScoped(Stream.runForEach(changes, () => Ref.update(emitted, (n) => n + 1)))
    yield* settle
    return { emitted: Ref.get(emitted), ended: Effect.sync(() => fiber.pollUnsafe() !== undefined), fiber }
  })

const subscribe = (uri: string) => Effect.flatMap(sshResources.changes(uri), count)

/** A running command on web-1 and its uri. */
const running = (hosts: Effect.Success<ReturnType<typeof openFleet>>["hosts"]) =>
  Effect.gen(function* () {
    const { start } = yield* Orchestrator
    const { task_id } = yield* start({ alias: "web-1", command: "uptime" })
    const remote = yield* hosts.next
    return { ...remote, task_id, uri: `ssh://task/${task_id}/output` }
  })

describe("changes of a task's output", () => {
  it.effect("are told within a second, then once a second however much comes, once at the end, and no more", () =>
    Effect.gen(function* () {
      const { context, hosts } = yield* openFleet(FILES)
      yield* Effect.gen(function* () {
        const { end, print, uri } = yield* running(hosts)
        const { emitted, ended } = yield* subscribe(uri)
        assert.strictEqual(yield* emitted, 0)
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(yield* emitted, 0)
        yield* print("a")
        yield* settle
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual(yield* emitted, 1)
        for (let second = 1; second <= 5; second++) {
          for (let i = 0; i < 10; i++) {
            yield* print("more\n")
            yield* settle
            yield* TestClock.adjust("100 millis")
          }
          assert.strictEqual(yield* emitted, 1 + second)
        }
        yield* TestClock.adjust("5 seconds")
        const quiet = yield* emitted
        assert.isAtMost(quiet, 7)
        yield* end
        yield* settle
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual(yield* emitted, quiet + 1)
        assert.isTrue(yield* ended)
      }).pipe(Effect.provideContext(context))
    })
  )

  it.effect("are told once about a task that ended before", () =>
    Effect.gen(function* () {
      const { context, hosts } = yield* openFleet(FILES)
      yield* Effect.gen(function* () {
        const { end, task_id, uri } = yield* running(hosts)
        yield* end
        yield* (yield* Orchestrator).taskResult(task_id, 5)
        const { emitted, ended } = yield* subscribe(uri)
        assert.strictEqual(yield* emitted, 1)
        assert.isTrue(yield* ended)
      }).pipe(Effect.provideContext(context))
    })
  )

  it.effect("are told once a second also when more comes while the subscriber is being told", () =>
    Effect.gen(function* () {
      const bytes = yield* Ref.make(0)
      yield* Effect.gen(function* () {
        const { emitted } = yield* subscribe(`ssh://task/${TASK_ID}/output`)
        for (let second = 1; second <= 4; second++) {
          assert.strictEqual(yield* emitted, second)
          yield* TestClock.adjust("1 seconds")
        }
      }).pipe(
        Effect.provide(
          scripted({
            taskSnapshot: () => Effect.succeed({ status: "running", output: "", truncated: false, next_cursor: "" }),
            taskStatus: () =>
              Effect.map(
                Ref.updateAndGet(bytes, (n) => n + 1),
                (bytes_read) => ({ ...TASK_REPORT, bytes_read })
              )
          })
        )
      )
    })
  )

  it.effect("end with the task's record", () =>
    Effect.gen(function* () {
      const bytes = yield* Ref.make(10)
      const gone = yield* Ref.make(false)
      yield* Effect.gen(function* () {
        const { emitted, ended } = yield* subscribe(`ssh://task/${TASK_ID}/output`)
        assert.strictEqual(yield* emitted, 1)
        yield* Ref.set(gone, true)
        assert.isFalse(yield* ended)
        yield* TestClock.adjust("1 seconds")
        assert.isTrue(yield* ended)
        assert.strictEqual(yield* emitted, 1)
      }).pipe(
        Effect.provide(
          scripted({
            taskSnapshot: () => Effect.succeed({ status: "running", output: "", truncated: false, next_cursor: "" }),
            taskStatus: (taskId) =>
              Effect.gen(function* () {
                if (yield* Ref.get(gone)) return yield* new TaskNotFound({ taskId })
                return { ...TASK_REPORT, bytes_read: yield* Ref.get(bytes) }
              })
          })
        )
      )
    })
  )

  it.effect("stop when the subscriber is interrupted", () =>
    Effect.gen(function* () {
      const asked = yield* Ref.make(0)
      yield* Effect.gen(function* () {
        const { fiber } = yield* subscribe(`ssh://task/${TASK_ID}/output`)
        yield* TestClock.adjust("3 seconds")
        const before = yield* Ref.get(asked)
        assert.isAtLeast(before, 3)
        yield* Fiber.interrupt(fiber)
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual(yield* Ref.get(asked), before)
      }).pipe(
        Effect.provide(
          scripted({
            taskSnapshot: () => Effect.succeed({ status: "running", output: "", truncated: false, next_cursor: "" }),
            taskStatus: () =>
              Effect.as(
                Ref.update(asked, (n) => n + 1),
                TASK_REPORT
              )
          })
        )
      )
    })
  )
})

const OTHER_SERVERS = String(FILES["config/servers.yml"]).replace("10.0.0.12", "10.0.0.13")

describe("changes of what the configuration says", () => {
  it.effect("are told after a reload that changed the very resource", () =>
    Effect.gen(function* () {
      const { context, write } = yield* openFleet(FILES)
      yield* Effect.gen(function* () {
        const { reload } = yield* Orchestrator
        const hosts = yield* subscribe("ssh://hosts")
        const web = yield* subscribe("ssh://host/web-1")
        const db = yield* subscribe("ssh://host/db-1")
        const capabilities = yield* subscribe("ssh://host/db-1/capabilities")
        const told = Effect.andThen(
          TestClock.adjust("1 seconds").pipe(Effect.andThen(settle)),
          Effect.all([hosts.emitted, web.emitted, db.emitted, capabilities.emitted])
        )
        yield* reload
        assert.deepStrictEqual(yield* told, [0, 0, 0, 0])
        yield* write("config/servers.yml", OTHER_SERVERS)
        yield* reload
        assert.deepStrictEqual(yield* told, [1, 0, 1, 0])
        yield* write("config/policy.yml", "version: 3\nrules: []\n")
        yield* reload
        assert.deepStrictEqual(yield* told, [1, 0, 1, 1])
        yield* write("config/servers.yml", "hosts:\n  - { alias: web-1, host: 10.0.0.14, credentials: admin }\n")
        yield* reload
        assert.deepStrictEqual(yield* told, [2, 1, 2, 2])
      }).pipe(Effect.provideContext(context))
    })
  )

  it.effect("of the list are told after each reload that took effect, at most once a second", () =>
    Effect.gen(function* () {
      const { context, write } = yield* openFleet(FILES)
      yield* Effect.gen(function* () {
        const { reload } = yield* Orchestrator
        const { emitted } = yield* count(sshResources.listChanges)
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* emitted, 0)
        yield* reload
        yield* settle
        assert.strictEqual(yield* emitted, 1)
        for (let i = 0; i < 5; i++) {
          yield* reload
          yield* settle
        }
        assert.strictEqual(yield* emitted, 1)
        yield* TestClock.adjust("10 seconds")
        yield* settle
        const after = yield* emitted
        assert.isAtLeast(after, 2)
        assert.isAtMost(after, 4)
        yield* write("config/servers.yml", "hots: []\n")
        yield* Effect.flip(reload)
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* emitted, after)
      }).pipe(Effect.provideContext(context))
    })
  )
})

describe("a subscription", () => {
  it.effect("is refused to what does not exist, is no uri, or has no changes to tell", () =>
    Effect.gen(function* () {
      const { context } = yield* openFleet(FILES)
      yield* Effect.gen(function* () {
        for (const [uri, code] of [
          ["ssh://host/web-9", -32002],
          [`ssh://task/${TASK_ID}/output`, -32002],
          ["ssh://nothing", -32002],
          ["nothing", -32602],
          ["ssh://tasks", -32602]
        ] as const) {
          assert.strictEqual((yield* Effect.flip(sshResources.changes(uri))).code, code)
        }
      }).pipe(Effect.provideContext(context))
    })
  )
})

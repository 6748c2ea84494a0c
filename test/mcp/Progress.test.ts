import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Ref, Schema } from "effect"
import { TestClock } from "effect/testing"
import { type ProgressToken, type TaskProgress, withProgress } from "../../src/mcp/Progress.ts"
import type { JsonObject } from "../../src/mcp/WireSchema.ts"
import { openTaskFleet, RUN, RUN_ON_TAG } from "./tasks/TaskFleet.ts"

interface Sent {
  readonly at: number
  readonly params: JsonObject
}

/** Runs a call of `seconds`, with a client that takes `slowness` for each notification; yields what was sent. */
const sentDuring = Effect.fnUntraced(function* (options: {
  readonly seconds: number
  readonly token?: ProgressToken
  readonly slowness?: Duration.Input
  readonly progress?: TaskProgress
}) {
  const sent = yield* Ref.make<ReadonlyArray<Sent>>([])
  let now = 0
  const fiber = yield* withProgress(Effect.sleep(Duration.seconds(options.seconds)), {
    token: options.token ?? "t",
    notify: (_method, params = {}) =>
      Effect.andThen(
        Ref.update(sent, (all) => [...all, { at: now, params }]),
        Effect.sleep(options.slowness ?? 0)
      ),
    read: Effect.succeed(options.progress ?? {})
  }).pipe(Effect.forkChild)
  for (; now < (options.seconds + 5) * 1000; now += 250) {
    yield* TestClock.adjust("250 millis")
  }
  yield* Fiber.join(fiber)
  return yield* Ref.get(sent)
})

const Seconds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))
const Slowness = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3000 }))

describe("progress", () => {
  it.effect.prop(
    "rises, comes at most once a second, and stops with the call, however slow the client reads",
    [Seconds, Slowness],
    ([length, slow]) =>
      Effect.gen(function* () {
        const sent = yield* sentDuring({ seconds: length, slowness: slow })
        for (const [index, { at, params }] of sent.entries()) {
          const before = sent[index - 1]
          assert.isAtMost(at, length * 1000)
          assert.isAbove(Number(params["progress"]), Number(before?.params["progress"] ?? 0))
          assert.isAtLeast(at - (before?.at ?? 0), index === 0 ? 750 : 1000)
        }
        if (slow === 0) assert.lengthOf(sent, Math.max(0, length - 1))
      })
  )

  it.effect("names the token as it was given, 0 too, and leaves out what is not known", () =>
    Effect.gen(function* () {
      const [first] = yield* sentDuring({ seconds: 2, token: 0 })
      assert.deepStrictEqual(first?.params, { progressToken: 0, progress: 1 })
    })
  )

  it.effect("tells the limit as total until it is reached, and the message", () =>
    Effect.gen(function* () {
      const sent = yield* sentDuring({ seconds: 4, progress: { total: 3, message: "line" } })
      assert.deepStrictEqual(
        sent.map(({ params }) => params),
        [
          { progressToken: "t", progress: 1, total: 3, message: "line" },
          { progressToken: "t", progress: 2, total: 3, message: "line" },
          { progressToken: "t", progress: 3, message: "line" }
        ]
      )
    })
  )
})

const RELATED = "io.modelcontextprotocol/related-task"

describe("progress of a call", () => {
  it.effect("shows the seconds, the limit and the newest line of output, cleaned and cut, until the answer", () =>
    Effect.gen(function* () {
      const { hosts, log, notification, post, reply, resultOf } = yield* openTaskFleet
      const call = yield* post("tools/call", { ...RUN, _meta: { progressToken: 0 } })
      const remote = yield* hosts.next
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* notification).params, { progressToken: 0, progress: 1, total: 40 })
      yield* remote.print("step 1\nstep \u001b[31m2\u202e")
      yield* Effect.yieldNow.pipe(Effect.repeat({ times: 200 }))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* notification).params, {
        progressToken: 0,
        progress: 2,
        total: 40,
        message: "step 2"
      })
      yield* remote.print(`\n${"line ".repeat(100)}\n`)
      yield* Effect.yieldNow.pipe(Effect.repeat({ times: 200 }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(String((yield* notification).params?.["message"]), `${"line ".repeat(40)}…`)
      yield* remote.end
      yield* reply(call)
      yield* TestClock.adjust("10 seconds")
      yield* resultOf("tasks/list")
      assert.deepStrictEqual(log.slice(-2), ["result", "result"])
    })
  )

  it.effect("on a tag shows how many hosts are done", () =>
    Effect.gen(function* () {
      const { hosts, notification, post } = yield* openTaskFleet
      yield* post("tools/call", { ...RUN_ON_TAG, _meta: { progressToken: "tag" } })
      const [first] = [yield* hosts.next, yield* hosts.next, yield* hosts.next]
      yield* first.end
      yield* Effect.yieldNow.pipe(Effect.repeat({ times: 200 }))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* notification).params, {
        progressToken: "tag",
        progress: 1,
        message: "1 of 3 hosts finished"
      })
    })
  )

  it.effect("that became a task goes on for the task's life, and names it", () =>
    Effect.gen(function* () {
      const { hosts, notification, resultOf, unread } = yield* openTaskFleet
      const { task } = yield* resultOf("tools/call", { ...RUN, task: {}, _meta: { progressToken: "p" } })
      const taskId: unknown = Reflect.get(Object(task), "taskId")
      const remote = yield* hosts.next
      for (let second = 1; second <= 3; second++) {
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual((yield* notification).params, {
          progressToken: "p",
          progress: second,
          total: 40,
          _meta: { [RELATED]: { taskId } }
        })
      }
      yield* remote.end
      assert.strictEqual((yield* notification).method, "notifications/tasks/status")
      yield* TestClock.adjust("5 seconds")
      yield* resultOf("tasks/list")
      assert.strictEqual(yield* unread, 0)
    })
  )

  it.effect("that waits for an older task shows its output, but not its limit", () =>
    Effect.gen(function* () {
      const { hosts, notification, post, resultOf } = yield* openTaskFleet
      const started = yield* resultOf("tools/call", { ...RUN, name: "ssh_run_async" })
      const task_id: unknown = Reflect.get(Object(started["structuredContent"]), "task_id")
      const remote = yield* hosts.next
      yield* remote.print("half way\n")
      yield* post("tools/call", {
        name: "ssh_get_task_result",
        arguments: { task_id, wait_seconds: 5 },
        _meta: { progressToken: 1 }
      })
      yield* resultOf("tasks/list")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* notification).params, { progressToken: 1, progress: 1, message: "half way" })
    })
  )

  it.effect("is not sent to who did not ask for it", () =>
    Effect.gen(function* () {
      const { hosts, post, reply, unread } = yield* openTaskFleet
      const call = yield* post("tools/call", RUN)
      const remote = yield* hosts.next
      yield* TestClock.adjust("3 seconds")
      yield* remote.end
      yield* reply(call)
      assert.strictEqual(yield* unread, 0)
    })
  )
})

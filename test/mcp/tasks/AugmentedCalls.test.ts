import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { openTaskFleet, RUN, RUN_ON_TAG, UNKNOWN_ID } from "./TaskFleet.ts"

const TASK_ID = /^[A-Za-z0-9._-]+:[0-9a-f]{16}:[0-9A-Z]{26}$/

const RELATED = "io.modelcontextprotocol/related-task"

/** A field of an answer that a test looks into. */
const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    value
  )

const idOf = (value: unknown): string => String(at(value, "task", "taskId"))

describe("a call with a task parameter", () => {
  it.effect("answers at once with a working task, the one that ssh_get_task_status shows", () =>
    Effect.gen(function* () {
      const { ask, hosts, resultOf } = yield* openTaskFleet
      const created = yield* resultOf("tools/call", { ...RUN, task: {} })
      const taskId = idOf(created)
      assert.match(taskId, TASK_ID)
      assert.strictEqual(at(created, "task", "status"), "working")
      assert.deepInclude(at(created, "task"), {
        createdAt: "1970-01-01T00:00:00.000Z",
        lastUpdatedAt: "1970-01-01T00:00:00.000Z",
        ttl: 30_000,
        pollInterval: 1000
      })
      const { end } = yield* hosts.next
      const status = yield* resultOf("tools/call", { name: "ssh_get_task_status", arguments: { task_id: taskId } })
      assert.deepInclude(at(status, "structuredContent"), { task_id: taskId, kind: "command", alias: "web-1" })
      yield* end
      yield* ask("tasks/result", { taskId })
      assert.deepInclude(yield* resultOf("tasks/get", { taskId }), { taskId, status: "completed", ttl: 30_000 })
    })
  )

  it.effect("gives by tasks/result what the call would have answered, and wakes at the task's end", () =>
    Effect.gen(function* () {
      const { hosts, post, reply, resultOf } = yield* openTaskFleet
      const taskId = idOf(yield* resultOf("tools/call", { ...RUN, task: { ttl: 60_000 } }))
      const remote = yield* hosts.next
      const waiting = yield* post("tasks/result", { taskId })
      yield* TestClock.adjust("20 seconds")
      yield* remote.print("up 3 days\n")
      yield* remote.end
      // No time passes from here on: whatever polled would not wake.
      const { result } = yield* reply(waiting)
      assert.deepInclude(at(result, "structuredContent"), {
        task_id: taskId,
        status: "completed",
        exit_code: 0,
        output: "up 3 days\n"
      })
      assert.isFalse(at(result, "isError"))
      assert.deepStrictEqual(at(result, "_meta", RELATED), { taskId })
      assert.deepStrictEqual(
        JSON.parse(String(at(at(result, "content", "0"), "text"))),
        at(result, "structuredContent")
      )
    })
  )

  it.effect("ends with its limit: failed, with the reason in the status and an error result", () =>
    Effect.gen(function* () {
      const { hosts, post, reply, resultOf } = yield* openTaskFleet
      const taskId = idOf(yield* resultOf("tools/call", { ...RUN, task: {} }))
      yield* hosts.next
      const waiting = yield* post("tasks/result", { taskId })
      yield* resultOf("tasks/get", { taskId })
      yield* TestClock.adjust("40 seconds")
      const { result } = yield* reply(waiting)
      assert.isTrue(at(result, "isError"))
      assert.strictEqual(at(result, "structuredContent", "status"), "timeout")
      const task = yield* resultOf("tasks/get", { taskId })
      assert.strictEqual(task["status"], "failed")
      assert.match(String(task["statusMessage"]), /40 s/)
      assert.strictEqual(task["lastUpdatedAt"], "1970-01-01T00:00:40.000Z")
    })
  )

  it.effect("runs on when the waiting for its result is cancelled, and when the call is", () =>
    Effect.gen(function* () {
      const { ask, cancel, hosts, post, reply, resultOf } = yield* openTaskFleet
      const call = yield* post("tools/call", { ...RUN, task: {} })
      const taskId = idOf((yield* reply(call)).result)
      const remote = yield* hosts.next
      const waiting = yield* post("tasks/result", { taskId })
      yield* resultOf("tasks/get", { taskId })
      yield* cancel(waiting)
      yield* cancel(call)
      assert.strictEqual((yield* resultOf("tasks/get", { taskId }))["status"], "working")
      yield* remote.end
      assert.isFalse(at((yield* ask("tasks/result", { taskId })).result, "isError"))
    })
  )

  it.effect("is stopped by tasks/cancel, once", () =>
    Effect.gen(function* () {
      const { ask, hosts, resultOf } = yield* openTaskFleet
      const taskId = idOf(yield* resultOf("tools/call", { ...RUN, task: {} }))
      yield* hosts.next
      const cancelled = yield* resultOf("tasks/cancel", { taskId })
      assert.deepInclude(cancelled, {
        taskId,
        status: "cancelled",
        statusMessage: "Cancelled: the remote process was stopped."
      })
      assert.strictEqual((yield* ask("tasks/cancel", { taskId })).error?.code, -32602)
      const result = yield* resultOf("tasks/result", { taskId })
      assert.isTrue(at(result, "isError"))
      assert.deepInclude(at(result, "structuredContent"), { status: "cancelled", cancelled: true })
    })
  )

  it.effect("tells its end in one notification, after its answer", () =>
    Effect.gen(function* () {
      const { ask, hosts, log, notification, resultOf, unread } = yield* openTaskFleet
      const taskId = idOf(yield* resultOf("tools/call", { ...RUN, task: {} }))
      const { end } = yield* hosts.next
      assert.strictEqual(yield* unread, 0)
      yield* end
      const { method, params } = yield* notification
      assert.strictEqual(method, "notifications/tasks/status")
      assert.deepInclude(params, { taskId, status: "completed" })
      assert.notProperty(params, "_meta")
      yield* ask("tasks/get", { taskId })
      assert.deepStrictEqual(log.slice(0, 3), ["result", "notifications/tasks/status", "result"])
    })
  )

  it.effect("says nothing about tasks that were not made by it", () =>
    Effect.gen(function* () {
      const { hosts, resultOf, unread } = yield* openTaskFleet
      const started = yield* resultOf("tools/call", { ...RUN, name: "ssh_run_async" })
      const taskId = String(at(started, "structuredContent", "task_id"))
      const { end } = yield* hosts.next
      yield* end
      yield* resultOf("tasks/result", { taskId })
      yield* resultOf("tasks/get", { taskId })
      assert.strictEqual(yield* unread, 0)
    })
  )

  it.effect("on a tag: one task for all hosts, whose cancel stops them all", () =>
    Effect.gen(function* () {
      const { hosts, resultOf } = yield* openTaskFleet
      const taskId = idOf(yield* resultOf("tools/call", { ...RUN_ON_TAG, task: {} }))
      assert.match(taskId, /^tag\.web:/)
      const [first] = [yield* hosts.next, yield* hosts.next, yield* hosts.next]
      assert.deepInclude(yield* resultOf("tasks/get", { taskId }), {
        status: "working",
        statusMessage: "0 of 3 hosts finished"
      })
      yield* first.end
      yield* Effect.yieldNow.pipe(Effect.repeat({ times: 200 }))
      assert.strictEqual((yield* resultOf("tasks/get", { taskId }))["statusMessage"], "1 of 3 hosts finished")
      assert.strictEqual((yield* resultOf("tasks/cancel", { taskId }))["status"], "cancelled")
      const result = yield* resultOf("tasks/result", { taskId })
      assert.deepInclude(at(result, "structuredContent", "summary"), { total_hosts: 3, successful: 1, cancelled: 2 })
    })
  )

  it.effect("is kept until its creation and ttl when that is later than its end and task_result_ttl", () =>
    Effect.gen(function* () {
      const { ask, hosts, resultOf } = yield* openTaskFleet
      const long = idOf(yield* resultOf("tools/call", { ...RUN, task: { ttl: 100_000 } }))
      yield* Effect.flatMap(hosts.next, ({ end }) => end)
      const short = idOf(yield* resultOf("tools/call", { ...RUN, task: { ttl: 1 } }))
      yield* Effect.flatMap(hosts.next, ({ end }) => end)
      yield* resultOf("tasks/result", { taskId: long })
      yield* resultOf("tasks/result", { taskId: short })
      yield* TestClock.adjust("28 seconds")
      assert.strictEqual((yield* resultOf("tasks/get", { taskId: short }))["ttl"], 1)
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual((yield* ask("tasks/get", { taskId: short })).error?.code, -32602)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual((yield* resultOf("tasks/get", { taskId: long }))["ttl"], 100_000)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* ask("tasks/result", { taskId: long })).error?.code, -32602)
    })
  )

  it.effect("is granted an hour at most", () =>
    Effect.gen(function* () {
      const { resultOf } = yield* openTaskFleet
      const created = yield* resultOf("tools/call", { ...RUN, task: { ttl: 1e12 } })
      assert.strictEqual(at(created, "task", "ttl"), 3_600_000)
    })
  )
})

describe("a call with a task parameter that ends before there is a task", () => {
  const ended = [
    ["a denial", { ...RUN, arguments: { alias: "web-1", command: "reboot" } }, "failed", /^web-1:/, /Policy blocked/],
    ["bad arguments", { ...RUN, arguments: { alias: "web-1" } }, "failed", /^ssh_run:/, /command is required/],
    [
      "an unknown host",
      { ...RUN, arguments: { alias: "nope", command: "uptime" } },
      "failed",
      /^ssh_run:/,
      /not found/
    ],
    [
      "a tag without hosts",
      { ...RUN_ON_TAG, arguments: { tag: "none", command: "uptime" } },
      "completed",
      /^ssh_run_on_tag:/,
      /undefined/
    ]
  ] as const
  for (const [fact, params, status, id, message] of ended) {
    it.effect(`answers ${fact} with a task that is ${status} at once, and the call's own result`, () =>
      Effect.gen(function* () {
        const { ask, resultOf } = yield* openTaskFleet
        const created = yield* resultOf("tools/call", { ...params, task: { ttl: 20_000 } })
        const taskId = idOf(created)
        assert.match(taskId, TASK_ID)
        assert.match(taskId, id)
        assert.deepInclude(at(created, "task"), { status, ttl: 20_000 })
        assert.match(String(at(created, "task", "statusMessage")), message)
        const { _meta, ...result } = yield* resultOf("tasks/result", { taskId })
        const { _meta: _, ...plain } = yield* resultOf("tools/call", params)
        assert.deepStrictEqual(result, plain)
        assert.deepStrictEqual(at(_meta, RELATED), { taskId })
        assert.deepStrictEqual(yield* resultOf("tasks/get", { taskId }), at(created, "task"))
        assert.deepStrictEqual(at(yield* resultOf("tasks/list"), "tasks"), [at(created, "task")])
        assert.strictEqual((yield* ask("tasks/cancel", { taskId })).error?.code, -32602)
        yield* TestClock.adjust("20 seconds")
        assert.strictEqual((yield* ask("tasks/get", { taskId })).error?.code, -32602)
        assert.deepStrictEqual(at(yield* resultOf("tasks/list"), "tasks"), [])
      })
    )
  }

  it.effect("keeps the latest hundred of them", () =>
    Effect.gen(function* () {
      const { ask, resultOf } = yield* openTaskFleet
      const denied = { ...RUN, arguments: { alias: "web-1", command: "reboot" }, task: {} }
      const first = idOf(yield* resultOf("tools/call", denied))
      for (let n = 0; n < 100; n++) yield* resultOf("tools/call", denied)
      assert.strictEqual((yield* ask("tasks/get", { taskId: first })).error?.code, -32602)
      assert.lengthOf(Object.values(at(yield* resultOf("tasks/list"), "tasks") ?? {}), 100)
    })
  )
})

describe("requests about tasks", () => {
  const refused: ReadonlyArray<readonly [fact: string, method: string, params: object, code: number]> = [
    ["a task parameter on a tool that cannot be a task", "tools/call", { name: "ssh_ping", task: {} }, -32601],
    ["a ttl that is no number", "tools/call", { ...RUN, task: { ttl: "1" } }, -32602],
    ["a negative ttl", "tools/call", { ...RUN, task: { ttl: -1 } }, -32602],
    ["a task parameter that is no object", "tools/call", { ...RUN, task: 1 }, -32602],
    ...["tasks/get", "tasks/result", "tasks/cancel"].flatMap((method) => [
      [`an unknown task of ${method}`, method, { taskId: UNKNOWN_ID }, -32602] as const,
      [`a malformed id of ${method}`, method, { taskId: "../x" }, -32602] as const,
      [`no id of ${method}`, method, {}, -32602] as const,
      [`an id of another type of ${method}`, method, { taskId: 7 }, -32602] as const
    ]),
    ["a cursor that was not given out", "tasks/list", { cursor: "x" }, -32602],
    ["a cursor of another type", "tasks/list", { cursor: 1 }, -32602]
  ]
  it.effect("are refused with their code, and start nothing", () =>
    Effect.gen(function* () {
      const { ask, resultOf } = yield* openTaskFleet
      for (const [fact, method, params, code] of refused) {
        assert.strictEqual((yield* ask(method, params)).error?.code, code, fact)
      }
      assert.deepStrictEqual(at(yield* resultOf("tasks/list"), "tasks"), [])
    })
  )

  it.effect("list every task newest first, a hundred a page", () =>
    Effect.gen(function* () {
      const { hosts, resultOf } = yield* openTaskFleet
      const ids: Array<string> = []
      for (let n = 0; n < 105; n++) {
        ids.unshift(idOf(yield* resultOf("tools/call", { ...RUN, task: {} })))
        yield* Effect.flatMap(hosts.next, ({ end }) => end)
      }
      const first = yield* resultOf("tasks/list")
      const second = yield* resultOf("tasks/list", { cursor: first["nextCursor"] })
      const listed = [first, second].flatMap((page) => Object.values(at(page, "tasks") ?? {}))
      assert.deepStrictEqual(
        listed.map((task) => at(task, "taskId")),
        ids
      )
      assert.notProperty(second, "nextCursor")
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { type RawServer, startInitializedServer } from "../../support/RawServer.ts"
import { eventually, makeHost, type ScenarioOptions } from "../Scenario.ts"

type Json = { readonly [key: string]: unknown }

const RELATED = "io.modelcontextprotocol/related-task"

const make = (options: ScenarioOptions = {}) =>
  Effect.gen(function* () {
    const host = yield* makeHost(options)
    // Runs until the file `go` is there, so that a test decides when it ends.
    host.config.program(
      "args",
      'echo yes > started; echo begun; while [ ! -e go ]; do sleep 0.02; done; echo gone; exit "${1:-0}"'
    )
    const server = yield* startInitializedServer({ environment: host.config.environment })
    return { ...host, server, go: Effect.sync(() => fs.writeFileSync(`${host.config.workDir}/go`, "")) }
  })

/** Calls `ssh_run` on the one host; `extra` are further params. */
const run = (server: RawServer, command: string, extra: Json = {}) =>
  Effect.map(
    server.request("tools/call", { name: "ssh_run", arguments: { alias: "web1", command }, ...extra }),
    (answer) => ({ error: Object(answer["error"]), result: Object(answer["result"]) })
  )

const ask = (server: RawServer, method: string, params: Json) =>
  Effect.map(server.request(method, params), (answer) => ({
    code: Object(answer["error"]).code as number | undefined,
    result: Object(answer["result"])
  }))

/** Everything that the server sent of one method, oldest first, with its place among all messages. */
const sent = (server: RawServer, method: string) =>
  Effect.map(server.lines, (lines) =>
    lines
      .map((line, at) => ({ at, message: JSON.parse(line) as Json }))
      .filter(({ message }) => message["method"] === method)
      .map(({ at, message }) => ({ at, params: Object(message["params"]) }))
  )

describe("MCP tasks on the wire", () => {
  it.live("a call becomes a task at once; its result waits for the end and wakes then", () =>
    Effect.gen(function* () {
      const { command, config, go, server, started } = yield* make()
      const { result } = yield* run(server, command("args"), { task: { ttl: 60_000 } })
      const { task } = result
      assert.containsAllKeys(task, ["taskId", "status", "createdAt", "lastUpdatedAt", "ttl"])
      assert.strictEqual(task.status, "working")
      assert.match(task.taskId, /^web1:[0-9a-f]{16}:[0-9A-Z]{26}$/)
      assert.match(task.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
      yield* started
      yield* server.send({ jsonrpc: "2.0", id: "result", method: "tasks/result", params: { taskId: task.taskId } })
      const got = yield* ask(server, "tasks/get", { taskId: task.taskId })
      assert.deepInclude(got.result, { taskId: task.taskId, status: "working" })
      assert.deepInclude((yield* ask(server, "tasks/list", {})).result.tasks[0], { taskId: task.taskId })
      assert.strictEqual(config.remoteProcesses().length > 0, true)
      yield* go
      const isResult = (message: Json): boolean => message["id"] === "result"
      const answer = yield* Effect.repeat(server.receive, { until: isResult })
      const ended = Object(answer["result"])
      assert.deepStrictEqual(ended._meta[RELATED], { taskId: task.taskId })
      assert.deepInclude(ended.structuredContent, { status: "completed", exit_code: 0, output: "begun\ngone\n" })
      assert.deepStrictEqual((yield* ask(server, "tasks/result", { taskId: task.taskId })).result, ended, "and stays")
      assert.deepInclude((yield* ask(server, "tasks/get", { taskId: task.taskId })).result, { status: "completed" })
      const told = (yield* sent(server, "notifications/tasks/status")).map(({ params }) => params)
      assert.deepInclude(told.at(-1), { taskId: task.taskId, status: "completed" })
    })
  )

  it.live("a result that is an error is a failed task, with its reason where a client can see it", () =>
    Effect.gen(function* () {
      const { command, go, server } = yield* make()
      yield* go
      const cases: ReadonlyArray<readonly [command: string, text: RegExp]> = [
        [command("args", "3"), /"exit_code":3/],
        [command("forbidden"), /"status":"denied"/],
        ["", /command is required/]
      ]
      for (const [text, expected] of cases) {
        const { result } = yield* run(server, text, { task: {} })
        const taskId = String(result.task?.taskId)
        const ended = yield* ask(server, "tasks/result", { taskId })
        assert.isTrue(ended.result.isError, text)
        assert.match(JSON.stringify(ended.result.content).replaceAll("\\", ""), expected, text)
        assert.deepStrictEqual(ended.result._meta[RELATED], { taskId }, text)
        const { result: task } = yield* ask(server, "tasks/get", { taskId })
        assert.strictEqual(task.status, "failed", text)
        assert.isString(task.statusMessage, text)
        assert.deepStrictEqual((yield* ask(server, "tasks/cancel", { taskId })).code, -32602, `${text}: ended`)
      }
    })
  )

  it.live("what is no task, or cannot be one, is an error that says so", () =>
    Effect.gen(function* () {
      const { server, sshd } = yield* make()
      for (const name of ["ssh_plan", "ssh_ping", "ssh_run_async", "ssh_cancel_task"]) {
        const answer = yield* ask(server, "tools/call", {
          name,
          arguments: { alias: "web1", command: "true" },
          task: {}
        })
        assert.strictEqual(answer.code, -32601, name)
      }
      const id = `web1:${"0".repeat(16)}:${"0".repeat(26)}`
      for (const taskId of [id, "", "__proto__", "x".repeat(100_000), 7, null, undefined]) {
        for (const method of ["tasks/get", "tasks/result", "tasks/cancel"]) {
          const answer = yield* ask(server, method, { taskId })
          assert.strictEqual(answer.code, -32602, `${method} ${String(taskId).slice(0, 20)}`)
        }
      }
      for (const cursor of ["garbage", "e30=", "9".repeat(5000), 7, {}]) {
        assert.strictEqual(
          (yield* ask(server, "tasks/list", { cursor })).code,
          -32602,
          JSON.stringify(cursor).slice(0, 20)
        )
      }
      for (const task of [7, "x", [], { ttl: -1 }, { ttl: "1" }]) {
        assert.strictEqual((yield* run(server, "true", { task })).error.code, -32602, JSON.stringify(task))
      }
      assert.notInclude(yield* sshd.log, "Connection from")
    })
  )

  it.live("a ttl is granted up to an hour, and what was granted is told", () =>
    Effect.gen(function* () {
      const { server } = yield* make()
      for (const [asked, least, most] of [
        [undefined, 1, 3_600_000],
        [600_000, 600_000, 3_600_000],
        [1e12, 3_600_000, 3_600_000]
      ] as const) {
        const { result } = yield* run(server, "true", { task: asked === undefined ? {} : { ttl: asked } })
        assert.isAtLeast(result.task.ttl, least, String(asked))
        assert.isAtMost(result.task.ttl, most, String(asked))
      }
    })
  )

  it.live("neither a cancelled wait nor a cancelled call stops the task; tasks/cancel does, on the host too", () =>
    Effect.gen(function* () {
      const { command, config, server, started } = yield* make()
      yield* server.send({
        jsonrpc: "2.0",
        id: "call",
        method: "tools/call",
        params: { name: "ssh_run", arguments: { alias: "web1", command: command("family") }, task: {} }
      })
      const { taskId } = Object((yield* server.receive)["result"]).task
      yield* started
      yield* eventually("its children", () => config.remoteProcesses().length >= 3)
      yield* server.send({ jsonrpc: "2.0", id: "wait", method: "tasks/result", params: { taskId } })
      for (const requestId of ["wait", "call"]) {
        yield* server.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } })
      }
      assert.deepInclude((yield* ask(server, "tasks/get", { taskId })).result, { status: "working" })
      const cancelled = yield* ask(server, "tasks/cancel", { taskId })
      assert.deepStrictEqual(config.remoteProcesses(), [])
      assert.deepInclude(cancelled.result, { taskId, status: "cancelled" })
      assert.strictEqual((yield* ask(server, "tasks/cancel", { taskId })).code, -32602)
      const result = yield* ask(server, "tasks/result", { taskId })
      assert.isTrue(result.result.isError)
      assert.isFalse(
        (yield* server.lines).some((line) => JSON.parse(line).id === "wait"),
        "a cancelled wait is silent"
      )
    })
  )
})

describe("long calls on the wire", () => {
  it.live("progress rises, at most once a second, with the last line, and ends before the answer", () =>
    Effect.gen(function* () {
      const { command, server } = yield* make()
      // 0 is a token, too.
      const { result } = yield* run(server, command("ticker", "14"), { _meta: { progressToken: 0 } })
      assert.deepInclude(result.structuredContent, { status: "completed" })
      yield* server.request("ping")
      const progress = yield* sent(server, "notifications/progress")
      assert.isAtLeast(progress.length, 2)
      assert.isAtMost(progress.length, 4)
      const answered = (yield* server.lines).findIndex((line) => "structuredContent" in Object(JSON.parse(line).result))
      let before = -1
      for (const { at, params } of progress) {
        assert.strictEqual(params.progressToken, 0)
        assert.isAbove(params.progress, before)
        assert.match(params.message, /^tick \d+$/)
        assert.isBelow(at, answered)
        before = params.progress
      }
    })
  )

  it.live("a call that asks for no progress gets none", () =>
    Effect.gen(function* () {
      const { command, server } = yield* make()
      yield* run(server, command("ticker", "8"))
      assert.deepStrictEqual(yield* sent(server, "notifications/progress"), [])
    })
  )

  it.live("a call that takes longer than sync_wait_seconds answers with its task, which runs on", () =>
    Effect.gen(function* () {
      const { command, go, server } = yield* make({ limits: { sync_wait_seconds: 1 } })
      const { result } = yield* run(server, command("args"))
      assert.isFalse(result.isError ?? false)
      const { task_id: id, ...promoted } = result.structuredContent
      assert.deepInclude(promoted, { status: "running", output: "begun\n" })
      assert.isString(promoted.hint)
      assert.isString(promoted.next_cursor)
      yield* go
      const rest = yield* ask(server, "tools/call", {
        name: "ssh_get_task_result",
        arguments: { task_id: id, wait_seconds: 20 }
      })
      assert.deepInclude(rest.result.structuredContent, { task_id: id, status: "completed", output: "begun\ngone\n" })
      assert.strictEqual((yield* server.log.matching({ type: "audit" })).length, 1)
    })
  )

  it.live("a fan-out tells how many hosts are done, and is promoted as one command is", () =>
    Effect.gen(function* () {
      const { command, go, server } = yield* make({
        hosts: [{ alias: "web2" }, { alias: "web3" }],
        limits: { sync_wait_seconds: 3 }
      })
      const call = { name: "ssh_run_on_tag", arguments: { tag: "web", command: command("args") } }
      const { result } = yield* ask(server, "tools/call", { ...call, _meta: { progressToken: "t" } })
      assert.deepInclude(result.structuredContent, { status: "running", tag: "web" })
      const progress = yield* sent(server, "notifications/progress")
      assert.isAtLeast(progress.length, 1)
      for (const { params } of progress) assert.match(params.message, /\d of 3 hosts/)
      yield* go
      const rest = yield* ask(server, "tools/call", {
        name: "ssh_get_task_result",
        arguments: { task_id: result.structuredContent.task_id, wait_seconds: 20 }
      })
      assert.deepInclude(rest.result.structuredContent.summary, { total_hosts: 3, successful: 3 })
    })
  )

  it.live("a subscriber to a task's output is told of changes, can read them, and is left alone afterwards", () =>
    Effect.gen(function* () {
      const { command, server, started } = yield* make()
      const begun = yield* ask(server, "tools/call", {
        name: "ssh_run_async",
        arguments: { alias: "web1", command: command("ticker", "1000") }
      })
      const id = String(begun.result.structuredContent.task_id)
      const uri = `ssh://task/${id}/output`
      yield* started
      assert.strictEqual((yield* ask(server, "resources/subscribe", { uri })).code, undefined)
      const isUpdate = (message: Json): boolean => message["method"] === "notifications/resources/updated"
      for (let update = 0; update < 2; update++) {
        const message = yield* Effect.repeat(server.receive, { until: isUpdate })
        assert.deepStrictEqual(message["params"], { uri })
      }
      const read = yield* ask(server, "resources/read", { uri })
      assert.match(read.result.contents[0].text, /^tick 1\ntick 2\n/)
      assert.strictEqual((yield* ask(server, "resources/unsubscribe", { uri })).code, undefined)
      const before = (yield* sent(server, "notifications/resources/updated")).length
      yield* ask(server, "tools/call", { name: "ssh_cancel_task", arguments: { task_id: id } })
      yield* server.request("ping")
      assert.strictEqual((yield* sent(server, "notifications/resources/updated")).length, before)
      for (const wrong of ["ssh://task/nope/output", "file:///etc/passwd", "", 7]) {
        const { code } = yield* ask(server, "resources/subscribe", { uri: wrong })
        assert.include([-32602, -32002], code, String(wrong))
      }
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { connectMcpClient, type McpClient } from "../../support/McpClient.ts"
import { eventually, makeHost } from "../Scenario.ts"

/** Every way to name a task, and what each says of one that it does not know. */
const askEverywhere = ({ call, client }: McpClient, id: string) =>
  Effect.gen(function* () {
    const rejected = (request: () => Promise<unknown>) =>
      Effect.flip(Effect.tryPromise({ try: request, catch: (error) => Object(error) as { readonly code?: number } }))
    const tasks = client.experimental.tasks
    const texts = yield* Effect.forEach(["ssh_get_task_status", "ssh_get_task_output", "ssh_get_task_result"], (name) =>
      Effect.map(call(name, { task_id: id }), ({ isError, text }) => (isError ? text : `not an error: ${text}`))
    )
    const cancel = yield* call("ssh_cancel_task", { task_id: id })
    const codes = yield* Effect.forEach(
      [() => tasks.getTask(id), () => tasks.getTaskResult(id), () => tasks.cancelTask(id)],
      (request) => Effect.map(rejected(request), ({ code }) => code)
    )
    const read = yield* rejected(() => client.readResource({ uri: `ssh://task/${id}/output` }))
    return { texts, cancel: cancel.json, codes, read: read.code }
  })

describe("two sessions", () => {
  it.live("do not see each other's tasks: an id of the other one is as unknown as one that never was", () =>
    Effect.gen(function* () {
      const { command, config, started } = yield* makeHost()
      const one = yield* connectMcpClient({ environment: config.environment })
      const two = yield* connectMcpClient({ environment: config.environment })
      const own = yield* one.call("ssh_run_async", { alias: "web1", command: command("sleeper") })
      yield* started
      const id = String(own.json["task_id"])
      const never = `${id.slice(0, -26)}${"0".repeat(26)}`

      const foreign = yield* askEverywhere(two, id)
      const unknown = yield* askEverywhere(two, never)
      assert.strictEqual(JSON.stringify(foreign).replaceAll(id, "ID"), JSON.stringify(unknown).replaceAll(never, "ID"))
      assert.deepStrictEqual(foreign.cancel, {
        task_id: id,
        cancelled: false,
        message: "Task not found",
        remote_stopped: "not_started"
      })
      for (const text of foreign.texts) assert.match(text, /^Error: Task not found/)
      assert.deepStrictEqual(foreign.codes, [-32602, -32602, -32602])
      assert.deepStrictEqual(foreign.read, -32002)

      assert.deepStrictEqual((yield* two.call("ssh_list_tasks")).json["tasks"], [])
      const listed = yield* Effect.promise(() => two.client.experimental.tasks.listTasks())
      assert.deepStrictEqual(listed.tasks, [])
      assert.strictEqual(config.remoteProcesses().length, 1, "the task runs on")
      assert.deepInclude((yield* one.call("ssh_get_task_status", { task_id: id })).json, { status: "running" })
    })
  )

  it.live("end apart: the end of one stops its commands and leaves those of the other", () =>
    Effect.gen(function* () {
      const { command, config } = yield* makeHost()
      const one = yield* connectMcpClient({ environment: config.environment })
      const two = yield* connectMcpClient({ environment: config.environment })
      const sleep = { alias: "web1", command: command("sleeper") }
      yield* one.call("ssh_run_async", sleep)
      const kept = yield* two.call("ssh_run_async", sleep)
      yield* eventually("both run", () => config.remoteProcesses().length === 2)
      yield* one.close
      yield* eventually("one is stopped", () => config.remoteProcesses().length === 1)
      assert.deepInclude((yield* two.call("ssh_get_task_status", { task_id: kept.json["task_id"] })).json, {
        status: "running"
      })
    })
  )
})

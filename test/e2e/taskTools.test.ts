import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { HostList, Started } from "../../src/Orchestrator.ts"
import { Plan } from "../../src/policy/Plan.ts"
import { RunResult } from "../../src/task/RunResult.ts"
import { CancelReport, OutputPage, TaskReport } from "../../src/task/TaskReport.ts"
import { decodeAnswer } from "../support/McpClient.ts"
import { eventually, makeScenario } from "./Scenario.ts"
import { hashOf, TASK_ID } from "./Ids.ts"

describe("the tools around a task, through the binary", () => {
  it.live("ssh_run_async, status, output, result and list show one and the same task", () =>
    Effect.gen(function* () {
      const { client, command, started } = yield* makeScenario()
      const text = command("ticker", "5")
      const task = decodeAnswer(Started, yield* client.call("ssh_run_async", { alias: "web1", command: text }))
      assert.match(task.task_id, TASK_ID)
      assert.deepInclude(task, { status: "pending", alias: "web1", command: text, hash: hashOf(text) })
      assert.strictEqual(task.keepAlive, 300)
      assert.strictEqual(task.pollFrequency, 5)
      const id = { task_id: task.task_id }
      yield* started

      const early = yield* client.call("ssh_get_task_result", id)
      assert.isTrue(early.isError)
      assert.deepInclude(early.json, { task_id: task.task_id, status: "running", pollFrequency: 5 })
      assert.match(String(early.json["hint"]), /\b5 seconds\b/)
      const running = decodeAnswer(TaskReport, yield* client.call("ssh_get_task_status", id))
      assert.deepInclude(running, { kind: "command", alias: "web1", status: "running" })
      assert.isBelow(running.progress_percent, 100)

      const waited = yield* client.call("ssh_get_task_result", { ...id, wait_seconds: 30 })
      const result = decodeAnswer(RunResult, waited)
      assert.strictEqual(result.status, "completed")
      assert.strictEqual(result.output, "tick 1\ntick 2\ntick 3\ntick 4\ntick 5\n")

      const ended = decodeAnswer(TaskReport, yield* client.call("ssh_get_task_status", id))
      assert.deepInclude(ended, { status: "completed", progress_percent: 100, exit_code: 0, bytes_read: 35 })
      assert.strictEqual(ended.output_lines_available, 5)
      assert.isAtLeast(ended.elapsed_ms, 800)
      const page = decodeAnswer(OutputPage, yield* client.call("ssh_get_task_output", { ...id, max_lines: 2 }))
      assert.deepStrictEqual(page.output_lines, ["tick 4", "tick 5"])
      assert.strictEqual(page.total_lines, 5)
      assert.isTrue(page.has_more, "older lines exist")
      const none = decodeAnswer(
        OutputPage,
        yield* client.call("ssh_get_task_output", { ...id, cursor: page.next_cursor })
      )
      assert.deepStrictEqual(none.output_lines, [])
      assert.isFalse(none.has_more)

      const list = yield* client.call("ssh_list_tasks", { alias: "web1", status: "completed" })
      const tasks = list.json["tasks"]
      assert.isTrue(Array.isArray(tasks) && tasks.length === 1)
      assert.deepStrictEqual((yield* client.call("ssh_list_tasks", { status: "running" })).json["tasks"], [])
    })
  )

  it.live("ssh_cancel_task and its two older names cancel, and the older names are not listed", () =>
    Effect.gen(function* () {
      const { client, command, config } = yield* makeScenario()
      for (const name of ["ssh_cancel_task", "ssh_cancel", "ssh_cancel_async_task"]) {
        const task = decodeAnswer(
          Started,
          yield* client.call("ssh_run_async", { alias: "web1", command: command("sleeper") })
        )
        yield* eventually("a process on the host", () => config.remoteProcesses().length > 0)
        const answer = yield* client.call(name, { task_id: task.task_id })
        assert.isFalse(answer.isError)
        assert.deepStrictEqual(
          { ...decodeAnswer(CancelReport, answer) },
          { task_id: task.task_id, cancelled: true, message: "Cancelled", remote_stopped: "confirmed" },
          name
        )
        assert.deepStrictEqual(config.remoteProcesses(), [], name)
        const again = yield* client.call(name, { task_id: task.task_id })
        assert.isFalse(again.isError)
        assert.deepInclude(again.json, { cancelled: false, message: "Task not found or not cancellable" })
      }
      const unknown = yield* client.call("ssh_cancel_task", { task_id: "nosuch" })
      assert.isFalse(unknown.isError)
      assert.deepInclude(unknown.json, { cancelled: false, message: "Task not found", remote_stopped: "not_started" })
    })
  )

  it.live("tells the whole story: look around, plan, run, watch, cancel, and the audit of all of it", () =>
    Effect.gen(function* () {
      const { client, command, config } = yield* makeScenario()
      const hosts = decodeAnswer(HostList, yield* client.call("ssh_list_hosts"))
      assert.deepStrictEqual(hosts.hosts, ["web1"])
      const plan = decodeAnswer(Plan, yield* client.call("ssh_plan", { alias: "web1", command: "uname -s" }))
      assert.isTrue(plan.allowed)
      const run = decodeAnswer(RunResult, yield* client.call("ssh_run", { alias: "web1", command: "uname -s" }))
      assert.strictEqual(run.output, "Linux\n")
      assert.strictEqual(run.hash, plan.hash)

      const task = decodeAnswer(
        Started,
        yield* client.call("ssh_run_async", { alias: "web1", command: command("ticker", "100") })
      )
      const seen: Array<string> = []
      let cursor: string | undefined
      while (seen.length < 4) {
        const page = decodeAnswer(
          OutputPage,
          yield* client.call("ssh_get_task_output", {
            task_id: task.task_id,
            ...(cursor === undefined ? {} : { cursor })
          })
        )
        seen.push(...page.output_lines)
        cursor = page.next_cursor
      }
      assert.deepStrictEqual(
        seen,
        seen.map((_, index) => `tick ${index + 1}`)
      )
      const cancel = decodeAnswer(CancelReport, yield* client.call("ssh_cancel_task", { task_id: task.task_id }))
      assert.deepInclude(cancel, { cancelled: true, remote_stopped: "confirmed" })
      assert.deepStrictEqual(config.remoteProcesses(), [])
      const result = yield* client.call("ssh_get_task_result", { task_id: task.task_id })
      assert.isTrue(result.isError)
      assert.deepInclude(result.json, { status: "cancelled", cancelled: true, exit_code: -1 })

      yield* client.log.waitFor({ type: "audit", task_id: task.task_id, cancelled: true })
      const audits = yield* client.log.matching({ type: "audit" })
      assert.deepStrictEqual(
        audits.map((record) => record["task_id"]),
        [run.task_id, task.task_id]
      )
      yield* client.close
      assert.deepStrictEqual(yield* client.log.strangers, [])
      assert.deepStrictEqual(client.protocolErrors(), [])
    })
  )
})

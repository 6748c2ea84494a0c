import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { openSilentPort } from "../support/SilentPort.ts"
import { eventually, makeScenario } from "./Scenario.ts"

describe("admission", () => {
  it.live("a task above max_tasks_per_host waits its turn, and starts when the slot is free", () =>
    Effect.gen(function* () {
      const { client, command, config } = yield* makeScenario({ limits: { max_tasks_per_host: 1 } })
      const first = yield* client.call("ssh_run_async", { alias: "web1", command: command("sleeper") })
      yield* eventually("the first one runs", () => config.remoteProcesses().length > 0)
      const second = yield* client.call("ssh_run_async", { alias: "web1", command: "echo second" })
      const waiting = yield* client.call("ssh_get_task_status", { task_id: second.json["task_id"] })
      assert.deepInclude(waiting.json, { status: "pending", bytes_read: 0 })
      yield* client.call("ssh_cancel_task", { task_id: first.json["task_id"] })
      const result = yield* client.call("ssh_get_task_result", { task_id: second.json["task_id"], wait_seconds: 20 })
      assert.deepInclude(result.json, { status: "completed", output: "second\n" })
    })
  )

  it.live("cancel of a waiting task says that nothing started, and writes its audit record", () =>
    Effect.gen(function* () {
      const { client, command, config, sshd } = yield* makeScenario({ limits: { max_concurrent_tasks: 1 } })
      yield* client.call("ssh_run_async", { alias: "web1", command: command("sleeper") })
      yield* eventually("the first one runs", () => config.remoteProcesses().length > 0)
      const second = yield* client.call("ssh_run_async", { alias: "web1", command: command("family") })
      const cancel = yield* client.call("ssh_cancel_task", { task_id: second.json["task_id"] })
      assert.deepInclude(cancel.json, { cancelled: true, remote_stopped: "not_started" })
      const audit = yield* client.log.waitFor({ type: "audit", task_id: second.json["task_id"] })
      assert.deepInclude(audit, { cancelled: true, exit_code: -1, target_ip: "" })
      assert.strictEqual((yield* sshd.log).split("Starting session").length, 2, "one session only")
    })
  )

  it.live("a full queue is a denial for the limit, which says what to do", () =>
    Effect.gen(function* () {
      const { client, command, config } = yield* makeScenario({
        limits: { max_concurrent_tasks: 1, max_queued_tasks: 1 }
      })
      yield* client.call("ssh_run_async", { alias: "web1", command: command("sleeper") })
      yield* eventually("the first one runs", () => config.remoteProcesses().length > 0)
      yield* client.call("ssh_run_async", { alias: "web1", command: "true" })
      for (const tool of ["ssh_run", "ssh_run_async"]) {
        const third = yield* client.call(tool, { alias: "web1", command: "true" })
        assert.isTrue(third.isError)
        assert.deepInclude(third.json, { status: "denied", reason: "limit", alias: "web1" })
        assert.match(String(third.json["hint"]), /^Hint: /)
      }
    })
  )

  it.live("cancel of a task that is still connecting answers at once", () =>
    Effect.gen(function* () {
      const silent = yield* openSilentPort
      const { client } = yield* makeScenario({ hosts: [{ alias: "silent", port: silent.port }] })
      const task = yield* client.call("ssh_run_async", { alias: "silent", command: "true" })
      yield* eventually("the connection attempt", () => silent.accepted() > 0)
      const start = performance.now()
      const cancel = yield* client.call("ssh_cancel_task", { task_id: task.json["task_id"] })
      assert.isBelow(performance.now() - start, 1000)
      assert.deepInclude(cancel.json, { cancelled: true, remote_stopped: "not_started" })
      assert.strictEqual((yield* client.log.matching({ type: "audit" })).length, 1)
      const result = yield* client.call("ssh_get_task_result", { task_id: task.json["task_id"] })
      assert.deepInclude(result.json, { status: "cancelled", target_ip: "" })
    })
  )

  it.live("a reload changes nothing for a task that runs", () =>
    Effect.gen(function* () {
      const { client, command, config, started } = yield* makeScenario()
      const task = yield* client.call("ssh_run_async", { alias: "web1", command: command("ticker", "8") })
      yield* started
      yield* config.writePolicy("")
      yield* config.writeHosts([])
      assert.isFalse((yield* client.call("ssh_reload_config")).isError)
      const gone = yield* client.call("ssh_run", { alias: "web1", command: "true" })
      assert.include(gone.text, "Host alias not found: web1")
      const result = yield* client.call("ssh_get_task_result", { task_id: task.json["task_id"], wait_seconds: 20 })
      assert.deepInclude(result.json, { status: "completed", exit_code: 0 })
    })
  )
})

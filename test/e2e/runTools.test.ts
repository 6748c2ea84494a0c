import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { FleetResult } from "../../src/fleet/FleetResult.ts"
import { RunResult } from "../../src/task/RunResult.ts"
import { decodeAnswer } from "../support/McpClient.ts"
import { makeScenario } from "./Scenario.ts"
import { hashOf, TASK_ID } from "./Ids.ts"

describe("the tools that run a command, through the binary", () => {
  it.live("ssh_run returns exit code, interleaved output and byte counts", () =>
    Effect.gen(function* () {
      const { client, command } = yield* makeScenario()
      const ok = yield* client.call("ssh_run", { alias: "web1", command: "echo hello" })
      assert.isFalse(ok.isError)
      const done = decodeAnswer(RunResult, ok)
      assert.match(done.task_id, TASK_ID)
      assert.deepInclude(done, {
        alias: "web1",
        hash: hashOf("echo hello"),
        status: "completed",
        exit_code: 0,
        cancelled: false,
        timeout: false,
        target_ip: "127.0.0.1",
        output: "hello\n",
        bytes_out: 6,
        bytes_err: 0,
        truncated: false,
        max_seconds: 60
      })
      assert.notProperty(done, "next_cursor")

      const exit3 = yield* client.call("ssh_run", { alias: "web1", command: command("exit3") })
      assert.isTrue(exit3.isError)
      const failed = decodeAnswer(RunResult, exit3)
      assert.deepInclude(failed, { status: "failed", exit_code: 3, bytes_out: 4, bytes_err: 4 })
      assert.deepStrictEqual(failed.output.split("\n").toSorted(), ["", "err", "out"])

      const killed = decodeAnswer(
        RunResult,
        yield* client.call("ssh_run", { alias: "web1", command: command("killself") })
      )
      assert.deepInclude(killed, { status: "failed", exit_code: -1, exit_signal: "KILL", output: "dying\n" })
    })
  )

  it.live("ssh_run passes each argument to the host exactly as the policy saw it", () =>
    Effect.gen(function* () {
      const { client, command } = yield* makeScenario()
      const words = ["a b", "$HOME", "`id`", "$(id)", "it's", '"', "*", "~", "a;b", "-n", "é", "\\", "!", "{a,b}", ""]
      const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`)
      const run = yield* client.call("ssh_run", { alias: "web1", command: command("args", ...quoted) })
      assert.strictEqual(run.json["output"], words.map((word) => `<${word}>\n`).join(""))
    })
  )

  it.live("ssh_run_on_tag runs on every host of the tag and sums up", () =>
    Effect.gen(function* () {
      const { client } = yield* makeScenario({
        hosts: [{ alias: "web2" }, { alias: "web3" }, { alias: "other", tags: ["db"] }],
        rules: [{ id: "no3", action: "deny", aliases: ["web3"], commands: ["echo *"] }]
      })
      const answer = yield* client.call("ssh_run_on_tag", { tag: "web", command: "echo hi" })
      assert.isFalse(answer.isError)
      const fleet = decodeAnswer(FleetResult, answer)
      assert.strictEqual(fleet.hosts_matched, 3)
      assert.deepStrictEqual(
        fleet.results.map((result) => result.alias),
        ["web1", "web2", "web3"]
      )
      assert.deepStrictEqual(fleet.summary, {
        total_hosts: 3,
        successful: 2,
        failed: 0,
        cancelled: 0,
        timeout: 0,
        denied: 1
      })
      assert.deepStrictEqual(fleet.failed_hosts, ["web3"])
      assert.deepInclude(fleet.results[2], { alias: "web3", denied: true, reason: "policy" })
      assert.match(String(fleet.task_id), /^tag\.web:[0-9a-f]{16}:[0-9A-Z]{26}$/)

      const none = yield* client.call("ssh_run_on_tag", { tag: "nosuch", command: "echo hi" })
      assert.isFalse(none.isError)
      assert.deepStrictEqual({ ...none.json }, { tag: "nosuch", results: [], note: "No hosts matched." })

      const all = yield* client.call("ssh_run_on_tag", { tag: "db", command: "false" })
      assert.isTrue(all.isError, "no host succeeded")

      const audits = yield* client.log.matching({ type: "audit" })
      assert.strictEqual(audits.length, 2, "one record for each host that ran, none for the parent")
    })
  )

  it.live("ssh_run_on_tag keeps to only, batch and max_failures", () =>
    Effect.gen(function* () {
      const { client, command } = yield* makeScenario({
        hosts: [{ alias: "web2" }, { alias: "web3" }, { alias: "web4" }]
      })
      const only = decodeAnswer(
        FleetResult,
        yield* client.call("ssh_run_on_tag", { tag: "web", command: "true", only: ["web2", "web4"] })
      )
      assert.deepStrictEqual(
        only.results.map((result) => result.alias),
        ["web2", "web4"]
      )
      const stopped = yield* client.call("ssh_run_on_tag", {
        tag: "web",
        command: command("exit3"),
        batch: ["1", "1", "100%"],
        max_failures: "1"
      })
      assert.isTrue(stopped.isError)
      const fleet = decodeAnswer(FleetResult, stopped)
      assert.strictEqual(fleet.summary?.failed, 2)
      assert.deepStrictEqual(fleet.not_started, ["web3", "web4"])
    })
  )

  it.live("a call still running after sync_wait_seconds answers with its task, which goes on", () =>
    Effect.gen(function* () {
      const { client, command } = yield* makeScenario({ limits: { sync_wait_seconds: 1 } })
      const answer = yield* client.call("ssh_run", { alias: "web1", command: command("ticker", "10") })
      assert.isFalse(answer.isError)
      assert.strictEqual(answer.json["status"], "running")
      assert.match(String(answer.json["output"]), /^tick 1\ntick 2\n/)
      assert.isString(answer.json["hint"])
      const rest = yield* client.call("ssh_get_task_output", {
        task_id: answer.json["task_id"],
        cursor: answer.json["next_cursor"]
      })
      assert.isFalse(rest.isError)
      const result = yield* client.call("ssh_get_task_result", { task_id: answer.json["task_id"], wait_seconds: 30 })
      assert.strictEqual(result.json["status"], "completed")
      assert.match(String(result.json["output"]), /tick 10\n$/)
    })
  )
})

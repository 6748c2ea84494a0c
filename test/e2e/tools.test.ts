import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { FleetResult } from "../../src/fleet/FleetResult.ts"
import { HostDescription, HostList, HostStatus, ServerStatus, Started } from "../../src/Orchestrator.ts"
import { Plan } from "../../src/policy/Plan.ts"
import { RunResult } from "../../src/task/RunResult.ts"
import { CancelReport, OutputPage, TaskReport } from "../../src/task/TaskReport.ts"
import { decodeAnswer } from "../support/McpClient.ts"
import { eventually, makeScenario } from "./Scenario.ts"

const TOOLS = [
  "ssh_ping",
  "ssh_list_hosts",
  "ssh_describe_host",
  "ssh_plan",
  "ssh_run",
  "ssh_run_on_tag",
  "ssh_run_async",
  "ssh_get_task_status",
  "ssh_get_task_output",
  "ssh_get_task_result",
  "ssh_list_tasks",
  "ssh_cancel_task",
  "ssh_reload_config"
]

const hashOf = (command: string): string => createHash("sha256").update(command).digest("hex").slice(0, 16)

const TASK_ID = /^[A-Za-z0-9._-]+:[0-9a-f]{16}:[0-9A-Z]{26}$/

describe("tools through the binary", () => {
  it.live("lists the thirteen tools with title, description, schemas and annotations, under 24 KB", () =>
    Effect.gen(function* () {
      const { client } = yield* makeScenario()
      assert.deepStrictEqual(client.tools.map((tool) => tool.name).toSorted(), TOOLS.toSorted())
      for (const tool of client.tools) {
        assert.isNotEmpty(tool.title, tool.name)
        assert.isNotEmpty(tool.description, tool.name)
        assert.strictEqual(tool.inputSchema.type, "object", tool.name)
        assert.strictEqual(tool.outputSchema?.type, "object", tool.name)
        for (const hint of ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const) {
          assert.isBoolean(tool.annotations?.[hint], `${tool.name} ${hint}`)
        }
        for (const [field, schema] of Object.entries(tool.inputSchema.properties ?? {})) {
          assert.property(schema, "description", `${tool.name} ${field}`)
        }
      }
      assert.isBelow(Buffer.byteLength(JSON.stringify({ tools: client.tools })), 24 * 1024)
    })
  )

  it.live("ssh_ping answers for the server and for a host", () =>
    Effect.gen(function* () {
      const { client, sshd } = yield* makeScenario()
      const server = decodeAnswer(ServerStatus, yield* client.call("ssh_ping"))
      assert.strictEqual(server.status, "pong")
      assert.strictEqual(server.version, "2.0.0")
      assert.strictEqual(server.hosts, 1)
      assert.strictEqual(server.tasks_running, 0)
      assert.deepStrictEqual(server.config_problems, [])
      const host = yield* client.call("ssh_ping", { alias: "web1" })
      assert.isFalse(host.isError)
      const status = decodeAnswer(HostStatus, host)
      assert.strictEqual(status.status, "reachable")
      assert.strictEqual(status.target_ip, "127.0.0.1")
      assert.isAtLeast(status.latency_ms, 0)
      const log = yield* sshd.log
      assert.include(log, "Connection from")
      assert.include(log, "Accepted publickey")
      assert.notInclude(log, "Starting session", "a ping runs nothing")
      yield* client.call("ssh_run", { alias: "web1", command: "true" })
      assert.include(yield* sshd.log, "Starting session")
    })
  )

  it.live("ssh_list_hosts pages through the inventory in its order and counts tags", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 620 }, (_, index) => ({ alias: `node-${index}`, tags: ["node"] }))
      const { client } = yield* makeScenario({ hosts: many })
      const first = decodeAnswer(HostList, yield* client.call("ssh_list_hosts"))
      assert.strictEqual(first.hosts.length, 500)
      assert.deepStrictEqual(first.hosts.slice(0, 3), ["web1", "node-0", "node-1"])
      assert.strictEqual(first.count, 621)
      assert.deepStrictEqual({ ...first.tags }, { web: 1, all: 1, node: 620 })
      const second = decodeAnswer(HostList, yield* client.call("ssh_list_hosts", { cursor: first.next_cursor }))
      assert.deepStrictEqual([...first.hosts, ...second.hosts], ["web1", ...many.map((host) => host.alias)])
      assert.notProperty(second, "next_cursor")
      const tagged = decodeAnswer(HostList, yield* client.call("ssh_list_hosts", { tag: "web" }))
      assert.deepStrictEqual(tagged.hosts, ["web1"])
      assert.strictEqual(tagged.count, 1)
      const none = decodeAnswer(HostList, yield* client.call("ssh_list_hosts", { tag: "nosuch" }))
      assert.deepStrictEqual(none.hosts, [])
    })
  )

  it.live("ssh_describe_host shows the host and its limits, never a credential", () =>
    Effect.gen(function* () {
      const { client, sshd } = yield* makeScenario({
        limits: { max_seconds: 40 },
        overrides: { aliases: { web1: { max_seconds: 30 } } }
      })
      const answer = yield* client.call("ssh_describe_host", { alias: "web1" })
      const host = decodeAnswer(HostDescription, answer)
      assert.strictEqual(host.alias, "web1")
      assert.strictEqual(host.host, "127.0.0.1")
      assert.strictEqual(host.port, sshd.port)
      assert.deepStrictEqual(host.tags, ["web", "all"])
      assert.strictEqual(host.description, "The one host")
      assert.isTrue(host.has_credentials)
      assert.strictEqual(host.limits.max_seconds, 30)
      assert.strictEqual(host.limits.max_output_bytes, 1_048_576)
      assert.isTrue(host.network.allowed)
      for (const secret of ["id_ed25519", "username", "PRIVATE"]) assert.notInclude(answer.text, secret)
    })
  )

  it.live("ssh_plan explains a yes and a no without connecting", () =>
    Effect.gen(function* () {
      const { client, sshd, command } = yield* makeScenario()
      const allowed = yield* client.call("ssh_plan", { alias: "web1", command: "echo 'a b'  c" })
      assert.isFalse(allowed.isError)
      const plan = decodeAnswer(Plan, allowed)
      assert.isTrue(plan.allowed)
      assert.strictEqual(plan.command, "echo 'a b'  c")
      assert.strictEqual(plan.hash, hashOf("echo 'a b'  c"))
      assert.deepStrictEqual(plan.commands[0]?.argv, ["echo", "a b", "c"])
      assert.strictEqual(plan.commands[0]?.rule, "programs")
      assert.deepStrictEqual(plan.network, { allowed: true, addresses: ["127.0.0.1"] })

      const denied = yield* client.call("ssh_plan", { alias: "web1", command: command("forbidden") })
      assert.isFalse(denied.isError, "a plan that says no is an answer")
      const no = decodeAnswer(Plan, denied)
      assert.isFalse(no.allowed)
      assert.strictEqual(no.why, "Policy blocked this command.")
      assert.strictEqual(
        no.hint,
        "Hint: Use ssh_plan to inspect allowed commands, review the SSH Orchestrator prompts, or ask if the policy should be updated."
      )
      assert.notInclude(yield* sshd.log, "Connection from")

      const unknown = yield* client.call("ssh_plan", { alias: "nosuch", command: "true" })
      assert.isTrue(unknown.isError)
      assert.match(unknown.text, /^Error: Host alias not found: nosuch\b.+/)
      assert.isFalse(unknown.structured)
    })
  )

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

  it.live("ssh_reload_config takes over a good directory and keeps the old one for a bad one", () =>
    Effect.gen(function* () {
      const { client, config, sshd } = yield* makeScenario()
      assert.strictEqual((yield* client.call("ssh_ping")).json["hosts"], 1)
      const host = { host: "127.0.0.1", port: sshd.port, credentials: "key", tags: ["web"] }
      yield* config.writeHosts([
        { alias: "web1", ...host, description: "changed" },
        { alias: "web2", ...host }
      ])
      const good = yield* client.call("ssh_reload_config")
      assert.isFalse(good.isError)
      assert.deepStrictEqual(good.json, {
        status: "reloaded",
        hosts: 2,
        rules: 1,
        changed: { added: ["web2"], removed: [], modified: ["web1"] }
      })
      assert.strictEqual((yield* client.call("ssh_run", { alias: "web2", command: "true" })).json["exit_code"], 0)

      yield* config.writeHosts("hosts:\n  - alias: web1\n    hots: 10.0.0.1\n")
      const bad = yield* client.call("ssh_reload_config")
      assert.isTrue(bad.isError)
      assert.strictEqual(bad.json["status"], "error")
      const problems = bad.json["problems"]
      assert.isTrue(Array.isArray(problems))
      assert.match(String(problems), /servers\.yml:3:5: /)
      assert.notInclude(bad.text, config.root)
      assert.strictEqual((yield* client.call("ssh_run", { alias: "web2", command: "true" })).json["exit_code"], 0)
      assert.strictEqual(decodeAnswer(HostList, yield* client.call("ssh_list_hosts")).count, 2)
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

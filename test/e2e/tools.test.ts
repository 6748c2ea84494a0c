import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { HostDescription, HostList, HostStatus, ServerStatus } from "../../src/Orchestrator.ts"
import { Plan } from "../../src/policy/Plan.ts"
import { decodeAnswer } from "../support/McpClient.ts"
import { makeScenario } from "./Scenario.ts"
import { hashOf } from "./Ids.ts"

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
})

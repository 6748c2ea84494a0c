import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { McpClient } from "../support/McpClient.ts"
import { openSilentPort } from "../support/SilentPort.ts"
import * as Sshd from "../support/Sshd.ts"
import { makeScenario } from "./Scenario.ts"

/** Runs `true` on a host that cannot be reached, and pings it: both say the same, both leave one honest record. */
const expectFailure = (client: McpClient, text: string, alias = "web1") =>
  Effect.gen(function* () {
    const run = yield* client.call("ssh_run", { alias, command: "true" })
    assert.isTrue(run.isError)
    assert.deepInclude(run.json, { status: "failed", exit_code: -1, output: "", bytes_out: 0, bytes_err: 0 })
    const message = String(run.json["status_message"])
    assert.isTrue(message.startsWith(text), `${message} should begin with ${text}`)
    assert.isAbove(message.length, text.length + 10, "says the next step")
    assert.notMatch(message, /127\.0\.0\.1|\/tmp\/|root@|id_ed25519/)

    const ping = yield* client.call("ssh_ping", { alias })
    assert.isFalse(ping.isError, "unreachable is an answer")
    assert.strictEqual(ping.json["status"], "unreachable")
    assert.isTrue(String(ping.json["error"]).startsWith(text))

    const audit = yield* client.log.waitFor({ type: "audit", task_id: run.json["task_id"] })
    assert.deepInclude(audit, { exit_code: -1, cancelled: false, timeout: false })
    assert.strictEqual((yield* client.log.matching({ type: "audit" })).length, 1)
    assert.deepStrictEqual(yield* client.log.strangers, [])
  })

describe("connecting", () => {
  it.live("a key that the host does not accept", () =>
    Effect.gen(function* () {
      const other = yield* Sshd.start()
      const { client, sshd } = yield* makeScenario({ config: { keys: { id_ed25519: other.key.pem } } })
      yield* expectFailure(client, "SSH authentication failed: Invalid credentials")
      assert.notInclude(yield* sshd.log, "Starting session")
    })
  )

  it.live("a host that known_hosts does not list", () =>
    Effect.gen(function* () {
      const { client, sshd } = yield* makeScenario({ config: { knownHosts: "" } })
      yield* expectFailure(client, "SSH host key not found: Add host to known_hosts")
      assert.notInclude(yield* sshd.log, "Accepted publickey")
    })
  )

  it.live("no known_hosts file at all is not trust", () =>
    Effect.gen(function* () {
      const { client, sshd, config } = yield* makeScenario()
      yield* Effect.promise(() => import("node:fs/promises").then((fs) => fs.rm(`${config.keysDir}/known_hosts`)))
      yield* client.call("ssh_reload_config")
      const run = yield* client.call("ssh_run", { alias: "web1", command: "true" })
      assert.isTrue(run.isError)
      assert.notInclude(yield* sshd.log, "Accepted publickey")
    })
  )

  it.live("a host whose key changed, also when host_key_auto_add asks for trust", () =>
    Effect.gen(function* () {
      const { client, sshd } = yield* makeScenario({ limits: { host_key_auto_add: true, require_known_host: false } })
      yield* sshd.restart({ newHostKeys: true })
      yield* expectFailure(client, "SSH host key verification failed: Host key mismatch")
      assert.notInclude(yield* sshd.log, "Accepted publickey")
    })
  )

  it.live("a host whose key changed after a warm connection was lost", () =>
    Effect.gen(function* () {
      const { client, sshd } = yield* makeScenario()
      assert.strictEqual((yield* client.call("ssh_run", { alias: "web1", command: "true" })).json["exit_code"], 0)
      yield* sshd.restart({ newHostKeys: true })
      const run = yield* client.call("ssh_run", { alias: "web1", command: "true" })
      assert.isTrue(run.isError)
      assert.match(String(run.json["status_message"]), /^SSH host key verification failed: Host key mismatch/)
    })
  )

  it.live("a warm connection that the server dropped is replaced", () =>
    Effect.gen(function* () {
      const { client, sshd } = yield* makeScenario()
      assert.strictEqual((yield* client.call("ssh_run", { alias: "web1", command: "true" })).json["exit_code"], 0)
      yield* sshd.restart()
      assert.strictEqual((yield* client.call("ssh_run", { alias: "web1", command: "true" })).json["exit_code"], 0)
    })
  )

  it.live("a port where nothing listens", () =>
    Effect.gen(function* () {
      const { client, sshd } = yield* makeScenario()
      yield* sshd.kill
      yield* expectFailure(client, "SSH connection refused: Port may be closed or firewall blocking")
    })
  )

  it.live("a port that accepts TCP and never speaks", () =>
    Effect.gen(function* () {
      const silent = yield* openSilentPort
      const { client } = yield* makeScenario({
        hosts: [{ alias: "silent", port: silent.port }],
        limits: { connect_timeout_seconds: 1 }
      })
      const before = performance.now()
      yield* expectFailure(client, "SSH connection timeout: Host did not respond", "silent")
      assert.isBelow(performance.now() - before, 6000, "one second for each of the two attempts, and slack")
      assert.isAtLeast(silent.accepted(), 1)
      assert.strictEqual((yield* client.call("ssh_run", { alias: "web1", command: "true" })).json["exit_code"], 0)
    })
  )

  it.live("a silent host does not hold up the others", () =>
    Effect.gen(function* () {
      const silent = yield* openSilentPort
      const { client } = yield* makeScenario({
        hosts: [{ alias: "silent", port: silent.port }],
        limits: { connect_timeout_seconds: 3 }
      })
      const answer = yield* client.call("ssh_run_on_tag", { tag: "all", command: "echo hi" })
      assert.isFalse(answer.isError, "one success")
      assert.deepInclude(answer.json["summary"], { total_hosts: 2, successful: 1, failed: 1 })
    })
  )

  it.live("a name that does not resolve is a denial of the network", () =>
    Effect.gen(function* () {
      const { client } = yield* makeScenario({ hosts: [{ alias: "ghost", host: "no-such-host.invalid" }] })
      const run = yield* client.call("ssh_run", { alias: "ghost", command: "true" })
      assert.isTrue(run.isError)
      assert.deepInclude(run.json, {
        status: "denied",
        reason: "network",
        alias: "ghost",
        detail: "DNS resolution failed",
        hint: "Hint: Use ssh_plan to review host restrictions, check the SSH Orchestrator prompts, or discuss updating policy/network rules."
      })
    })
  )

  it.live("a blocked address is never dialled, not by a ping either", () =>
    Effect.gen(function* () {
      const { client, sshd } = yield* makeScenario({ network: { block_cidrs: ["127.0.0.0/8"] } })
      const run = yield* client.call("ssh_run", { alias: "web1", command: "true" })
      assert.isTrue(run.isError)
      assert.deepInclude(run.json, {
        status: "denied",
        reason: "network",
        detail: "No resolved IPs allowed by policy.network"
      })
      assert.strictEqual((yield* client.call("ssh_ping", { alias: "web1" })).json["status"], "denied")
      const plan = yield* client.call("ssh_plan", { alias: "web1", command: "true" })
      assert.deepInclude(plan.json["network"], { allowed: false })
      assert.notInclude(yield* sshd.log, "Connection from")
      assert.deepStrictEqual(yield* client.log.matching({ type: "audit" }), [], "never admitted")
    })
  )

  it.live("an allow list admits its members only", () =>
    Effect.gen(function* () {
      const { client } = yield* makeScenario({
        network: { allow_ips: ["127.0.0.1"] },
        hosts: [{ alias: "elsewhere", host: "127.0.0.2" }]
      })
      assert.strictEqual((yield* client.call("ssh_run", { alias: "web1", command: "true" })).json["exit_code"], 0)
      const denied = yield* client.call("ssh_run", { alias: "elsewhere", command: "true" })
      assert.deepInclude(denied.json, { status: "denied", reason: "network" })
    })
  )

  it.live("a denied command reaches nothing and says what to do", () =>
    Effect.gen(function* () {
      const { client, sshd, command, config } = yield* makeScenario()
      const text = command("forbidden")
      for (const name of ["ssh_run", "ssh_run_async"]) {
        const denied = yield* client.call(name, { alias: "web1", command: text })
        assert.isTrue(denied.isError)
        assert.deepInclude(denied.json, {
          status: "denied",
          reason: "policy",
          alias: "web1",
          hint: "Hint: Use ssh_plan to inspect allowed commands, review the SSH Orchestrator prompts, or ask if the policy should be updated."
        })
      }
      for (const sneaky of [
        `true; ${text}`,
        `true && ${text}`,
        `true | ${text}`,
        `echo $(${text})`,
        `echo \`${text}\``,
        `true & ${text}`,
        `true\n${text}`,
        `echo x > ${config.workDir}/reached`,
        `X=1 ${text}`,
        `env ${text}`,
        `sh -c ${text}`,
        `. ${text}`
      ]) {
        const denied = yield* client.call("ssh_run", { alias: "web1", command: sneaky })
        assert.isTrue(denied.isError, sneaky)
        assert.strictEqual(denied.json["status"], "denied", sneaky)
      }
      assert.strictEqual(config.left("reached"), "")
      assert.notInclude(yield* sshd.log, "Connection from")
      assert.deepStrictEqual(yield* client.log.matching({ type: "audit" }), [])
      const decisions = yield* client.log.matching({ type: "policy_decision", allowed: false })
      assert.strictEqual(decisions.length, 14)
    })
  )

  it.live("known_hosts is matched as OpenSSH does: hashed names, negation, revocation", () =>
    Effect.gen(function* () {
      const { client, sshd, config } = yield* makeScenario()
      const line = yield* sshd.knownHosts
      const key = line.slice(line.indexOf(" ") + 1)
      const name = `[127.0.0.1]:${sshd.port}`
      const fs = yield* Effect.promise(() => import("node:fs"))
      const { execFileSync } = yield* Effect.promise(() => import("node:child_process"))
      const hashed = `${config.root}/hashed`
      fs.writeFileSync(hashed, `${line}\n`)
      execFileSync("ssh-keygen", ["-q", "-H", "-f", hashed], { stdio: "ignore" })
      const cases: ReadonlyArray<readonly [text: string, outcome: string]> = [
        [fs.readFileSync(hashed, "utf8"), ""],
        [`[127.0.0.*]:${sshd.port} ${key}\n`, ""],
        [`!${name},[127.0.0.*]:${sshd.port} ${key}\n`, "SSH host key not found"],
        [`@revoked ${name} ${key}\n${line}\n`, "SSH host key verification failed"],
        [`@cert-authority ${name} ${key}\n`, "SSH host key not found"]
      ]
      for (const [text, outcome] of cases) {
        yield* config.writeKnownHosts(text)
        assert.isFalse((yield* client.call("ssh_reload_config")).isError)
        const run = yield* client.call("ssh_run", { alias: "web1", command: "true" })
        if (outcome === "") assert.strictEqual(run.json["exit_code"], 0, text)
        else assert.isTrue(String(run.json["status_message"]).startsWith(outcome), `${text}: ${run.text}`)
      }
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { makeScenario } from "./Scenario.ts"

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

/** Characters that a terminal or a line-based reader would act on. */
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

describe("log and audit", () => {
  it.live("every admitted task leaves exactly one audit record with the fields of the contract", () =>
    Effect.gen(function* () {
      const { client, command } = yield* makeScenario()
      const run = yield* client.call("ssh_run", { alias: "web1", command: "true" })
      const audit = yield* client.log.waitFor({ type: "audit" })
      assert.match(String(audit["ts"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/)
      assert.isString(audit["level"])
      assert.deepInclude(audit, {
        type: "audit",
        task_id: run.json["task_id"],
        alias: "web1",
        hash: sha256("true").slice(0, 16),
        command_sha256: sha256("true"),
        exit_code: 0,
        bytes_out: 0,
        bytes_err: 0,
        cancelled: false,
        timeout: false,
        target_ip: "127.0.0.1",
        decision_rule: "programs",
        client: "mcp:e2e"
      })
      assert.isNumber(audit["duration_ms"])
      const killed = yield* client.call("ssh_run", { alias: "web1", command: command("killself") })
      const second = yield* client.log.waitFor({ type: "audit", task_id: killed.json["task_id"] })
      assert.deepInclude(second, { exit_code: -1, exit_signal: "KILL", bytes_out: 6 })
      yield* client.call("ssh_run", { alias: "web1", command: command("exit3") })
      yield* client.call("ssh_run_on_tag", { tag: "web", command: "true" })
      const ended = yield* client.call("ssh_run_async", { alias: "web1", command: "true" })
      yield* client.call("ssh_get_task_result", { task_id: ended.json["task_id"], wait_seconds: 10 })
      yield* client.log.waitFor({ type: "audit", task_id: ended.json["task_id"] })
      const audits = yield* client.log.matching({ type: "audit" })
      assert.strictEqual(audits.length, 5)
      assert.strictEqual(new Set(audits.map((record) => record["task_id"])).size, 5)

      const decision = yield* client.log.waitFor({ type: "policy_decision", allowed: true })
      assert.deepInclude(decision, { alias: "web1", hash: sha256("true").slice(0, 16), rule: "programs" })
      const transitions = yield* client.log.matching({ type: "task", task_id: run.json["task_id"] })
      assert.deepStrictEqual(
        transitions.map((record) => [record["from"], record["to"]]),
        [
          ["pending", "running"],
          ["running", "completed"]
        ]
      )
    })
  )

  it.live("every line on stderr is a JSON object with ts, level and type", () =>
    Effect.gen(function* () {
      const { client, command } = yield* makeScenario({ environment: { MCP_SSH_LOG_LEVEL: "trace" } })
      yield* client.call("ssh_run", { alias: "web1", command: command("exit3") })
      yield* client.call("ssh_run", { alias: "web1", command: command("forbidden") })
      yield* client.call("ssh_run", { alias: "nosuch", command: "true" })
      yield* client.call("ssh_reload_config")
      yield* client.close
      assert.deepStrictEqual(yield* client.log.strangers, [])
      for (const record of yield* client.log.records) {
        assert.match(String(record["ts"]), /Z$/, JSON.stringify(record))
        assert.isString(record["level"], JSON.stringify(record))
        assert.isString(record["type"], JSON.stringify(record))
      }
    })
  )

  it.live("the log level never hides decisions and audit records", () =>
    Effect.gen(function* () {
      const { client } = yield* makeScenario({ environment: { MCP_SSH_LOG_LEVEL: "error" } })
      yield* client.call("ssh_run", { alias: "web1", command: "true" })
      yield* client.log.waitFor({ type: "audit" })
      yield* client.log.waitFor({ type: "policy_decision" })
    })
  )

  it.live("no record holds command text, output or a secret", () =>
    Effect.gen(function* () {
      const { client, command } = yield* makeScenario({ environment: { MCP_SSH_LOG_LEVEL: "trace" } })
      yield* client.call("ssh_run", { alias: "web1", command: "echo Xq7-in-the-command" })
      yield* client.call("ssh_run", { alias: "web1", command: 'mysql -pS3cret -e "select 1"' })
      yield* client.call("ssh_run", { alias: "web1", command: command("escapes") })
      yield* client.call("ssh_run_async", { alias: "web1", command: "echo Xq7-in-the-command" })
      yield* client.call("ssh_plan", { alias: "web1", command: "mysql -pS3cret" })
      yield* client.close
      const text = (yield* client.log.lines).join("\n")
      for (const leak of ["Xq7", "S3cret", "mysql", "APPROVED", "PRIVATE KEY", "escapes"]) assert.notInclude(text, leak)
    })
  )

  it.live("MCP_SSH_LOG_COMMANDS=true adds the command, escaped", () =>
    Effect.gen(function* () {
      const { client } = yield* makeScenario({ environment: { MCP_SSH_LOG_COMMANDS: "true" } })
      yield* client.call("ssh_run", { alias: "web1", command: "echo 'two\nlines'" })
      const audit = yield* client.log.waitFor({ type: "audit" })
      assert.match(String(audit["command"]), /echo/)
      assert.notMatch(String(audit["command"]), UNSAFE)
      assert.deepStrictEqual(yield* client.log.strangers, [])
    })
  )

  it.live("hostile text in a call cannot forge or garble a record", () =>
    Effect.gen(function* () {
      const { client, sshd } = yield* makeScenario({
        environment: { MCP_SSH_LOG_COMMANDS: "true", MCP_SSH_LOG_LEVEL: "trace" }
      })
      const hostile = [
        'uptime\u2028{"x":1}',
        "uptime\u001b[1A\u001b[2K",
        'uptime\n{"type":"audit","task_id":"forged"}',
        "uptime \u202etxt.exe"
      ]
      for (const text of hostile) {
        assert.isTrue((yield* client.call("ssh_run", { alias: "web1", command: text })).isError)
        assert.isTrue((yield* client.call("ssh_run", { alias: text, command: "true" })).isError)
        assert.isTrue((yield* client.call("ssh_run_on_tag", { tag: text, command: "true" })).isError)
        yield* client.call("ssh_cancel_task", { task_id: text })
      }
      yield* client.close
      assert.deepStrictEqual(yield* client.log.strangers, [])
      for (const line of yield* client.log.lines) assert.notMatch(line, UNSAFE)
      assert.deepStrictEqual(yield* client.log.matching({ task_id: "forged" }), [])
      assert.notInclude(yield* sshd.log, "Connection from")
    })
  )

  it.live("a wrong passphrase is named without the passphrase or the key", () =>
    Effect.gen(function* () {
      const { client, config, sshd } = yield* makeScenario({ environment: { MCP_SSH_LOG_LEVEL: "trace" } })
      const locked = yield* sshd.makeKey("locked", { passphrase: "right-Zebra-42" })
      const fs = yield* Effect.promise(() => import("node:fs"))
      fs.writeFileSync(`${config.keysDir}/locked`, locked.pem, { mode: 0o600 })
      fs.writeFileSync(`${config.secretsDir}/pass`, "wrong-Zebra-43\n", { mode: 0o600 })
      yield* config.writeCredentials([
        { name: "key", username: sshd.user, key_path: "locked", key_passphrase_secret: "pass" }
      ])
      const reload = yield* client.call("ssh_reload_config")
      const run = yield* client.call("ssh_run", { alias: "web1", command: "true" })
      assert.isTrue(run.isError)
      const ping = yield* client.call("ssh_ping")
      yield* client.close
      const all = [reload.text, run.text, ping.text, ...(yield* client.log.lines)].join("\n")
      for (const secret of ["Zebra", "BEGIN OPENSSH", ...locked.pem.split("\n").slice(1, 4)]) {
        assert.notInclude(all, secret)
      }
      assert.match(run.text, /SSH key requires passphrase: Provide key_passphrase_secret/)
    })
  )

  it.live("the right passphrase logs in", () =>
    Effect.gen(function* () {
      const { client, config, sshd } = yield* makeScenario({
        environment: { MCP_SSH_SECRET_LOCKED_PASS: "right-Zebra-42" }
      })
      const locked = yield* sshd.makeKey("locked", { passphrase: "right-Zebra-42" })
      yield* sshd.authorize(locked.publicKey)
      const fs = yield* Effect.promise(() => import("node:fs"))
      fs.writeFileSync(`${config.keysDir}/locked`, locked.pem, { mode: 0o600 })
      yield* config.writeCredentials([
        { name: "key", username: sshd.user, key_path: "locked", key_passphrase_secret: "locked_pass" }
      ])
      assert.isFalse((yield* client.call("ssh_reload_config")).isError)
      const run = yield* client.call("ssh_run", { alias: "web1", command: "true" })
      assert.strictEqual(run.json["exit_code"], 0, run.text)
    })
  )
})

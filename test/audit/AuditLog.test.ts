import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { TestConsole } from "effect/testing"
import { AuditLog, type AuditRecord } from "../../src/audit/AuditLog.ts"
import * as JsonLogger from "../../src/audit/JsonLogger.ts"

const record: AuditRecord = {
  task_id: "web:0123456789abcdef:00000000000000000000000000",
  alias: "web",
  hash: "0123456789abcdef",
  command_sha256: "f".repeat(64),
  command: "echo 'hidden'\n",
  exit_code: 0,
  duration_ms: 5,
  bytes_out: 1,
  bytes_err: 0,
  cancelled: false,
  timeout: false,
  target_ip: "192.0.2.1",
  decision_rule: "r1",
  client: "mcp:evil\u001b[2J\u2028{}"
}

const logging = (commands: string | undefined) =>
  AuditLog.layer.pipe(
    Layer.provide(
      ConfigProvider.layer(ConfigProvider.fromUnknown(commands === undefined ? {} : { MCP_SSH_LOG_COMMANDS: commands }))
    )
  )

const writeBoth = Effect.gen(function* () {
  const audit = yield* AuditLog
  yield* audit.task(record)
  yield* audit.decision({
    alias: "web",
    hash: "h",
    allowed: false,
    rule: "",
    reason: "policy",
    command: record.command
  })
})

describe("AuditLog", () => {
  for (const value of [undefined, "false", "nonsense"]) {
    it.effect(`writes no command text when MCP_SSH_LOG_COMMANDS is ${value ?? "unset"}`, () =>
      Effect.gen(function* () {
        yield* writeBoth.pipe(Effect.provide(logging(value)))
        const lines = (yield* TestConsole.errorLines).join("\n")
        assert.include(lines, record.task_id)
        assert.notInclude(lines, "hidden")
        assert.notInclude(lines, `"command":`)
      })
    )
  }

  it.effect("writes it, escaped, when the operator asks for it", () =>
    Effect.gen(function* () {
      yield* writeBoth.pipe(Effect.provide(logging("true")))
      for (const line of yield* TestConsole.errorLines) assert.include(String(line), `"command":"echo 'hidden'\\n"`)
    })
  )

  it.effect("every record is one printable line with its type, whatever a client calls itself", () =>
    Effect.gen(function* () {
      yield* Effect.gen(function* () {
        const audit = yield* AuditLog
        yield* audit.task(record)
        yield* audit.transition({ task_id: "t", alias: "web", hash: "h", from: "pending", to: "running" })
        yield* audit.securityEvent("host_key_mismatch", { alias: "web" })
        yield* audit.config({ hosts: 3 })
      }).pipe(Effect.provide(logging(undefined)))
      const lines = (yield* TestConsole.errorLines).map(String)
      for (const line of lines) assert.match(line, /^[\x20-\x7e]+$/)
      const heads = lines
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .map(({ level, type }) => [level, type])
      assert.deepStrictEqual(heads, [
        ["info", "audit"],
        ["info", "task"],
        ["warn", "security_event"],
        ["info", "config"]
      ])
      assert.deepStrictEqual(yield* TestConsole.logLines, [])
    })
  )

  it.effect("is never filtered by the log level", () =>
    Effect.gen(function* () {
      yield* Effect.flatMap(AuditLog, (audit) => audit.task(record)).pipe(
        Effect.provide(Layer.merge(logging(undefined), JsonLogger.layer("None")))
      )
      assert.lengthOf(yield* TestConsole.errorLines, 1)
    })
  )
})

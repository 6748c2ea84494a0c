import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Layer, Redacted } from "effect"
import { TestConsole } from "effect/testing"
import { AuditLog } from "../../src/audit/AuditLog.ts"
import * as JsonLogger from "../../src/audit/JsonLogger.ts"
import { corpus } from "../e2e/Corpus.ts"

const layer = Layer.merge(AuditLog.layer, JsonLogger.layer("Trace"))

/** Writes `text` wherever something that is not ours can get into a record. */
const writeEverywhere = Effect.fnUntraced(function* (text: string) {
  const audit = yield* AuditLog
  yield* audit.task({
    task_id: text,
    alias: text,
    hash: text,
    command_sha256: "",
    command: text,
    exit_code: 0,
    exit_signal: text,
    duration_ms: 0,
    bytes_out: 0,
    bytes_err: 0,
    cancelled: false,
    timeout: false,
    target_ip: text,
    decision_rule: text,
    client: text
  })
  yield* audit.securityEvent(text, { alias: text, detail: text, [text]: text })
  yield* audit.config({ [text]: [text, { [text]: text }] })
  yield* Effect.logWarning({ type: text, alias: text, failure: text, detail: text })
  yield* Effect.logError(text, { [text]: text }, Cause.die(new Error(text))).pipe(Effect.annotateLogs(text, text))
})

describe("the corpus of bad inputs, log", () => {
  for (const line of corpus("log")) {
    const text = String(line.input)
    it.effect(`${line.id}: ${line.why}`, () =>
      Effect.gen(function* () {
        yield* writeEverywhere(text).pipe(Effect.provide(layer))
        const lines = (yield* TestConsole.errorLines).map(String)
        assert.lengthOf(lines, 5)
        for (const written of lines) {
          assert.match(written, /^[\x20-\x7e]+$/)
          assert.isObject(JSON.parse(written))
        }
        assert.deepStrictEqual(yield* TestConsole.logLines, [])
      })
    )
  }

  it.effect("a command's text is in no record, only its hash", () =>
    Effect.gen(function* () {
      yield* Effect.flatMap(AuditLog, (audit) =>
        audit.decision({
          alias: "web",
          hash: "h",
          allowed: true,
          rule: "r",
          reason: "rule",
          command: "mysql -pS3cret -e 'select 1'"
        })
      ).pipe(Effect.provide(layer))
      assert.notInclude((yield* TestConsole.errorLines).join("\n"), "S3cret")
    })
  )

  it.effect("a secret that gets into a record by mistake is hidden", () =>
    Effect.gen(function* () {
      yield* Effect.logError("failed", { login: { password: Redacted.make("S3cret") } }).pipe(Effect.provide(layer))
      assert.notInclude((yield* TestConsole.errorLines).join("\n"), "S3cret")
    })
  )
})

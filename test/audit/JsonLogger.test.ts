import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect } from "effect"
import { TestConsole } from "effect/testing"
import * as JsonLogger from "../../src/audit/JsonLogger.ts"

const written = Effect.map(TestConsole.errorLines, (lines) =>
  lines.map((line) => JSON.parse(String(line)) as Record<string, unknown>)
)

describe("JsonLogger", () => {
  it.effect("a text is the message of a record of type log, on stderr and nowhere else", () =>
    Effect.gen(function* () {
      yield* Effect.logInfo("hello", 3).pipe(
        Effect.annotateLogs("task_id", "t"),
        Effect.provide(JsonLogger.layer("Info"))
      )
      const [record] = yield* written
      assert.deepInclude(record, { level: "info", type: "log", task_id: "t", message: "hello 3" })
      assert.match(String(record?.["ts"]), /^\d{4}-\d\d-\d\dT/)
      assert.deepStrictEqual(yield* TestConsole.logLines, [])
    })
  )

  it.effect("an object's fields become the record's, its type included", () =>
    Effect.gen(function* () {
      yield* Effect.logWarning({ type: "config", event: "reload", hosts: 3 }).pipe(
        Effect.provide(JsonLogger.layer("Info"))
      )
      const [record] = yield* written
      const { ts: _ts, ...fields } = record ?? {}
      assert.deepStrictEqual(fields, { level: "warn", type: "config", event: "reload", hosts: 3 })
    })
  )

  it.effect("a cause is a field of the same line", () =>
    Effect.gen(function* () {
      yield* Effect.logError("stopped", Cause.die(new Error("boom\nline"))).pipe(
        Effect.provide(JsonLogger.layer("Info"))
      )
      const [record, ...more] = yield* written
      assert.deepStrictEqual(more, [])
      assert.include(String(record?.["cause"]), "boom")
    })
  )

  it.effect("records below the minimum level are not written", () =>
    Effect.gen(function* () {
      yield* Effect.all([Effect.logDebug("no"), Effect.logInfo("no"), Effect.logError("yes")]).pipe(
        Effect.provide(JsonLogger.layer("Warn"))
      )
      assert.deepStrictEqual(
        (yield* written).map(({ message }) => message),
        ["yes"]
      )
    })
  )
})

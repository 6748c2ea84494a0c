import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { makeEndedCalls } from "../../../src/mcp/tasks/EndedCalls.ts"
import { withWallClock } from "../../support/WallClock.ts"

describe("calls that ended before they became a task", () => {
  it.effect("are kept for their ttl when the wall clock is set back or forward meanwhile, and dated by it", () =>
    withWallClock((set) =>
      Effect.gen(function* () {
        const ended = yield* makeEndedCalls
        yield* set(3_600_000)
        const call = ended.add("ssh_run", { _tag: "Rejected", text: "no such host" }, Option.some(30_000))
        const { createdAt, taskId } = yield* call
        assert.strictEqual(createdAt, "1970-01-01T01:00:00.000Z")
        yield* set(7_200_000)
        yield* TestClock.adjust("29 seconds")
        assert.isTrue(Option.isSome(yield* ended.find(taskId)))
        yield* set(-10_800_000)
        yield* TestClock.adjust("1 second")
        assert.isTrue(Option.isNone(yield* ended.find(taskId)))
      })
    )
  )
})

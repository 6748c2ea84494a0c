import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ConnectionPool } from "../../src/ssh/pool/ConnectionPool.ts"
import * as Sshd from "../support/Sshd.ts"
import { makeRecorder, poolLayer, targetOf } from "../support/SshFixtures.ts"

/** Runs `count` commands at once on one sshd with its default MaxSessions and MaxStartups; gives what each printed. */
const runMany = Effect.fnUntraced(function* (count: number) {
  const sshd = yield* Sshd.start({ config: ["MaxSessions 10", "MaxStartups 10:30:100"] })
  const target = yield* targetOf(sshd)
  const pool = yield* ConnectionPool
  const printed = yield* Effect.forEach(
    Array.from({ length: count }, (_, n) => n),
    (n) =>
      Effect.gen(function* () {
        const recorder = yield* makeRecorder
        const exit = yield* Effect.scoped(
          Effect.flatMap(pool.start(recorder.options(target, `echo ${n}`)), (process) => process.wait)
        )
        assert.deepStrictEqual(exit, { _tag: "Exited", code: 0 })
        assert.deepStrictEqual(yield* recorder.stops, [])
        return (yield* recorder.stdout).trim()
      }),
    { concurrency: "unbounded" }
  )
  const connections = (yield* sshd.log).split("Accepted publickey").length - 1
  return { printed, connections, left: yield* sshd.processes }
})

describe("many commands on one stock sshd", () => {
  for (const count of [20, 500]) {
    it.live(
      `${count} at once all succeed, none is lost, and at most eight connections are made`,
      () =>
        Effect.gen(function* () {
          const { connections, left, printed } = yield* runMany(count)
          assert.deepStrictEqual(
            printed,
            Array.from({ length: count }, (_, n) => String(n))
          )
          assert.isAtMost(connections, 8)
          assert.deepStrictEqual(
            left.filter(({ command }) => !command.startsWith("sshd")),
            []
          )
        }).pipe(Effect.provide(poolLayer), Effect.scoped),
      120_000
    )
  }
})

import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import type { HostPlan } from "../../../src/simulation/hosts/HostPlan.ts"
import { bastion, fault, host, NOTHING_HELD, onFleet, only, targetOf } from "./FleetHarness.ts"

describe("SimulatedConnection", () => {
  /** Runs a command on a host behind another. */
  const behind = (web: HostPlan, jump: HostPlan, command = "echo k1") =>
    onFleet([web, jump], (bench) =>
      Effect.gen(function* () {
        const answer = yield* Effect.result(bench.run(targetOf(web, targetOf(jump)), command))
        yield* Effect.sleep("15 minutes")
        return {
          outcome: Result.isSuccess(answer) ? answer.success.stdout : answer.failure.failure,
          because: Result.isFailure(answer) ? answer.failure.because : undefined,
          held: bench.fleet.counts()
        }
      })
    )

  it("a host behind a jump host is reached through it, also by its name alone", () => {
    for (const web of [host(), host({ addresses: [] })]) {
      const { events, value } = behind(web, bastion())
      assert.deepStrictEqual(value, { outcome: "k1\n", because: undefined, held: NOTHING_HELD })
      assert.deepStrictEqual(
        only(events, "ConnectStarted").map(({ alias, via }) => [alias, via]),
        [
          ["bastion", undefined],
          ["web", "bastion"]
        ]
      )
    }
  })

  it.each([
    [fault("auth-failed", "auth", { times: 99 }), "AuthenticationFailed"],
    [fault("connect-timeout", "tcp", { times: 99 }), "ConnectTimeout"],
    [fault("channel-refused", "channel", { times: 99 }), undefined],
    [fault("connection-drop", "channel", { times: 99 }), "ConnectionLost"]
  ] as const)("%o of the jump host is the jump host's failure", (planned, because) => {
    const { value } = behind(host(), bastion({ faults: [planned] }))
    assert.deepStrictEqual(value, { outcome: "JumpHostFailed", because, held: NOTHING_HELD })
  })

  it("a fault of the host behind it is that host's own", () => {
    const { value } = behind(host({ faults: [fault("connect-refused", "tcp", { times: 99 })] }), bastion())
    assert.deepStrictEqual(value, { outcome: "ConnectionRefused", because: undefined, held: NOTHING_HELD })
  })

  it("a jump host that dies in the handshake fails as one, and while a command runs loses the connection", () => {
    const early = behind(host({ faults: [fault("jump-host-dies", "tcp")] }), bastion())
    assert.deepStrictEqual(early.value, {
      outcome: "JumpHostFailed",
      because: "ConnectionLost",
      held: NOTHING_HELD
    })
    const late = behind(host({ faults: [fault("jump-host-dies", "streaming")] }), bastion(), "sleep 20000 k1")
    assert.deepStrictEqual([late.value.outcome, late.value.held], ["ConnectionLost", NOTHING_HELD])
    assert.deepStrictEqual(
      only(late.events, "ConnectionLost")
        .map(({ alias }) => alias)
        .toSorted(),
      ["bastion", "web"]
    )
  })

  it("a silence of the jump host holds back what comes from behind it", () => {
    const jump = bastion({ faults: [fault("host-silent", "streaming", { millis: 30_000 })] })
    const web = host()
    const { value } = onFleet([web, jump], (bench) =>
      Effect.gen(function* () {
        const other = yield* Effect.forkChild(Effect.result(bench.run(targetOf(jump), "sleep 1000 k1")))
        const { stdout } = yield* bench.run(targetOf(web, targetOf(jump)), "ticks 40 100 k2")
        const at = bench.now()
        yield* Fiber.await(other)
        return { stdout, at }
      })
    )
    assert.isTrue(value.stdout.endsWith("line 40\n"))
    assert.isTrue(value.at >= 30_000 && value.at < 36_000, String(value.at))
  })
})

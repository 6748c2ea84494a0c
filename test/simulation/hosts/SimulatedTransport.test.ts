import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Result } from "effect"
import type { SshFailure } from "../../../src/ssh/errors.ts"
import { runText } from "../../../src/ssh/process/RemoteCommand.ts"
import { FAULT_STAGES, FaultKind, type PlannedFault } from "../../../src/simulation/hosts/Faults.ts"
import { FORBIDDEN_ADDRESS, type HostPlan } from "../../../src/simulation/hosts/HostPlan.ts"
import { fault, host, NOTHING_HELD, onFleet, only, targetOf } from "./FleetHarness.ts"

/** What a command on a host with one fault comes to: its exit, or the failure; and what is left a quarter of an hour later. */
const runWith = (planned: PlannedFault, command: string, seed = 1) => {
  const web = host({ faults: [planned] })
  return onFleet(
    [web],
    (bench) =>
      Effect.gen(function* () {
        const answer = yield* Effect.result(bench.run(targetOf(web), command))
        yield* Effect.sleep("15 minutes")
        return {
          answer,
          held: bench.fleet.counts(),
          struck: bench.fleet.faults().get(planned.kind)?.get(planned.stage) ?? 0
        }
      }),
    seed
  )
}

describe("SimulatedTransport", () => {
  it("runs a command through the product's own wrapper and gives its output and exit", () => {
    for (const shell of ["posix", "other", "foreign"] as const) {
      const web = host({ shell })
      const { events, value } = onFleet([web], ({ run }) =>
        Effect.all([run(targetOf(web), "echo a b"), run(targetOf(web), "fail 3 k1"), run(targetOf(web), "die SEGV k2")])
      )
      assert.deepStrictEqual(value, [
        { exit: { _tag: "Exited", code: 0 }, stdout: "a b\n", stderr: "" },
        { exit: { _tag: "Exited", code: 3 }, stdout: "", stderr: "failed as told\n" },
        { exit: { _tag: "Signalled", signal: "SEGV" }, stdout: "", stderr: "" }
      ])
      assert.deepStrictEqual(
        only(events, "ExecRequested").map(({ command }) => command),
        ["echo a b", "fail 3 k1", "die SEGV k2"]
      )
      assert.deepStrictEqual(only(events, "UnknownExec"), [])
    }
  })

  it("takes as long as the round trips of the handshake and the request", () => {
    const millis = (latencyMillis: number) => {
      const web = host({ latencyMillis })
      return onFleet([web], (bench) => Effect.map(bench.run(targetOf(web), "echo k1"), bench.now)).value
    }
    assert.isBelow(millis(0), 5)
    const slow = millis(1_000)
    assert.isTrue(slow >= 4_000 && slow <= 6_100, String(slow))
  })

  /** The failure that each fault of a handshake comes to, when it strikes at every attempt. */
  const handshakes: ReadonlyArray<[PlannedFault["kind"], PlannedFault["stage"], SshFailure]> = [
    ["connect-refused", "tcp", "ConnectionRefused"],
    ["connect-timeout", "tcp", "ConnectTimeout"],
    ["network-unreachable", "tcp", "NetworkUnreachable"],
    ["banner-hang", "kex", "ConnectTimeout"],
    ["handshake-dropped", "kex", "ProtocolError"],
    ["handshake-dropped", "auth", "AuthenticationFailed"],
    ["connection-drop", "kex", "ProtocolError"],
    ["connection-drop", "host-key", "ProtocolError"],
    ["connection-drop", "auth", "AuthenticationFailed"],
    ["host-key-changed", "host-key", "HostKeyMismatch"],
    ["host-key-unknown", "host-key", "HostKeyUnknown"],
    ["auth-failed", "auth", "AuthenticationFailed"],
    ["channel-refused", "channel", "ChannelRefused"],
    ["connection-drop", "channel", "ConnectionLost"],
    ["connection-drop", "exec", "ConnectionLost"],
    ["exec-mute", "exec", "ConnectionLost"],
    ["exec-unanswered", "exec", "ConnectionLost"],
    ["login-refused", "exec", "ChannelRefused"],
    ["exit-unreported", "streaming", "ConnectionLost"]
  ]
  it.each(handshakes)("%s at %s makes a command fail with %s", (kind, stage, failure) => {
    const { value } = runWith(fault(kind, stage, { times: 1_000 }), "echo k1")
    assert.strictEqual(Result.isFailure(value.answer) ? value.answer.failure.failure : "no failure", failure)
    assert.isAtLeast(value.struck, 1)
    assert.deepStrictEqual(value.held, NOTHING_HELD)
  })

  /** Every cell that can be filled by a run without a jump host and without a stop. */
  const cells = FaultKind.literals.flatMap((kind) =>
    FAULT_STAGES[kind]
      .filter((stage) => stage !== "dns" && stage !== "stop" && stage !== "clock" && kind !== "jump-host-dies")
      .map((stage) => [kind, stage] as const)
  )
  it.each(cells)("%s at %s strikes once, and leaves nothing open", (kind, stage) => {
    const { events, value } = runWith(fault(kind, stage), "ticks 5 1000 k1")
    assert.strictEqual(value.struck, 1)
    assert.deepStrictEqual(only(events, "FaultStruck"), [{ _tag: "FaultStruck", alias: "web", kind, stage }])
    assert.deepStrictEqual(value.held, NOTHING_HELD)
    const started = only(events, "ConnectStarted").length
    const over = [...only(events, "ConnectFailed"), ...only(events, "ConnectAbandoned"), ...only(events, "Connected")]
    assert.strictEqual(over.length, started)
    assert.strictEqual(only(events, "ConnectionClosed").length, only(events, "Connected").length)
  })

  it("tells what a process sent, and what was read of it", () => {
    for (const kind of ["slow-output", "bursty-output", "flood", "partial-utf8"] as const) {
      const { events, value } = runWith(fault(kind, "streaming"), "lines 200 k1")
      assert.isTrue(Result.isSuccess(value.answer))
      if (Result.isFailure(value.answer)) continue
      const [ended] = only(events, "ProcessEnded")
      const [closed] = only(events, "ChannelClosed")
      assert.deepStrictEqual(ended?.sent, { stdout: value.answer.success.stdout.length, stderr: 0 }, kind)
      assert.deepStrictEqual(closed?.read, ended?.sent)
      assert.include(value.answer.success.stdout, "line 200\n")
    }
  })

  it("finds the header behind noise, and takes the noise for output", () => {
    const { events, value } = runWith(fault("noisy-login", "exec"), "echo k1")
    if (Result.isFailure(value.answer)) return assert.fail(String(value.answer.failure))
    const { stderr, stdout } = value.answer.success
    assert.strictEqual(stdout, "k1\n")
    assert.match(stderr, /^\*+$/)
    assert.deepStrictEqual(only(events, "ProcessEnded")[0]?.sent, { stdout: 3, stderr: stderr.length })
  })

  it("a process that writes more than is read waits", () => {
    const web = host()
    const { value } = onFleet([web], (bench) =>
      Effect.scoped(
        Effect.gen(function* () {
          const reading = yield* Deferred.make<void>()
          const process = yield* bench.start(targetOf(web), "flood 2000000 k1", {
            output: () => Deferred.await(reading)
          })
          yield* Effect.sleep("1 hour")
          const alive = bench.fleet.counts().processes
          yield* Deferred.succeed(reading, undefined)
          yield* process.wait
          return { alive, sent: only(bench.events, "ProcessEnded").map(({ sent }) => sent.stdout) }
        })
      )
    )
    assert.deepStrictEqual(value, { alive: 1, sent: [2_000_000] })
  })

  it("refuses a session above MaxSessions, also while a process of a closed channel lives", () => {
    const web = host({ maxSessions: 1 })
    const { events, value } = onFleet([web], (bench) =>
      Effect.scoped(
        Effect.gen(function* () {
          const first = yield* bench.start(targetOf(web), "sleep 5000 k1")
          const second = yield* Effect.forkChild(bench.run(targetOf(web), "echo k2"), { startImmediately: true })
          yield* first.wait
          return yield* Fiber.join(second)
        })
      )
    )
    assert.strictEqual(value.stdout, "k2\n")
    assert.isAtLeast(only(events, "Connected").length, 2)
  })

  it("a session is free again once its channel is closed and its process has ended", () => {
    const web = host({ maxSessions: 5 })
    const { events } = onFleet([web], (bench) =>
      Effect.forEach(
        Array.from({ length: 20 }, (_, n) => `echo k${n}`),
        (command) => Effect.andThen(bench.run(targetOf(web), command), Effect.sleep("10 millis"))
      )
    )
    assert.strictEqual(only(events, "Connected").length, 1)
    assert.strictEqual(only(events, "ProcessEnded").length, 20)
  })

  it.each([
    [1, [true, false, false]],
    [2, [true, true, false]]
  ] as const)(
    "a session that is kept ready is one of the %i that the host has, and the next command gets it",
    (maxSessions, expected) => {
      const web = host({ maxSessions })
      const { value } = onFleet([web], ({ fleet }) =>
        Effect.gen(function* () {
          const connection = yield* fleet.transport.connect(targetOf(web), Duration.seconds(5))
          yield* connection.keepReady?.(true) ?? Effect.die("a session can be kept")
          return yield* Effect.forEach(["a", "b", "c"], (digit) =>
            Effect.map(
              Effect.result(connection.exec(runText("posix", digit.repeat(32), "sleep 60000 k1"))),
              Result.isSuccess
            )
          )
        })
      )
      assert.deepStrictEqual(value, [...expected])
    }
  )

  it("a foreign shell does not understand the text for another, and no command starts", () => {
    const web = host({ shell: "foreign" })
    const { events, value } = onFleet([web], ({ fleet }) =>
      Effect.gen(function* () {
        const connection = yield* fleet.transport.connect(targetOf(web), Duration.seconds(5))
        const channel = yield* connection.exec(runText("posix", "0".repeat(32), "echo k1"))
        return yield* channel.exit
      })
    )
    assert.deepStrictEqual(value, { _tag: "Exited", code: 127 })
    assert.deepStrictEqual(only(events, "ProcessStarted"), [])
  })

  it("a text that the product does not make is told and runs nothing", () => {
    const web = host()
    const { events } = onFleet([web], ({ fleet }) =>
      Effect.gen(function* () {
        const connection = yield* fleet.transport.connect(targetOf(web), Duration.seconds(5))
        const channel = yield* connection.exec("echo k1")
        return yield* channel.exit
      })
    )
    assert.deepStrictEqual(
      only(events, "UnknownExec").map(({ text }) => text),
      ["echo k1"]
    )
    assert.deepStrictEqual(only(events, "ProcessStarted"), [])
  })

  it("a use of a connection that is lost is told, and nothing is sent", () => {
    const web = host({ faults: [fault("connection-drop", "streaming")] })
    const { events, value } = onFleet([web], ({ fleet }) =>
      Effect.gen(function* () {
        const connection = yield* fleet.transport.connect(targetOf(web), Duration.seconds(5))
        yield* connection.exec(runText("posix", "0".repeat(32), "sleep 60000 k1"))
        yield* connection.lost
        return yield* Effect.result(connection.exec(runText("posix", "1".repeat(32), "echo k2")))
      })
    )
    assert.isTrue(Result.isFailure(value) && value.failure.failure === "ChannelRefused")
    assert.deepStrictEqual(only(events, "ExecOnLost"), [
      { _tag: "ExecOnLost", alias: "web", connection: 1, tag: "1".repeat(32) }
    ])
    assert.strictEqual(only(events, "ExecRequested").length, 1)
  })

  it("a host that loses power takes its processes along, and is back after its time", () => {
    const web = host({ faults: [fault("host-vanishes", "streaming", { millis: 30_000 })] })
    const { events, value } = onFleet([web], (bench) =>
      Effect.gen(function* () {
        const lost = yield* Effect.result(bench.run(targetOf(web), "sleep 60000 k1"))
        const again = yield* bench.run(targetOf(web), "echo k2")
        return { lost, again, at: bench.now() }
      })
    )
    assert.isTrue(Result.isFailure(value.lost) && value.lost.failure.failure === "ConnectionLost")
    assert.strictEqual(value.again.stdout, "k2\n")
    assert.deepStrictEqual(only(events, "ProcessEnded")[0]?.end, { _tag: "HostLost" })
    assert.isBelow(value.at, 40_000)
  })

  it("a silence of the network ends with everything where it was", () => {
    const { events, value } = runWith(fault("host-silent", "streaming", { millis: 50_000 }), "ticks 10 100 k1")
    assert.isTrue(Result.isSuccess(value.answer) && value.answer.success.stdout.endsWith("line 10\n"))
    assert.deepStrictEqual(only(events, "ConnectionLost"), [])
  })

  it("a connection is lost after a minute of silence, and its process lives on", () => {
    const web = host({ faults: [fault("host-silent", "streaming", { millis: 150_000 })] })
    const { value } = onFleet([web], (bench) =>
      Effect.scoped(
        Effect.gen(function* () {
          const process = yield* bench.start(targetOf(web), "sleep 600000 k1")
          const exit = yield* Effect.result(process.wait)
          return { exit, at: bench.now(), alive: bench.fleet.counts().processes }
        })
      )
    )
    assert.isTrue(Result.isFailure(value.exit) && value.exit.failure.failure === "ConnectionLost")
    assert.strictEqual(value.alive, 1)
    assert.isTrue(value.at >= 60_000 && value.at < 65_000, String(value.at))
  })

  describe("names", () => {
    const lookup = (plan: HostPlan, name = plan.hostname) =>
      onFleet([plan], (bench) =>
        Effect.map(Effect.result(bench.fleet.dns.lookup(name)), (answer) => ({ answer, at: bench.now() }))
      ).value

    it("resolves the name of a host, whatever its case, and no other", () => {
      const web = host({ addresses: ["10.0.0.1", "fd00::1"] })
      assert.deepStrictEqual(lookup(web, "WEB.sim").answer, Result.succeed(["10.0.0.1", "fd00::1"]))
      assert.isTrue(Result.isFailure(lookup(web, "db.sim").answer))
      assert.isTrue(Result.isFailure(lookup(host({ addresses: [] })).answer))
    })

    it("is at fault as the plan says", () => {
      const at = (kind: PlannedFault["kind"]) => lookup(host({ faults: [fault(kind, "dns", { millis: 30_000 })] }))
      assert.isTrue(Result.isFailure(at("dns-failure").answer))
      assert.deepStrictEqual(at("dns-forbidden-address").answer, Result.succeed([FORBIDDEN_ADDRESS]))
      assert.isAtLeast(at("dns-hang").at, 30_000)
      assert.isAtLeast(at("slow-answer").at, 30_000)
    })
  })

  it("an address that no host has never answers", () => {
    const web = host()
    const { value } = onFleet([web], (bench) =>
      Effect.result(
        Effect.scoped(
          bench.start(targetOf(host({ addresses: ["10.9.9.9"] })), "echo k1", { budget: Duration.seconds(3) })
        )
      )
    )
    assert.isTrue(Result.isFailure(value) && value.failure.failure === "ConnectTimeout")
  })

  it("equal seeds give equal events, whatever goes wrong", () => {
    const faults = [
      fault("connection-drop", "streaming"),
      fault("slow-answer", "kex"),
      fault("partial-utf8", "streaming")
    ]
    const web = host({ faults, latencyMillis: 20 })
    const events = (seed: number) =>
      onFleet(
        [web],
        ({ run }) =>
          Effect.forEach(
            Array.from({ length: 20 }, (_, n) => `ticks 5 ${n * 50} k${n}`),
            (command) => Effect.result(run(targetOf(web), command)),
            { concurrency: 7 }
          ),
        seed
      ).events
    for (const seed of [1, 2, 3]) assert.deepStrictEqual(events(seed), events(seed))
    assert.notDeepEqual(events(1), events(2))
  })
})

import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Duration, Effect, Equal, Exit, Fiber, Hash, Layer, Redacted, Scope } from "effect"
import { EventEmitter } from "node:events"
import type { Client, ClientChannel } from "ssh2"
import { jumpHostFailed, type SshError, sshError } from "../../../src/ssh/errors.ts"
import { forwardFailure, forwardOn } from "../../../src/ssh/ssh2/Ssh2Tunnel.ts"
import { Ssh2Transport } from "../../../src/ssh/ssh2/Ssh2Transport.ts"
import { Target, type TargetFields } from "../../../src/ssh/Target.ts"
import { type Connection, Transport } from "../../../src/ssh/Transport.ts"

const target = (alias: string, more: Partial<TargetFields> = {}) =>
  new Target({
    alias,
    hostname: alias,
    address: "192.0.2.1",
    port: 22,
    login: { username: "root", digest: "one" },
    hostKeys: { paths: [], digest: "" },
    ...more
  })

describe("Target", () => {
  it("is another one for every difference anywhere in its chain, and the same for none", () => {
    const chain = (more: Partial<TargetFields> = {}) => target("c", { via: target("b", { via: target("a", more) }) })
    assert.isTrue(Equal.equals(chain(), chain()))
    assert.strictEqual(Hash.hash(chain()), Hash.hash(chain()))
    const differences: ReadonlyArray<Partial<TargetFields>> = [
      { address: "192.0.2.2" },
      { port: 23 },
      { hostname: "other" },
      { login: { username: "other", digest: "one" } },
      { login: { username: "root", digest: "two" } },
      { hostKeys: { paths: ["/x"], digest: "" } },
      { hostKeys: { paths: [], digest: "x" } },
      { via: target("z") }
    ]
    for (const difference of differences) {
      assert.isFalse(Equal.equals(chain(), chain(difference)), JSON.stringify(Object.keys(difference)))
    }
    assert.isFalse(Equal.equals(target("c"), target("c", { via: target("a") })))
    assert.deepStrictEqual(chain().hops, ["a", "b"])
    assert.deepStrictEqual(target("c").hops, [])
  })
})

describe("forwardFailure", () => {
  const cases: ReadonlyArray<readonly [reason: number | undefined, message: string, failure: string]> = [
    [1, "(SSH) Channel open failure: open failed", "JumpHostFailed"],
    [2, "(SSH) Channel open failure: Connection refused", "ConnectionRefused"],
    [2, "(SSH) Channel open failure: Connection timed out", "ConnectTimeout"],
    [2, "(SSH) Channel open failure: No route to host", "NetworkUnreachable"],
    [2, "(SSH) Channel open failure: Network is unreachable", "NetworkUnreachable"],
    [2, "(SSH) Channel open failure: Permission denied", "NetworkUnreachable"],
    [2, "(SSH) Channel open failure: Name or service not known", "ResolutionFailed"],
    [2, "(SSH) Channel open failure: Temporary failure in name resolution", "ResolutionFailed"],
    [2, "(SSH) Channel open failure: nodename nor servname provided, or not known", "ResolutionFailed"],
    [3, "(SSH) Channel open failure: unknown channel type", "JumpHostFailed"],
    [4, "(SSH) Channel open failure: resource shortage", "JumpHostFailed"],
    [undefined, "No free channels available", "JumpHostFailed"]
  ]
  for (const [reason, message, failure] of cases) {
    it(`names ${failure} for "${message}"`, () => {
      assert.strictEqual(forwardFailure("bastion", { message, reason }).failure, failure)
    })
  }
})

describe("jumpHostFailed", () => {
  it("keeps the jump host that failed first, and never claims that a command may have run", () => {
    const first = jumpHostFailed(sshError("one", "ConnectionLost", "read ECONNRESET 192.0.2.1"))
    assert.strictEqual(jumpHostFailed(first), first)
    assert.deepInclude(first, { failure: "JumpHostFailed", alias: "one", because: "ConnectionLost" })
    assert.include(first.message, "did not run")
    assert.notInclude(first.message, "unknown")
    assert.notInclude(first.message, "192.0.2.1")
  })
})

/** The part of a client that a tunnel uses: it keeps the callbacks for the test to answer. */
const makeClient = () => {
  const opened: Array<{ readonly to: string; readonly answer: (error: Error | undefined, stream?: unknown) => void }> =
    []
  const execs: Array<string> = []
  const client = {
    forwardOut: (_from: string, _fromPort: number, to: string, port: number, answer: (typeof opened)[0]["answer"]) => {
      opened.push({ to: `${to}:${port}`, answer })
    },
    exec: (command: string) => {
      execs.push(command)
    }
  }
  return { client: client as unknown as Client, opened, execs }
}

const makeStream = () => {
  const calls = { closed: 0 }
  const events = new EventEmitter()
  const stream = Object.assign(events, { close: () => calls.closed++ }) as unknown as ClientChannel
  return { stream, events, calls }
}

describe("a tunnel", () => {
  it.effect("closes its channel with its Scope, and asks once a connection for no delay", () =>
    Effect.gen(function* () {
      const { client, execs, opened } = makeClient()
      const forward = forwardOn({ client, alias: "bastion", lostBecause: () => undefined })
      for (const round of [0, 1]) {
        const { calls, events, stream } = makeStream()
        const scope = yield* Scope.make()
        const fiber = yield* Effect.forkChild(Scope.provide(forward("192.0.2.1", 22), scope), {
          startImmediately: true
        })
        opened[round]?.answer(undefined, stream)
        const tunnel = yield* Fiber.join(fiber)
        assert.strictEqual(tunnel.through, "bastion")
        assert.isFalse(tunnel.isClosed())
        assert.strictEqual(calls.closed, 0)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(calls.closed, 1)
        // As the library does once the host answered.
        events.emit("close")
        assert.isTrue(tunnel.isClosed())
        // Late, when no client listens: without a listener this would throw.
        events.emit("error", new Error("late"))
      }
      assert.deepStrictEqual(
        opened.map(({ to }) => to),
        ["192.0.2.1:22", "192.0.2.1:22"]
      )
      assert.deepStrictEqual(execs, ["true"])
    })
  )

  it.effect("closes a channel that opens after its caller gave up", () =>
    Effect.gen(function* () {
      const { client, opened } = makeClient()
      const { calls, stream } = makeStream()
      const forward = forwardOn({ client, alias: "bastion", lostBecause: () => undefined })
      const fiber = yield* Effect.forkChild(Effect.scoped(forward("192.0.2.1", 22)), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      opened[0]?.answer(undefined, stream)
      assert.strictEqual(calls.closed, 1)
    })
  )

  it.effect("of a jump host that is gone, or goes while it opens, fails with what became of that host", () =>
    Effect.gen(function* () {
      const { client, opened } = makeClient()
      let lost: SshError | undefined
      const forward = forwardOn({ client, alias: "bastion", lostBecause: () => lost })
      const fiber = yield* Effect.forkChild(Effect.flip(Effect.scoped(forward("192.0.2.1", 22))), {
        startImmediately: true
      })
      lost = sshError("bastion", "ConnectionLost", "Keepalive timeout")
      opened[0]?.answer(new Error("No response from server"))
      const expected = { failure: "JumpHostFailed", alias: "bastion", because: "ConnectionLost" } as const
      assert.deepInclude(yield* Fiber.join(fiber), expected)
      assert.deepInclude(yield* Effect.flip(Effect.scoped(forward("192.0.2.1", 22))), expected)
      assert.lengthOf(opened, 1)
    })
  )
})

describe("Transport.connect", () => {
  const transport = Ssh2Transport.layer.pipe(Layer.provide(NodeFileSystem.layer))
  const behind = target("inner", {
    via: target("bastion"),
    login: { username: "root", password: Redacted.make("x"), digest: "one" }
  })
  const refused = (through?: Connection) =>
    Effect.gen(function* () {
      const { connect } = yield* Transport
      return yield* Effect.flip(Effect.scoped(connect(behind, Duration.seconds(5), through)))
    }).pipe(Effect.provide(transport))

  it.live("never goes around a jump host", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* refused(), { failure: "JumpHostFailed", alias: "bastion" })
    })
  )

  it.live("tells what the jump host says about a host under that host's alias, and uses no tunnel of others", () =>
    Effect.gen(function* () {
      const through = (forward: Connection["forward"]): Connection => ({
        exec: () => Effect.die("not used"),
        lost: Effect.never,
        forward
      })
      const said = yield* refused(
        through((address, port) => Effect.fail(sshError("bastion", "ConnectionRefused", `${address}:${port}`)))
      )
      assert.deepInclude(said, { failure: "ConnectionRefused", alias: "inner", detail: "bastion: 192.0.2.1:22" })
      const foreign = yield* refused(through(() => Effect.succeed({ through: "bastion" })))
      assert.deepInclude(foreign, { failure: "JumpHostFailed", alias: "bastion" })
    })
  )
})

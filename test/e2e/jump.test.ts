import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Result, Scope } from "effect"
import { ConnectionPool } from "../../src/ssh/pool/ConnectionPool.ts"
import { Target, type TargetFields } from "../../src/ssh/Target.ts"
import { openSilentPort } from "../support/SilentPort.ts"
import { eventually, login, makeRecorder, poolLayer, runCommand, targetOf } from "../support/SshFixtures.ts"
import * as Sshd from "../support/Sshd.ts"
import { makeScenario } from "./Scenario.ts"

const change = (target: Target, changes: Partial<TargetFields>): Target => {
  const { address, alias, hostKeys, hostname, login, port, via } = target
  return new Target({ address, alias, hostKeys, hostname, login, port, via, ...changes })
}

/** The same host behind a jump host, under an alias of its own. */
const behind = (via: Target, target: Target, alias = target.alias): Target => change(target, { alias, via })

const count = (text: string, part: string): number => text.split(part).length - 1

/** Two servers, and the way through the first, `bastion`, to the second, `inner`. */
const twoServers = Effect.fnUntraced(function* (options: Sshd.SshdOptions = {}) {
  const [bastion, inner] = yield* Effect.all([Sshd.start(options), Sshd.start()], { concurrency: 2 })
  const hop = change(yield* targetOf(bastion), { alias: "bastion" })
  const target = behind(hop, yield* targetOf(inner), "inner")
  return { bastion, inner, hop, target }
})

/** The failure of a command, which must not succeed. */
const failureOf = (target: Target, budget: Duration.Input = "10 seconds") =>
  Effect.gen(function* () {
    const pool = yield* ConnectionPool
    const recorder = yield* makeRecorder
    return yield* Effect.flip(
      Effect.scoped(pool.start({ ...recorder.options(target, "true"), budget: Duration.fromInputUnsafe(budget) }))
    )
  }).pipe(Effect.provide(poolLayer))

describe("jump hosts", () => {
  it.live("a command runs behind a chain of two, each logged in to by its own key", () =>
    Effect.gen(function* () {
      const servers = yield* Effect.all([Sshd.start(), Sshd.start(), Sshd.start()], { concurrency: 3 })
      const one = yield* targetOf(servers[0])
      const two = behind(one, yield* targetOf(servers[1]), "two")
      const target = behind(two, yield* targetOf(servers[2]), "three")
      assert.deepStrictEqual(target.hops, ["test", "two"])
      const result = yield* runCommand(target, "echo $SSH_CONNECTION").pipe(Effect.provide(poolLayer))
      assert.deepStrictEqual(result.exit, { _tag: "Exited", code: 0 })
      assert.match(result.stdout, new RegExp(` 127\\.0\\.0\\.1 ${servers[2].port}\\n$`))
      for (const sshd of servers) assert.strictEqual(count(yield* sshd.log, "Accepted publickey"), 1)
    })
  )

  it.live("a wrong host key on a jump host fails what is behind it, which is never reached", () =>
    Effect.gen(function* () {
      const { bastion, inner, target } = yield* twoServers()
      yield* bastion.restart({ newHostKeys: true })
      const error = yield* failureOf(target)
      assert.deepInclude(error, { failure: "JumpHostFailed", alias: "bastion", because: "HostKeyMismatch" })
      assert.match(error.message, /^SSH jump host failed: The command did not run, because the jump host 'bastion'/)
      assert.include(error.message, "SSH host key verification failed: Host key mismatch")
      assert.notMatch(error.message, /127\.0\.0\.1|\/tmp\//)
      assert.notInclude(yield* bastion.log, "Accepted publickey")
      assert.notInclude(yield* inner.log, "Connection from")
    })
  )

  it.live("a wrong host key behind the jump host is that host's own failure, under its own name", () =>
    Effect.gen(function* () {
      const { bastion, inner, target } = yield* twoServers()
      yield* inner.restart({ newHostKeys: true })
      assert.deepInclude(yield* failureOf(target), { failure: "HostKeyMismatch", alias: "inner" })
      assert.strictEqual(count(yield* bastion.log, "Accepted publickey"), 1)
      assert.notInclude(yield* inner.log, "Accepted publickey")
    })
  )

  it.live("a key that a jump host does not accept", () =>
    Effect.gen(function* () {
      const { bastion, hop, inner, target } = yield* twoServers()
      const stranger = yield* bastion.makeKey("stranger")
      const locked = change(hop, { login: login({ username: bastion.user, pem: stranger.pem }) })
      const error = yield* failureOf(behind(locked, target))
      assert.deepInclude(error, { failure: "JumpHostFailed", alias: "bastion", because: "AuthenticationFailed" })
      assert.notInclude(yield* inner.log, "Connection from")
    })
  )

  it.live("a jump host that does not answer holds a command no longer than its budget", () =>
    Effect.gen(function* () {
      const { hop, target } = yield* twoServers()
      const { port } = yield* openSilentPort
      const [elapsed, error] = yield* Effect.timed(failureOf(behind(change(hop, { port }), target), "500 millis"))
      assert.strictEqual(error.because ?? error.failure, "ConnectTimeout")
      assert.isBelow(Duration.toMillis(elapsed), 5_000)
    })
  )

  it.live("a jump host that forwards nothing is named, with what to check", () =>
    Effect.gen(function* () {
      const { inner, target } = yield* twoServers({ config: ["AllowTcpForwarding no"] })
      const error = yield* failureOf(target)
      assert.deepInclude(error, { failure: "JumpHostFailed", alias: "bastion" })
      assert.isUndefined(error.because)
      assert.include(error.message, "AllowTcpForwarding")
      assert.notInclude(yield* inner.log, "Connection from")
    })
  )

  it.live("what a jump host says about the destination is told about the destination", () =>
    Effect.gen(function* () {
      const { bastion, inner, target } = yield* twoServers()
      const named = (address: string) => change(target, { address })
      assert.deepInclude(yield* failureOf(named("no-such-host.invalid")), {
        failure: "ResolutionFailed",
        alias: "inner"
      })
      assert.deepStrictEqual((yield* runCommand(named("localhost"), "true").pipe(Effect.provide(poolLayer))).exit, {
        _tag: "Exited",
        code: 0
      })
      yield* inner.kill
      assert.deepInclude(yield* failureOf(target), { failure: "ConnectionRefused", alias: "inner" })
      assert.include(yield* bastion.log, "Accepted publickey")
    })
  )

  it.live("a jump host without sessions forwards all the same", () =>
    Effect.gen(function* () {
      const { target } = yield* twoServers({ config: ["MaxSessions 0", "PermitTTY no"] })
      const { exit } = yield* runCommand(target, "true").pipe(Effect.provide(poolLayer))
      assert.deepStrictEqual(exit, { _tag: "Exited", code: 0 })
    })
  )

  it.live("twenty hosts share one connection to their jump host, on which one session is opened", () =>
    Effect.gen(function* () {
      const { bastion, hop, inner } = yield* twoServers()
      const [, key] = (yield* inner.knownHosts).split(/ (.*)/s)
      const names = Array.from({ length: 20 }, (_, index) => `host${index}.internal`)
      const knownHosts = names.map((name) => `[${name}]:${inner.port} ${key}`).join("\n")
      const target = yield* targetOf(inner, { knownHosts })
      yield* Effect.forEach(
        names,
        (hostname) =>
          Effect.map(runCommand(change(target, { hostname, via: hop }), "echo ran"), ({ stdout }) =>
            assert.strictEqual(stdout, "ran\n")
          ),
        { concurrency: "unbounded", discard: true }
      ).pipe(Effect.provide(poolLayer))
      assert.strictEqual(count(yield* bastion.log, "Accepted publickey"), 1)
      assert.strictEqual(count(yield* bastion.log, "Starting session"), 1)
      assert.strictEqual(count(yield* inner.log, "Accepted publickey"), 20)
    })
  )

  it.live("a command behind a jump host is stopped, confirmed, and leaves no connection behind", () =>
    Effect.gen(function* () {
      const { inner, target } = yield* twoServers()
      yield* Effect.gen(function* () {
        const pool = yield* ConnectionPool
        const recorder = yield* makeRecorder
        const scope = yield* Scope.make()
        const command = "trap '' TERM; (sleep 1000 & sleep 1000)"
        yield* Scope.provide(pool.start(recorder.options(target, command)), scope)
        assert.isNotEmpty(yield* inner.processes)
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* recorder.stops, [{ remote: "confirmed", survivors: [] }])
        assert.deepStrictEqual(yield* inner.processes, [])
      }).pipe(Effect.provide(poolLayer))
      yield* eventually(
        Effect.map(inner.log, (log) => /Connection closed|Disconnected from|disconnected by/i.test(log))
      )
    })
  )

  it.live("a jump host that dies under a command leaves its outcome unknown, and the stop goes through a new one", () =>
    Effect.gen(function* () {
      const { bastion, inner, target } = yield* twoServers()
      yield* Effect.gen(function* () {
        const pool = yield* ConnectionPool
        const recorder = yield* makeRecorder
        const scope = yield* Scope.make()
        const running = yield* Scope.provide(pool.start(recorder.options(target, "sleep 1000")), scope)
        yield* bastion.killSessions
        const outcome = yield* Effect.result(running.wait)
        assert.isTrue(Result.isFailure(outcome))
        if (Result.isFailure(outcome)) {
          assert.deepInclude(outcome.failure, { failure: "ConnectionLost", alias: "inner" })
          assert.include(outcome.failure.message, "unknown")
        }
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* recorder.stops, [{ remote: "confirmed", survivors: [] }])
        assert.deepStrictEqual(yield* inner.processes, [])
        assert.strictEqual((yield* runCommand(target, "echo back")).stdout, "back\n")
      }).pipe(Effect.provide(poolLayer))
    })
  )

  it.live("a jump host that is gone for good leaves a running command unconfirmed", () =>
    Effect.gen(function* () {
      const { bastion, target } = yield* twoServers()
      yield* Effect.gen(function* () {
        const pool = yield* ConnectionPool
        const recorder = yield* makeRecorder
        const scope = yield* Scope.make()
        yield* Scope.provide(pool.start(recorder.options(target, "sleep 1000")), scope)
        yield* bastion.kill
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* recorder.stops, [{ remote: "unconfirmed", survivors: [] }])
      }).pipe(Effect.provide(poolLayer))
      assert.deepInclude(yield* failureOf(target), {
        failure: "JumpHostFailed",
        alias: "bastion",
        because: "ConnectionRefused"
      })
    })
  )
})

describe("jump hosts of servers.yml", () => {
  it.live("a host behind one is described, planned, pinged and run on", () =>
    Effect.gen(function* () {
      const { client, sshd } = yield* makeScenario({ hosts: [{ alias: "inner", jump: "web1" }] })
      const described = yield* client.call("ssh_describe_host", { alias: "inner" })
      assert.deepInclude(described.json, { jump: ["web1"], network: { allowed: true } })
      const plan = yield* client.call("ssh_plan", { alias: "inner", command: "true" })
      assert.deepInclude(plan.json, { allowed: true, network: { allowed: true, addresses: ["127.0.0.1"] } })
      assert.strictEqual((yield* client.call("ssh_ping", { alias: "inner" })).json["status"], "reachable")
      const run = yield* client.call("ssh_run", { alias: "inner", command: "echo through" })
      assert.deepInclude(run.json, { status: "completed", exit_code: 0, output: "through\n", target_ip: "127.0.0.1" })
      assert.isAbove(count(yield* sshd.log, "Accepted publickey"), 1)
    })
  )

  it.live("a name that does not resolve here is left to the jump host, unless a network list is configured", () =>
    Effect.gen(function* () {
      const hosts = [{ alias: "inner", host: "no-such-host.invalid", jump: "web1" }]
      const open = yield* makeScenario({ hosts })
      const plan = yield* open.client.call("ssh_plan", { alias: "inner", command: "true" })
      assert.deepInclude(plan.json, {
        allowed: true,
        network: { allowed: true, addresses: [], reason: "The jump host resolves the name" }
      })
      const run = yield* open.client.call("ssh_run", { alias: "inner", command: "true" })
      assert.match(String(run.json["status_message"]), /^SSH hostname resolution failed: DNS lookup failed/)

      const listed = yield* makeScenario({ hosts, network: { allow_cidrs: ["127.0.0.0/8"] } })
      const denied = yield* listed.client.call("ssh_run", { alias: "inner", command: "true" })
      assert.deepInclude(denied.json, { status: "denied", reason: "network", detail: "DNS resolution failed" })
      assert.notInclude(yield* listed.sshd.log, "Accepted publickey")
    })
  )

  it.live("the network policy is asked about every jump host", () =>
    Effect.gen(function* () {
      const { client, sshd } = yield* makeScenario({
        network: { block_ips: ["127.0.0.9"] },
        hosts: [
          { alias: "bastion", host: "127.0.0.9" },
          { alias: "inner", jump: "bastion" }
        ]
      })
      const denied = yield* client.call("ssh_run", { alias: "inner", command: "true" })
      assert.deepInclude(denied.json, {
        status: "denied",
        reason: "network",
        detail: "No resolved IPs allowed by policy.network (jump host bastion)"
      })
      const described = yield* client.call("ssh_describe_host", { alias: "inner" })
      assert.deepInclude(described.json, { network: { allowed: false } })
      assert.notInclude(yield* sshd.log, "Connection from")
    })
  )
})

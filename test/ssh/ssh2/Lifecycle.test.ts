import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Duration, Effect, Exit, Fiber, Layer, Ref, Scope } from "effect"
import { TestClock } from "effect/testing"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { compileNetwork } from "../../../src/policy/network/Network.ts"
import { ConnectionPool } from "../../../src/ssh/pool/ConnectionPool.ts"
import { DnsLookup, DnsLookupFailed } from "../../../src/ssh/address/DnsLookup.ts"
import type { SshFailure } from "../../../src/ssh/errors.ts"
import { HostResolver } from "../../../src/ssh/address/HostResolver.ts"
import type { StopReport } from "../../../src/ssh/process/RemoteProcess.ts"
import { Target } from "../../../src/ssh/Target.ts"
import { login, poolLayer } from "../../support/SshFixtures.ts"
import { hostKey, otherKey, type Script, STAGES, type Stage, startServer, untilTrue } from "./ScriptedServer.ts"
import { generateKey } from "../../support/LoopbackSsh.ts"

const OUTCOMES = ["success", "failure", "timeout", "interrupt", "connection lost"] as const
type Outcome = (typeof OUTCOMES)[number]

/** What came of the command: how it ended, or why it did not run. */
type End = SshFailure | "DNS resolution failed" | "time limit" | "interrupted" | "exit 0" | "exit 3"

/** One attempt to run a command, and what it is to come to. */
interface Attempt {
  /** Tells two attempts of a cell apart. */
  readonly name?: string
  readonly server: Script
  /** What the resolver does; it answers by default. */
  readonly dns?: "fails" | "hangs"
  /** The host key that is known; the server's own by default. */
  readonly known?: string
  /**
   * Moves of a clock that stands still otherwise, from the moment on at which the server is where its script ends;
   * without it the clock is the system's.
   */
  readonly clock?: ReadonlyArray<Duration.Input>
  /** Interrupts the command at that moment, before the clock moves. */
  readonly interrupt?: true
  /** Limits the command to a minute, as a task does. */
  readonly limited?: true
  readonly end: End
  /** Connections, and channels with a command or a killer: opened, and all of them closed in the end. */
  readonly connections: number
  readonly channels: number
  /** Connections that the pool still holds, for the next command, when this one is over. */
  readonly kept: number
  /** What the stops came to. */
  readonly stops: ReadonlyArray<StopReport["remote"]>
}

/** What a stage and an outcome come to, or why there is no such case. */
type Cell = ReadonlyArray<Attempt> | { readonly impossible: string }

const NONE = { connections: 0, channels: 0, kept: 0, stops: [] } as const
/** One connection that broke or was given up. */
const ONE = { ...NONE, connections: 1 } as const
/** One connection that the next command may use. */
const KEPT = { ...ONE, kept: 1 } as const

const success: ReadonlyArray<Attempt> = [{ server: "stream: exit 0", end: "exit 0", ...KEPT, channels: 1 }]

const MATRIX: Readonly<Record<Stage, Readonly<Record<Outcome, Cell>>>> = {
  dns: {
    success,
    failure: [{ server: "stream: exit 0", dns: "fails", end: "DNS resolution failed", ...NONE }],
    timeout: [{ server: "stream: exit 0", dns: "hangs", clock: ["10 seconds"], end: "DNS resolution failed", ...NONE }],
    interrupt: [{ server: "stream: exit 0", dns: "hangs", interrupt: true, end: "interrupted", ...NONE }],
    "connection lost": { impossible: "nothing is connected before the name is resolved" }
  },
  tcp: {
    success,
    failure: [{ server: "tcp: refuse", end: "ConnectionRefused", ...NONE }],
    timeout: [{ server: "tcp: silence", clock: ["10 seconds"], end: "ConnectTimeout", ...ONE }],
    interrupt: [{ server: "tcp: silence", interrupt: true, end: "interrupted", ...ONE }],
    "connection lost": { impossible: "a connection that is not there yet cannot be lost: it is refused, or times out" }
  },
  banner: {
    success,
    failure: [{ server: "banner: old version", end: "ProtocolError", ...ONE }],
    timeout: [{ server: "banner: silence", clock: ["10 seconds"], end: "ConnectTimeout", ...ONE }],
    interrupt: [{ server: "banner: silence", interrupt: true, end: "interrupted", ...ONE }],
    "connection lost": [
      { name: "is tried five times", server: "banner: close", end: "ProtocolError", ...NONE, connections: 5 }
    ]
  },
  kex: {
    success,
    failure: [{ server: "kex: nothing in common", end: "ProtocolError", ...ONE }],
    timeout: [{ server: "kex: silence", clock: ["10 seconds"], end: "ConnectTimeout", ...ONE }],
    interrupt: [{ server: "kex: silence", interrupt: true, end: "interrupted", ...ONE }],
    "connection lost": [{ server: "kex: close", end: "ProtocolError", ...ONE }]
  },
  "host key": {
    success,
    failure: [{ server: "stream: exit 0", known: otherKey.public, end: "HostKeyMismatch", ...ONE }],
    timeout: {
      impossible: "the key is compared in memory, in one turn of the event loop; known_hosts was read before"
    },
    interrupt: { impossible: "as for a timeout: there is no moment between the key and the verdict" },
    "connection lost": { impossible: "as for a timeout: a loss is seen before it (kex) or after it (auth)" }
  },
  auth: {
    success,
    failure: [{ server: "auth: refuse", end: "AuthenticationFailed", ...ONE }],
    timeout: [{ server: "auth: silence", clock: ["10 seconds"], end: "ConnectTimeout", ...ONE }],
    interrupt: [{ server: "auth: silence", interrupt: true, end: "interrupted", ...ONE }],
    "connection lost": [{ server: "auth: close", end: "AuthenticationFailed", ...ONE }]
  },
  channel: {
    success,
    failure: [{ server: "channel: refuse", end: "ChannelRefused", ...KEPT }],
    timeout: [
      {
        name: "the command may still start, which no killer can rule out",
        server: "channel: silence",
        clock: ["15 seconds", "5 seconds"],
        end: "ConnectionLost",
        ...ONE,
        stops: ["unconfirmed"]
      }
    ],
    interrupt: [
      {
        name: "the command may still start, which no killer can rule out",
        server: "channel: silence",
        interrupt: true,
        clock: ["5 seconds"],
        end: "interrupted",
        ...ONE,
        stops: ["unconfirmed"]
      }
    ],
    "connection lost": [
      {
        name: "the killer connects and is lost too",
        server: "channel: close",
        end: "ConnectionLost",
        ...NONE,
        connections: 2,
        stops: ["unconfirmed"]
      }
    ]
  },
  exec: {
    success,
    failure: [
      { server: "exec: refuse", end: "ChannelRefused", ...KEPT },
      { name: "of the login shell", server: "exec: ends without a header", end: "ChannelRefused", ...KEPT, channels: 1 }
    ],
    timeout: [
      {
        name: "no answer to the request",
        server: "exec: silence",
        clock: ["15 seconds", "5 seconds"],
        end: "ConnectionLost",
        ...ONE,
        stops: ["unconfirmed"]
      },
      {
        name: "no header after the answer",
        server: "exec: no header",
        clock: ["15 seconds", "1 second"],
        end: "ConnectTimeout",
        ...KEPT,
        channels: 2,
        stops: ["confirmed"]
      }
    ],
    interrupt: [
      {
        name: "before the answer to the request",
        server: "exec: silence",
        interrupt: true,
        clock: ["5 seconds"],
        end: "interrupted",
        ...ONE,
        stops: ["unconfirmed"]
      },
      {
        name: "before the header",
        server: "exec: no header",
        interrupt: true,
        clock: ["1 second"],
        end: "interrupted",
        ...KEPT,
        channels: 2,
        stops: ["confirmed"]
      }
    ],
    "connection lost": [
      {
        name: "the killer connects and is lost too",
        server: "exec: close",
        end: "ConnectionLost",
        ...NONE,
        connections: 2,
        stops: ["unconfirmed"]
      },
      {
        name: "the channel alone closes without an answer, and the command is not sent again",
        server: "exec: close the channel",
        end: "ConnectionLost",
        ...ONE,
        channels: 1,
        stops: ["unconfirmed"]
      }
    ]
  },
  streaming: {
    success: [...success, { name: "with an exit code", server: "stream: exit 3", end: "exit 3", ...KEPT, channels: 1 }],
    failure: [
      {
        name: "the channel closes without a status",
        server: "stream: no status",
        end: "ConnectionLost",
        ...KEPT,
        channels: 2,
        stops: ["confirmed"]
      }
    ],
    timeout: [
      {
        server: "stream: run",
        limited: true,
        clock: ["1 minute"],
        end: "time limit",
        ...KEPT,
        channels: 2,
        stops: ["confirmed"]
      }
    ],
    interrupt: [
      { server: "stream: run", interrupt: true, end: "interrupted", ...KEPT, channels: 2, stops: ["confirmed"] }
    ],
    "connection lost": [
      {
        name: "the killer connects",
        server: "stream: close",
        end: "ConnectionLost",
        ...NONE,
        connections: 2,
        channels: 2,
        stops: ["confirmed"]
      }
    ]
  }
}

const userKey = generateKey()
const HOST = "web.example"

/** A file of known hosts with one key, in a directory that goes with the Scope. */
const knownHosts = (port: number, key: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(`${tmpdir()}/lifecycle-`)),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    ),
    (directory) => {
      const path = `${directory}/known_hosts`
      writeFileSync(path, `[${HOST}]:${port} ${key.split(" ").slice(0, 2).join(" ")}\n`)
      return path
    }
  )

/** A resolver that counts its lookups and does as told. */
const makeNames = Effect.fnUntraced(function* (dns: Attempt["dns"]) {
  const counts = { opened: 0, open: 0 }
  const reached = yield* Deferred.make<void>()
  const answer: Effect.Effect<ReadonlyArray<string>, DnsLookupFailed> = dns === "hangs"
    ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
    : dns === "fails"
      ? Effect.fail(new DnsLookupFailed({ name: HOST, detail: "ENOTFOUND" }))
      : Effect.succeed(["127.0.0.1"])
  const lookup = () =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        counts.opened++
        counts.open++
      }),
      () => answer,
      () => Effect.sync(() => counts.open--)
    )
  const layer = HostResolver.layer.pipe(Layer.provide(Layer.succeed(DnsLookup, DnsLookup.of({ lookup }))))
  return { counts, layer, reached: Deferred.await(reached) }
})

/** Lets fibers that can go on do so: turns of the event loop, by no clock. */
const settle = Effect.repeat(
  Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void))),
  { times: 10 }
)

/** Resolves the name and runs one command there, as told, and then closes the pool. */
const attempt = Effect.fnUntraced(function* (told: Attempt) {
  const server = yield* startServer(told.server)
  const names = yield* makeNames(told.dns)
  const path = yield* knownHosts(server.port, told.known ?? hostKey.public)
  const stops = yield* Ref.make<ReadonlyArray<StopReport["remote"]>>([])
  const printed = yield* Deferred.make<void>()
  const poolScope = yield* Scope.make()
  const context = yield* Scope.provide(Layer.build(Layer.merge(poolLayer, names.layer)), poolScope)
  const pool = Context.get(context, ConnectionPool)
  const resolver = Context.get(context, HostResolver)

  const run = Effect.scoped(
    Effect.gen(function* () {
      const { addresses } = yield* resolver.resolve(HOST, compileNetwork({}))
      const process = yield* pool.start({
        targets: [
          new Target({
            alias: "test",
            hostname: HOST,
            address: addresses[0],
            port: server.port,
            login: login({ username: "tester", pem: userKey.private }),
            hostKeys: { paths: [path], digest: "" }
          })
        ],
        command: "uptime",
        budget: Duration.seconds(10),
        output: () => Deferred.succeed(printed, undefined),
        grace: Effect.succeed(Duration.zero),
        stopped: ({ remote }) => Ref.update(stops, (all) => [...all, remote])
      })
      const exit = yield* process.wait
      const end: string = exit._tag === "Exited" ? `exit ${exit.code}` : `signal ${exit.signal}`
      return end
    })
  ).pipe(
    Effect.catchTags({
      SshError: ({ failure }) => Effect.succeed(failure),
      NetworkDenied: ({ detail }) => Effect.succeed(detail)
    })
  )
  const limited =
    told.limited === true
      ? Effect.timeoutOrElse(run, { duration: "1 minute", orElse: () => Effect.succeed("time limit") })
      : run
  const fiber = yield* Effect.forkChild(limited, { startImmediately: true })
  if (told.interrupt === true || told.clock !== undefined) {
    yield* told.dns === "hangs" ? names.reached : server.reached
    // The server is there before the client knows: of these, by the first output.
    if (told.server === "exec: no header" || told.server === "stream: run") yield* Deferred.await(printed)
  }
  if (told.interrupt === true) yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
  for (const step of told.clock ?? []) {
    yield* settle
    yield* TestClock.adjust(step)
  }
  const exit = yield* Fiber.await(fiber)
  const end = Exit.isSuccess(exit) ? exit.value : "interrupted"

  // What is not for the next command is closed now, not only with the pool.
  yield* untilTrue(
    () => server.connections().open === told.kept && server.channels().open === 0 && names.counts.open === 0
  )
  yield* Scope.close(poolScope, Exit.void)
  yield* untilTrue(() => server.connections().open === 0 && server.channels().open === 0)
  return {
    end,
    lookups: names.counts.opened,
    connections: server.connections().opened,
    channels: server.channels().opened,
    stops: yield* Ref.get(stops),
    passed: server.passed()
  }
})

describe("a command opens and closes exactly, for every stage and outcome", () => {
  for (const stage of STAGES) {
    for (const outcome of OUTCOMES) {
      const cell = MATRIX[stage][outcome]
      if ("impossible" in cell) continue
      for (const told of cell) {
        const name = `${stage}, ${outcome}${told.name === undefined ? "" : `: ${told.name}`}`
        const test = told.clock === undefined ? it.live : it.effect
        test(name, () =>
          Effect.gen(function* () {
            const { channels, connections, end, lookups, passed, stops } = yield* attempt(told)
            const expected: Omit<typeof told, "end"> & { readonly end: string } = told
            assert.deepStrictEqual(
              { end, connections, channels, stops },
              {
                end: expected.end,
                connections: told.connections,
                channels: told.channels,
                stops: told.stops
              }
            )
            assert.strictEqual(lookups, 1)
            if (outcome === "success" && stage !== "dns") assert.strictEqual(passed[stage], 1)
            // The channels of commands: each was sent once, also one that may not have run.
            if (told.end === "ConnectionLost" && stage === "exec") assert.strictEqual(passed.channel, 1)
          })
        )
      }
    }
  }
})

import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { tmpdir } from "node:os"
import ssh2 from "ssh2"
import { type EmbeddedFleet, makeKeyPair, startFleet } from "../../../src/cli/demo/EmbeddedFleet.ts"

const key = await Effect.runPromise(makeKeyPair)

const fleetOfOne = startFleet({ publicKey: key.public, hosts: [{ alias: "one", home: tmpdir() }] })

/** A connected client of the fleet's first host, or the error that it was refused with. */
const connect = (
  fleet: EmbeddedFleet,
  login: Partial<ssh2.ConnectConfig> = { privateKey: key.private }
): Effect.Effect<ssh2.Client, Error, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<ssh2.Client, Error>((resume) => {
      const client = new ssh2.Client()
      client.on("ready", () => resume(Effect.succeed(client)))
      client.on("error", (error) => resume(Effect.fail(error)))
      client.connect({ host: "127.0.0.1", port: fleet.hosts[0]!.port, username: "demo", ...login })
    }),
    (client) =>
      Effect.callback<void>((resume) => {
        client.on("close", () => resume(Effect.void))
        client.end()
      })
  )

interface Ended {
  readonly code: number | null
  readonly signal: string | undefined
  readonly stdout: string
  readonly stderr: string
}

const open = (client: ssh2.Client, command: string) =>
  Effect.callback<ssh2.ClientChannel, Error>((resume) => {
    client.exec(command, (error, channel) => resume(error ? Effect.fail(error) : Effect.succeed(channel)))
  })

const ended = (channel: ssh2.ClientChannel) =>
  Effect.callback<Ended>((resume) => {
    let code: number | null = null
    let signal: string | undefined
    let stdout = ""
    let stderr = ""
    channel.on("data", (chunk: Buffer) => (stdout += chunk.toString()))
    channel.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()))
    channel.on("exit", (status: number | null, name?: string) => {
      code = status
      signal = name
    })
    channel.on("close", () => resume(Effect.succeed({ code, signal, stdout, stderr })))
  })

const run = (client: ssh2.Client, command: string) => Effect.flatMap(open(client, command), ended)

describe("EmbeddedFleet", () => {
  it.live("runs a command in a real shell, with both streams and the exit code", () =>
    Effect.gen(function* () {
      const client = yield* connect(yield* fleetOfOne)
      const end = yield* run(client, "echo out; echo err >&2; exit 7")
      assert.deepStrictEqual(end, { code: 7, signal: undefined, stdout: "out\n", stderr: "err\n" })
    })
  )

  it.live("delivers every byte of a large output before the end", () =>
    Effect.gen(function* () {
      const client = yield* connect(yield* fleetOfOne)
      const end = yield* run(client, "head -c 3000000 /dev/zero")
      assert.deepStrictEqual([end.code, end.stdout.length], [0, 3_000_000])
    })
  )

  it.live("reports the signal that killed a command, also one that the client sent", () =>
    Effect.gen(function* () {
      const client = yield* connect(yield* fleetOfOne)
      assert.strictEqual((yield* run(client, "kill -9 $$")).signal, "SIGKILL")
      const channel = yield* open(client, "sleep 100")
      channel.signal("TERM")
      assert.strictEqual((yield* ended(channel)).signal, "SIGTERM")
    })
  )

  it.live("accepts only the key that it was made for", () =>
    Effect.gen(function* () {
      const fleet = yield* fleetOfOne
      const other = yield* makeKeyPair
      for (const login of [{ privateKey: other.private }, { password: "" }, {}]) {
        const error = yield* Effect.flip(connect(fleet, login))
        assert.include(error.message, "authentication methods failed")
      }
    })
  )

  it.live("leaves no process behind when its scope closes", () =>
    Effect.gen(function* () {
      const running = yield* Effect.scoped(
        Effect.gen(function* () {
          const fleet = yield* fleetOfOne
          const channel = yield* open(yield* connect(fleet), "trap '' TERM HUP; echo ready; sleep 100 & wait")
          yield* Effect.callback<void>((resume) => void channel.once("data", () => resume(Effect.void)))
          assert.strictEqual(yield* fleet.running, 1)
          return fleet.running
        })
      )
      // A killed group lives on in the process table until it is reaped.
      yield* running.pipe(Effect.repeat({ until: (count) => count === 0 }), Effect.timeout("5 seconds"))
    })
  )
})

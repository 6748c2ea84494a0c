import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { examineHost } from "../../src/cli/DoctorHost.ts"
import { findHost } from "../../src/config/Inventory.ts"
import { DnsLookup } from "../../src/ssh/address/DnsLookup.ts"
import { HostResolver } from "../../src/ssh/address/HostResolver.ts"
import { Ssh2Transport } from "../../src/ssh/ssh2/Ssh2Transport.ts"
import { loadFiles, services } from "../config/ConfigFiles.ts"
import { generateKey, loopbackHostKey, startServer } from "../support/LoopbackSsh.ts"

/** Examines a host whose name has these addresses, on a server that listens on 127.0.0.1 and refuses every command. */
const examine = Effect.fnUntraced(function* (addresses: ReadonlyArray<string>) {
  const server = yield* startServer({ session: (session) => session.on("exec", (_accept, reject) => reject()) })
  const { port } = server.address() as { readonly port: number }
  const { problems, snapshot } = yield* loadFiles({
    "config/servers.yml": `hosts: [{alias: web1, host: web.example, port: ${port}, credentials: key}]`,
    "config/credentials.yml": "entries: [{name: key, username: u, key_path: id}]",
    "config/policy.yml": "rules: []",
    "keys/id": generateKey().private,
    "keys/known_hosts": `[web.example]:${port} ${loopbackHostKey}\n`
  })
  assert.deepStrictEqual(problems, [])
  const lookup = Layer.succeed(DnsLookup, DnsLookup.of({ lookup: () => Effect.succeed(addresses) }))
  const { ok, steps } = yield* examineHost(snapshot, Option.getOrThrow(findHost(snapshot, "web1"))).pipe(
    Effect.provide(
      Layer.merge(
        HostResolver.layer.pipe(Layer.provide(lookup)),
        Ssh2Transport.layer.pipe(Layer.provide(NodeFileSystem.layer))
      )
    )
  )
  return { ok, steps, shown: steps.map(({ status, step }) => `${step} ${status}`) }
})

const LOGGED_IN = ["connect ok", "key exchange ok", "host key ok", "log in ok"]

describe("a host in doctor", () => {
  it.live("with several addresses goes on to the next one, with a warning about the one that refuses", () =>
    Effect.gen(function* () {
      const { shown, steps } = yield* examine(["127.0.0.2", "127.0.0.1"])
      assert.deepStrictEqual(shown, ["resolve ok", "connect warning", ...LOGGED_IN, "channel failed"])
      const refused = steps.find(({ status }) => status === "warning")
      assert.match(refused?.detail ?? "", /^ConnectionRefused: .*127\.0\.0\.2/)
      assert.isNumber(refused?.ms)
      assert.match(steps[2]?.detail ?? "", /^127\.0\.0\.1:/)
    }).pipe(services)
  )

  it.live("of which none answers fails at the last", () =>
    Effect.gen(function* () {
      const { ok, shown } = yield* examine(["127.0.0.2", "127.0.0.3"])
      assert.isFalse(ok)
      assert.deepStrictEqual(shown, ["resolve ok", "connect warning", "connect failed"])
    }).pipe(services)
  )

  it.live("that refuses the probe fails at the channel, after every step before it", () =>
    Effect.gen(function* () {
      const { ok, shown, steps } = yield* examine(["127.0.0.1"])
      assert.isFalse(ok)
      assert.deepStrictEqual(shown, ["resolve ok", ...LOGGED_IN, "channel failed"])
      assert.match(steps.at(-1)?.detail ?? "", /^ChannelRefused: /)
    }).pipe(services)
  )
})

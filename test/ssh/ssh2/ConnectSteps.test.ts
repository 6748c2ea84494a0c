import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Redacted } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import type { AuthContext, AuthenticationType } from "ssh2"
import type { Login } from "../../../src/config/Credential.ts"
import { Target } from "../../../src/ssh/Target.ts"
import { type AuthMethod, type ConnectStep, Transport } from "../../../src/ssh/Transport.ts"
import { generateKey, loopbackHostKey, startServer } from "../../support/LoopbackSsh.ts"
import { transportLayer } from "../../support/SshFixtures.ts"

const USER_KEY = generateKey().private
const key: Pick<Login, "key"> = { key: { pem: Redacted.make(USER_KEY) } }
const password: Pick<Login, "password"> = { password: Redacted.make("hunter2") }

/** Accepts each of these methods in turn, and lets in after the last one. */
const accepting = (chain: ReadonlyArray<AuthenticationType>) => {
  const left = [...chain]
  return (context: AuthContext) => {
    if (context.method !== left[0]) return context.reject(left.slice(0, 1))
    const pass = () => {
      left.shift()
      return left.length === 0 ? context.accept() : context.reject(left.slice(0, 1), true)
    }
    return context.method === "keyboard-interactive"
      ? context.prompt([{ prompt: "Password: ", echo: false }], pass)
      : pass()
  }
}

/** Connects to a server that wants these methods, and gives what was told of it. */
const observed = Effect.fnUntraced(
  function* (material: Omit<Login, "username" | "digest">, chain: ReadonlyArray<AuthenticationType>, known: string) {
    const server = yield* startServer({ authenticate: accepting(chain) })
    const { port } = server.address() as { readonly port: number }
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(`${tmpdir()}/steps-`)),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    const path = `${directory}/known_hosts`
    writeFileSync(path, `# hosts\n[web.example]:${port} ${known}\n`)
    const steps: Array<ConnectStep> = []
    const target = new Target({
      alias: "test",
      hostname: "web.example",
      address: "127.0.0.1",
      port,
      login: { username: "u", digest: "", ...material },
      hostKeys: { paths: [path], digest: "" }
    })
    const transport = yield* Transport
    const connected = transport.connect(target, Duration.seconds(10), undefined, (step) => {
      steps.push(step)
    })
    const end = yield* Effect.match(connected, {
      onSuccess: () => "connected",
      onFailure: ({ failure }) => failure
    })
    return { end, steps, path, names: steps.map(({ _tag }) => _tag) }
  },
  (effect) => Effect.provide(Effect.scoped(effect), transportLayer)
)

const ALL = ["Prepared", "Connected", "KeyExchanged", "HostKeyVerified", "Authenticated"]

describe("a connect tells its observer", () => {
  it.live("each step once, in order, with what was found", () =>
    Effect.gen(function* () {
      const { end, names, path, steps } = yield* observed(key, ["publickey"], loopbackHostKey)
      assert.strictEqual(end, "connected")
      assert.deepStrictEqual(names, ALL)
      const find = (tag: string) => steps.find(({ _tag }) => _tag === tag)
      assert.match(JSON.stringify(find("KeyExchanged")), /"software":"ssh2js/)
      assert.match(JSON.stringify(find("HostKeyVerified")), /"key":"ssh-ed25519 SHA256:/)
      assert.deepInclude(find("HostKeyVerified"), { knownAt: `${path}:2` })
    })
  )

  const chains: ReadonlyArray<
    readonly [Omit<Login, "username" | "digest">, ReadonlyArray<AuthenticationType>, ReadonlyArray<AuthMethod>]
  > = [
    [key, ["publickey"], ["key"]],
    [password, ["password"], ["password"]],
    [password, ["keyboard-interactive"], ["keyboard-interactive"]],
    [{ ...key, ...password }, ["password"], ["password"]],
    [{ ...key, ...password }, ["publickey", "password"], ["key", "password"]],
    [
      { ...key, ...password },
      ["password", "publickey", "keyboard-interactive"],
      ["password", "key", "keyboard-interactive"]
    ]
  ]
  for (const [material, chain, methods] of chains) {
    it.live(`of ${Object.keys(material).join(" and ")}, that it was let in by ${methods.join(", then ")}`, () =>
      Effect.gen(function* () {
        const { steps } = yield* observed(material, chain, loopbackHostKey)
        assert.deepStrictEqual(steps.at(-1), { _tag: "Authenticated", methods })
      })
    )
  }

  it.live("no further step than it came past", () =>
    Effect.gen(function* () {
      const refused = yield* observed(key, ["password"], loopbackHostKey)
      assert.deepStrictEqual([refused.end, ...refused.names], ["AuthenticationFailed", ...ALL.slice(0, 4)])
      const other = generateKey().public.split(" ").slice(0, 2).join(" ")
      const mismatched = yield* observed(key, ["publickey"], other)
      assert.deepStrictEqual([mismatched.end, ...mismatched.names], ["HostKeyMismatch", ...ALL.slice(0, 3)])
      const locked = { key: { pem: Redacted.make("-----BEGIN OPENSSH PRIVATE KEY-----\n") } }
      const unusable = yield* observed(locked, ["publickey"], loopbackHostKey)
      assert.deepStrictEqual([unusable.end, ...unusable.names], ["KeyFormatInvalid"])
    })
  )
})

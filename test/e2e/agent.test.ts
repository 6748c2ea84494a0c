import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { certify, startAgent } from "../support/SshAgent.ts"
import * as Sshd from "../support/Sshd.ts"
import { attempt, connect, keyOf, publicKeyOf, TYPES, withAuthority } from "./LoginAttempts.ts"
import { makeScenario } from "./Scenario.ts"

describe("an agent", () => {
  it.live("lets in with keys of each type", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const agent = yield* startAgent(sshd.directory)
      for (const type of TYPES) {
        const key = yield* sshd.makeKey(`agent-${type}`, { type })
        yield* agent.clear
        yield* agent.add(key.path)
        assert.strictEqual(yield* attempt(sshd, { agent }), "AuthenticationFailed", type)
        yield* sshd.authorize(key.publicKey)
        assert.strictEqual(yield* attempt(sshd, { agent }), "connected", type)
      }
    })
  )

  it.live("offers five keys at most, the preferred one first", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const agent = yield* startAgent(sshd.directory)
      for (let index = 0; index < 5; index++) yield* agent.add((yield* sshd.makeKey(`stranger-${index}`)).path)
      const key = yield* sshd.makeKey("wanted")
      yield* sshd.authorize(key.publicKey)
      yield* agent.add(key.path)
      const error = yield* connect(sshd, { agent })
      assert.strictEqual(error?.failure, "AuthenticationFailed")
      assert.include(error?.detail, "; 1 of the agent's keys were not offered")
      const failed = (yield* sshd.log).split("\n").filter((line) => line.includes("Failed publickey"))
      assert.lengthOf(failed, 5)
      const preferred = { agent: { socket: agent.socket, preferred: publicKeyOf(key.path) } }
      assert.strictEqual(yield* attempt(sshd, preferred), "connected")
      assert.lengthOf(
        (yield* sshd.log).split("\n").filter((line) => line.includes("Failed publickey")),
        5,
        "no other key was tried before it"
      )
    })
  )

  it.live("takes over when the key in the file has no passphrase here", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const agent = yield* startAgent(sshd.directory)
      const locked = yield* sshd.makeKey("locked", { passphrase: "open sesame" })
      yield* agent.add(sshd.privateKeyPath)
      assert.strictEqual(yield* attempt(sshd, { ...keyOf(locked.pem), agent }), "connected")
    })
  )

  it.live("that is gone, or is empty, is told when nothing else lets in", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const agent = yield* startAgent(sshd.directory)
      const stranger = yield* sshd.makeKey("stranger")
      assert.strictEqual(yield* attempt(sshd, { agent }), "AgentEmpty")
      yield* agent.kill
      assert.strictEqual(yield* attempt(sshd, { agent }), "AgentUnavailable")
      assert.strictEqual(yield* attempt(sshd, { ...keyOf(stranger.pem), agent }), "AgentUnavailable")
      assert.strictEqual(yield* attempt(sshd, { ...keyOf(sshd.key.pem), agent }), "connected")
    })
  )
})

describe("a certificate in an agent", () => {
  for (const type of TYPES) {
    it.live(`of an ${type} key lets in where only its authority is known, before the key itself`, () =>
      Effect.gen(function* () {
        const { authority, sshd } = yield* withAuthority()
        const agent = yield* startAgent(sshd.directory)
        const key = yield* sshd.makeKey("certified", { type })
        certify(authority, key.path, { principals: sshd.user, validity: "-1h:+1h" })
        yield* agent.add(key.path)
        assert.strictEqual(yield* attempt(sshd, { agent }), "connected")
        const log = yield* sshd.log
        assert.match(log, /Accepted publickey for .* ID test id \(serial 7\) CA ED25519/)
        assert.notInclude(log, "Failed publickey")
      })
    )
  }

  it.live("that the server refuses is followed by its key", () =>
    Effect.gen(function* () {
      const { authority, sshd } = yield* withAuthority()
      const agent = yield* startAgent(sshd.directory)
      const key = yield* sshd.makeKey("certified")
      certify(authority, key.path, { principals: "somebody-else" })
      yield* agent.add(key.path)
      assert.strictEqual(yield* attempt(sshd, { agent }), "AuthenticationFailed")
      yield* sshd.authorize(key.publicKey)
      assert.strictEqual(yield* attempt(sshd, { agent }), "connected")
    })
  )

  it.live("that cannot be used is not offered, and is told", () =>
    Effect.gen(function* () {
      const { authority, sshd } = yield* withAuthority()
      const agent = yield* startAgent(sshd.directory)
      const rows = [
        ["expired at 2020-01-0", { principals: sshd.user, validity: "20200101:20200102" }],
        ["a certificate that forces a command", { principals: sshd.user, options: ["force-command=/bin/true"] }],
        ["a host certificate", { principals: sshd.user, host: true }]
      ] as const
      for (const [index, [detail, options]] of rows.entries()) {
        const key = yield* sshd.makeKey(`certified-${index}`)
        certify(authority, key.path, options)
        yield* agent.clear
        yield* agent.add(key.path)
        const error = yield* connect(sshd, { agent })
        assert.strictEqual(error?.failure, "AuthenticationFailed", "its key is offered, which is not accepted")
        assert.include(error?.detail, detail)
      }
      assert.notInclude(yield* sshd.log, "CERT")
    })
  )
})

describe("through the server", () => {
  it.live("an agent runs a command; without SSH_AUTH_SOCK the answer says how to pass it", () =>
    Effect.gen(function* () {
      const keys = yield* Sshd.start()
      const agent = yield* startAgent(keys.directory)
      yield* agent.add(keys.privateKeyPath)
      const credentials = [{ name: "key", username: keys.user, agent: true }]
      const run = (environment: Record<string, string>) =>
        Effect.gen(function* () {
          const { client, sshd } = yield* makeScenario({ config: { credentials }, environment })
          yield* sshd.authorize(keys.key.publicKey)
          return (yield* client.call("ssh_run", { alias: "web1", command: "true" })).json
        })
      assert.strictEqual((yield* run({ SSH_AUTH_SOCK: agent.socket }))["exit_code"], 0)
      for (const SSH_AUTH_SOCK of ["", "/nonexistent/agent.sock"]) {
        const message = String((yield* run({ SSH_AUTH_SOCK }))["status_message"])
        assert.match(message, /^SSH agent unavailable: .*SSH_AUTH_SOCK in `env`/)
        assert.notInclude(message, "nonexistent")
      }
    })
  )
})

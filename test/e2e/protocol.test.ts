import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { corpus } from "./Corpus.ts"
import { startInitializedServer } from "../support/RawServer.ts"
import { makeHost, makeScenario } from "./Scenario.ts"

/** Corpus lines whose input is a description of bytes rather than the bytes. */
const DESCRIBED: Record<string, () => string | Uint8Array> = {
  "jsonrpc-021": () => "x".repeat(100 * 1024 * 1024),
  "jsonrpc-022": () => new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
  "jsonrpc-025": () => "[".repeat(100_000) + "]".repeat(100_000)
}

describe("the protocol on stdin and stdout", () => {
  for (const line of corpus("jsonrpc")) {
    it.live(`${line.id}: ${line.why}`, () =>
      Effect.gen(function* () {
        const { config, sshd } = yield* makeHost()
        const server = yield* startInitializedServer({ environment: config.environment })
        const bytes = DESCRIBED[line.id]?.() ?? String(line.input)
        yield* Effect.forkChild(server.write(bytes).pipe(Effect.andThen(server.write("\n"))))
        if (line.expect === "ignore") {
          const pong = yield* server.request("ping")
          assert.deepStrictEqual(pong["result"], {})
        } else {
          const answer = yield* server.receive
          const error = answer["error"]
          assert.isTrue(typeof error === "object" && error !== null && "code" in error, JSON.stringify(answer))
          const code = /-\d+/.exec(line.expect)?.[0]
          if (code !== undefined) assert.deepInclude(error, { code: Number(code) })
        }
        if (line.id !== "jsonrpc-021") {
          const pong = yield* server.request("ping")
          assert.deepStrictEqual(pong["result"], {}, "the server goes on")
        } else {
          yield* server.exited.pipe(Effect.timeout(Duration.seconds(10)))
        }
        assert.notInclude(yield* sshd.log, "Connection from")
      })
    )
  }

  it.live("an unknown tool is -32602", () =>
    Effect.gen(function* () {
      const { client } = yield* makeScenario()
      for (const name of ["nosuch", "__proto__", "constructor", "", "SSH_RUN"]) {
        const failure = yield* Effect.flip(client.call(name))
        assert.strictEqual(failure.code, -32602, name)
      }
    })
  )

  it.live("stdout carries JSON-RPC and nothing else, from the first byte to the last", () =>
    Effect.gen(function* () {
      const { config, command } = yield* makeHost()
      const server = yield* startInitializedServer({
        environment: { ...config.environment, MCP_SSH_LOG_LEVEL: "trace" }
      })
      yield* server.request("tools/list")
      for (const text of ["true", command("escapes"), command("forbidden"), "sleep"]) {
        yield* server.request("tools/call", { name: "ssh_run", arguments: { alias: "web1", command: text } })
      }
      yield* server.request("tools/call", { name: "ssh_reload_config" })
      yield* server.endInput
      yield* server.exited
      for (const line of yield* server.lines) {
        const message: unknown = JSON.parse(line)
        assert.deepInclude(message, { jsonrpc: "2.0" })
      }
      assert.deepStrictEqual(yield* server.log.strangers, [])
    })
  )

  it.live("a burst of calls is answered completely, each to its own id", () =>
    Effect.gen(function* () {
      const { client } = yield* makeScenario()
      const answers = yield* Effect.forEach(
        Array.from({ length: 60 }, (_, index) => index),
        (index) => client.call("ssh_run", { alias: "web1", command: `echo n${index}` }),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        answers.map((answer) => answer.json["output"]),
        answers.map((_, index) => `n${index}\n`)
      )
      assert.strictEqual((yield* client.log.matching({ type: "audit" })).length, 60)
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect, Ref } from "effect"
import { recording } from "./ScriptedOrchestrator.ts"
import { initializedSession } from "./Session.ts"

const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels)

const call = (params: string) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`

/** Lines that are refused as protocol errors, with the code and the id of the answer. */
const REFUSED: ReadonlyArray<readonly [fact: string, line: string | Uint8Array, code: number, id: unknown]> = [
  ["broken JSON", "{", -32700, null],
  ["text", "hello", -32700, null],
  ["two messages on a line", '{"jsonrpc":"2.0","id":1,"method":"ping"}{}', -32700, null],
  ["bytes that are not UTF-8", Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d), -32700, null],
  ["a lone surrogate's bytes", Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), -32700, null],
  ["an empty batch", "[]", -32600, null],
  ["a batch", '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600, null],
  ["a number", "7", -32600, null],
  ["null", "null", -32600, null],
  ["an empty object", "{}", -32600, null],
  ["another version", '{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600, 1],
  ["no version", '{"id":"x","method":"ping"}', -32600, "x"],
  ["a null id", '{"jsonrpc":"2.0","id":null,"method":"tools/list"}', -32600, null],
  ["an object id", '{"jsonrpc":"2.0","id":{"a":1},"method":"tools/list"}', -32600, null],
  ["a fractional id", '{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}', -32600, null],
  ["a method that is no text", '{"jsonrpc":"2.0","id":1,"method":1}', -32600, 1],
  ["no method", '{"jsonrpc":"2.0","id":1}', -32600, 1],
  ["an array of params", '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}', -32602, 1],
  ["params that are text", '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":"x"}', -32602, 1],
  ["an unknown method", '{"jsonrpc":"2.0","id":1,"method":"nope"}', -32601, 1],
  ["a method of an inherited name", '{"jsonrpc":"2.0","id":1,"method":"__proto__"}', -32601, 1],
  ["a method of another version", '{"jsonrpc":"2.0","id":1,"method":"tasks/update"}', -32601, 1],
  ["initialize without params", '{"jsonrpc":"2.0","id":1,"method":"initialize"}', -32602, 1],
  [
    "initialize with wrong params",
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":7}}',
    -32602,
    1
  ],
  ["a cursor of tools/list", '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}', -32602, 1],
  ["a prototype tool name", call('{"name":"__proto__"}'), -32602, 1],
  ["an unknown tool", call('{"name":"ssh_nope","arguments":{}}'), -32602, 1],
  ["no tool name", call('{"arguments":{}}'), -32602, 1],
  ["a tool name of another type", call('{"name":7}'), -32602, 1],
  ["no params of a call", '{"jsonrpc":"2.0","id":1,"method":"tools/call"}', -32602, 1],
  ["a list of arguments", call('{"name":"ssh_ping","arguments":[]}'), -32602, 1],
  ["null arguments", call('{"name":"ssh_ping","arguments":null}'), -32602, 1],
  [
    "a progress token of type object",
    call('{"name":"ssh_run","arguments":{"alias":"web1","command":"uptime"},"_meta":{"progressToken":{"a":1}}}'),
    -32602,
    1
  ],
  ["a nesting bomb", deep(100_000), -32600, null],
  ["an unclosed nesting bomb", "[".repeat(1_000_000), -32600, null],
  ["a nesting bomb in the arguments", call(`{"name":"ssh_ping","arguments":{"alias":${deep(100_000)}}}`), -32600, null]
]

describe("the protocol", () => {
  for (const [fact, line, code, id] of REFUSED) {
    it.live(`refuses ${fact} with ${code}, reaches nothing, and goes on`, () =>
      Effect.gen(function* () {
        const reached = yield* Ref.make<ReadonlyArray<string>>([])
        const session = yield* initializedSession(recording(reached))
        yield* session.write(line)
        yield* session.write("\n")
        const reply = yield* session.receive
        assert.deepStrictEqual([reply.error?.code, reply.id], [code, id])
        assert.isBelow(reply.error?.message.length ?? 0, 120)
        assert.notInclude(reply.error?.message, "MCP error")
        yield* session.send({ jsonrpc: "2.0", id: "next", method: "ping" })
        assert.deepStrictEqual((yield* session.receive).id, "next")
        assert.deepStrictEqual(yield* Ref.get(reached), [])
      })
    )
  }

  const ignored: ReadonlyArray<readonly [string, string]> = [
    ["an unsolicited response", '{"jsonrpc":"2.0","id":1,"result":{}}'],
    ["an unsolicited error", '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}'],
    ["a response that is not valid", '{"jsonrpc":"2.0","id":1,"error":7}'],
    ["an unknown notification", '{"jsonrpc":"2.0","method":"notifications/nope"}'],
    ["a notification that is not valid", '{"jsonrpc":"2.0","method":"notifications/cancelled","params":[]}'],
    ["a cancellation of nothing", '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}'],
    ["a cancellation without an id", '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}'],
    ["a blank line", " \r"]
  ]
  for (const [fact, line] of ignored) {
    it.live(`answers nothing to ${fact}`, () =>
      Effect.gen(function* () {
        const session = yield* initializedSession(recording(yield* Ref.make<ReadonlyArray<string>>([])))
        yield* session.write(`${line}\n`)
        yield* session.send({ jsonrpc: "2.0", id: 2, method: "ping" })
        assert.strictEqual((yield* session.receive).id, 2)
      })
    )
  }

  it.live("answers a line longer than 10 MiB with an error and ends, holding no more than that", () =>
    Effect.gen(function* () {
      const session = yield* initializedSession(recording(yield* Ref.make<ReadonlyArray<string>>([])))
      for (let mebibyte = 0; mebibyte < 11; mebibyte++) yield* session.write(Buffer.alloc(1024 * 1024, "a"))
      const { error, id } = yield* session.receive
      assert.deepStrictEqual([error?.code, id], [-32600, null])
      yield* session.ended
      assert.isTrue(session.input.destroyed)
    })
  )

  it.live("accepts a message of several MiB in small pieces, brackets in texts not counted", () =>
    Effect.gen(function* () {
      const session = yield* initializedSession(recording(yield* Ref.make<ReadonlyArray<string>>([])))
      const message = JSON.stringify({
        jsonrpc: "2.0",
        id: 5,
        method: "ping",
        params: { text: `"\\${"[{".repeat(1_500_000)}é` }
      })
      const bytes = Buffer.from(`${message}\n`)
      for (let from = 0; from < bytes.length; from += 65_537) yield* session.write(bytes.subarray(from, from + 65_537))
      assert.strictEqual((yield* session.receive).id, 5)
    })
  )
})

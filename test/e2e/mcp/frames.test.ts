import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { INITIALIZE, type RawServer, startInitializedServer, startRawServer } from "../../support/RawServer.ts"
import { makeHost } from "../Scenario.ts"

const call = (id: unknown, params: string): string =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":"tools/call","params":${params}}`

const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels)

const bytes = (...values: ReadonlyArray<number>): Uint8Array => Uint8Array.of(...values)

/** Frames that are answered with an error of this code and this id. */
const REFUSED: ReadonlyArray<readonly [fact: string, frame: string | Uint8Array, code: number, id: unknown]> = [
  ["an open brace", "{", -32700, null],
  ["text", "GET / HTTP/1.1", -32700, null],
  ["an LSP header", "Content-Length: 52", -32700, null],
  ["single quotes", "{'jsonrpc':'2.0','id':1,'method':'ping'}", -32700, null],
  ["a trailing comma", '{"jsonrpc":"2.0","id":1,"method":"ping",}', -32700, null],
  ["two messages on a line", '{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0"}', -32700, null],
  ["a NUL", '{"jsonrpc":"2.0","id":1,"method":"ping"}\0', -32700, null],
  ["stray bytes", bytes(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d), -32700, null],
  ["an overlong slash", bytes(0x22, 0xc0, 0xaf, 0x22), -32700, null],
  ["the bytes of a surrogate", bytes(0x22, 0xed, 0xa0, 0x80, 0x22), -32700, null],
  ["UTF-16", Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}', "utf16le"), -32700, null],
  ["an empty batch", "[]", -32600, null],
  ["a batch of one", '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600, null],
  ["a batch of nothing", "[1,2,3]", -32600, null],
  ["a text value", '"ping"', -32600, null],
  ["null", "null", -32600, null],
  ["an empty object", "{}", -32600, null],
  ["another version", '{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600, 1],
  ["a version that is a number", '{"jsonrpc":2.0,"id":1,"method":"ping"}', -32600, 1],
  ["a null id", '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, null],
  ["an id that is true", '{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600, null],
  ["an id that is a list", '{"jsonrpc":"2.0","id":[1],"method":"ping"}', -32600, null],
  ["a fractional id", '{"jsonrpc":"2.0","id":0.5,"method":"ping"}', -32600, null],
  ["a method that is null", '{"jsonrpc":"2.0","id":"a","method":null}', -32600, "a"],
  ["a request without a method", '{"jsonrpc":"2.0","id":"a"}', -32600, "a"],
  ["params that are a list", '{"jsonrpc":"2.0","id":"a","method":"ping","params":[]}', -32602, "a"],
  ["params that are null", '{"jsonrpc":"2.0","id":"a","method":"ping","params":null}', -32602, "a"],
  ["a _meta that is text", '{"jsonrpc":"2.0","id":"a","method":"ping","params":{"_meta":"x"}}', -32602, "a"],
  ["an unknown method", '{"jsonrpc":"2.0","id":"a","method":"tools/lists"}', -32601, "a"],
  ["an empty method", '{"jsonrpc":"2.0","id":"a","method":""}', -32601, "a"],
  ["an inherited method name", '{"jsonrpc":"2.0","id":"a","method":"__proto__"}', -32601, "a"],
  ["constructor as method", '{"jsonrpc":"2.0","id":"a","method":"constructor"}', -32601, "a"],
  ["a method of clients", '{"jsonrpc":"2.0","id":"a","method":"sampling/createMessage"}', -32601, "a"],
  ["a notification with an id", '{"jsonrpc":"2.0","id":"a","method":"notifications/initialized"}', -32601, "a"],
  ["an inherited tool name", call("a", '{"name":"hasOwnProperty","arguments":{}}'), -32602, "a"],
  ["a call without params", '{"jsonrpc":"2.0","id":"a","method":"tools/call"}', -32602, "a"],
  ["arguments that are a list", call("a", '{"name":"ssh_ping","arguments":[]}'), -32602, "a"],
  ["a progress token that is an object", call("a", '{"name":"ssh_ping","_meta":{"progressToken":{}}}'), -32602, "a"],
  ["100,000 brackets", deep(100_000), -32600, null],
  ["a million open brackets", "[".repeat(1_000_000), -32600, null],
  ["100,000 objects", '{"a":'.repeat(100_000), -32600, null],
  ["brackets in arguments", call("a", `{"name":"ssh_ping","arguments":{"alias":${deep(5000)}}}`), -32600, null]
]

/** Frames that ask for nothing, and so get no answer (JSON-RPC 2.0, section 4.1). */
const IGNORED: ReadonlyArray<readonly [fact: string, frame: string | Uint8Array]> = [
  ["an empty line", ""],
  ["blanks", " \t \r"],
  ["an unsolicited result", '{"jsonrpc":"2.0","id":1,"result":{}}'],
  ["an unsolicited error", '{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"x"}}'],
  ["an error without an id", '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}'],
  ["a response that is not valid", '{"jsonrpc":"2.0","id":1,"result":7}'],
  ["an unknown notification", '{"jsonrpc":"2.0","method":"notifications/nope"}'],
  ["a request sent as a notification", '{"jsonrpc":"2.0","method":"tools/list"}'],
  ["a second initialized", '{"jsonrpc":"2.0","method":"notifications/initialized"}'],
  [
    "progress of nothing",
    '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}'
  ],
  ["a cancellation with a list", '{"jsonrpc":"2.0","method":"notifications/cancelled","params":[]}'],
  ["a cancellation without an id", '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}'],
  ["a cancellation of null", '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":null}}'],
  ["a cancellation of an object", '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}'],
  ["a cancellation of 99", '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}'],
  [
    "a cancellation of the handshake",
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1001}}'
  ]
]

/** Characters that no text for a client may hold. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/

const initialized = Effect.flatMap(makeHost(), (host) =>
  Effect.map(startInitializedServer({ environment: host.config.environment }), (server) => ({ ...host, server }))
)

/** The server still answers, its log is records, and no host heard of anything. */
const expectUnharmed = ({ server, sshd }: Pick<Effect.Success<typeof initialized>, "server" | "sshd">) =>
  Effect.gen(function* () {
    assert.deepStrictEqual((yield* server.request("ping"))["result"], {})
    assert.deepStrictEqual(yield* server.log.strangers, [])
    assert.deepStrictEqual(yield* server.log.matching({ type: "audit" }), [])
    assert.notInclude(yield* sshd.log, "Connection from")
  })

const ping = (id: unknown): string => JSON.stringify({ jsonrpc: "2.0", id, method: "ping" })

const expectPong = (server: RawServer, id: unknown) =>
  Effect.map(server.receive, (answer) => assert.deepStrictEqual(answer, { jsonrpc: "2.0", id, result: {} }))

describe("frames on stdin", () => {
  it.live("each malformed frame gets its own error and leaves the connection as it was", () =>
    Effect.gen(function* () {
      const host = yield* initialized
      const { server } = host
      for (const [fact, frame, code, id] of REFUSED) {
        yield* server.write(frame)
        yield* server.write("\n")
        const answer = yield* server.receive
        const error = Object(answer["error"])
        assert.deepStrictEqual([answer["jsonrpc"], error.code, answer["id"]], ["2.0", code, id], fact)
        assert.isString(error.message, fact)
        assert.isBelow(error.message.length, 120, fact)
        assert.notMatch(error.message, UNSAFE, fact)
      }
      yield* expectUnharmed(host)
    })
  )

  it.live("what asks for nothing gets no answer", () =>
    Effect.gen(function* () {
      const host = yield* initialized
      for (const [fact, frame] of IGNORED) {
        yield* host.server.write(frame)
        yield* host.server.write("\n")
        yield* host.server.write(`${ping(fact)}\n`)
        yield* expectPong(host.server, fact)
      }
      yield* expectUnharmed(host)
    })
  )

  it.live("an id comes back as it was sent, text and number told apart", () =>
    Effect.gen(function* () {
      const host = yield* initialized
      const ids = [
        0,
        -1,
        1,
        "1",
        "",
        "0",
        Number.MAX_SAFE_INTEGER,
        "\u0000\u2028\u202e\ud83d\ude00",
        "x".repeat(100_000)
      ]
      for (const id of ids) {
        yield* host.server.write(`${ping(id)}\n`)
        yield* expectPong(host.server, id)
      }
      yield* expectUnharmed(host)
    })
  )

  it.live("lines end by LF or CRLF, come in any pieces, and many at once", () =>
    Effect.gen(function* () {
      const host = yield* initialized
      const { server } = host
      yield* server.write(`${ping("crlf")}\r\n`)
      yield* expectPong(server, "crlf")
      for (const byte of Buffer.from(`${ping("bytes: é \u{1f680}")}\n`)) yield* server.write(bytes(byte))
      yield* expectPong(server, "bytes: é \u{1f680}")
      const many = Array.from({ length: 500 }, (_, id) => id)
      yield* server.write(many.map((id) => `${ping(id)}\n`).join(""))
      const answered = yield* Effect.forEach(many, () => server.receive)
      assert.sameMembers(
        answered.map(({ id }) => id),
        many
      )
      yield* expectUnharmed(host)
    })
  )

  it.live("a frame of 9 MiB is read, one over 10 MiB is refused and ends the connection", () =>
    Effect.gen(function* () {
      const host = yield* initialized
      const { server } = host
      const command = "x".repeat(9 * 1024 * 1024)
      yield* server.write(`${call(1, JSON.stringify({ name: "ssh_run", arguments: { alias: "web1", command } }))}\n`)
      const tooLong = JSON.stringify(yield* server.receive)
      assert.include(tooLong, "command too long (max 10000 characters)")
      assert.isBelow(tooLong.length, 1000, "the frame is not repeated to the client")
      yield* expectUnharmed(host)
      yield* Effect.forkChild(server.write("x".repeat(64 * 1024 * 1024)))
      const answer = yield* server.receive
      assert.deepInclude(Object(answer["error"]), { code: -32600 })
      assert.isNull(answer["id"])
      assert.strictEqual((yield* server.exited).signal, null)
    })
  )

  it.live("a last line without its newline is answered at the end of input, half a message is an error", () =>
    Effect.gen(function* () {
      const { config } = yield* makeHost()
      for (const [line, expected] of [
        [ping(7), { jsonrpc: "2.0", id: 7, result: {} }],
        [ping(7).slice(0, -5), { jsonrpc: "2.0", id: null, error: { code: -32700, message: "Parse error" } }]
      ] as const) {
        const server = yield* startInitializedServer({ environment: config.environment })
        yield* server.write(line)
        yield* server.endInput
        assert.deepStrictEqual(yield* server.receive, expected)
        assert.deepStrictEqual(yield* server.exited, { code: 0, signal: null })
        assert.deepStrictEqual(yield* server.log.strangers, [])
      }
    })
  )

  it.live("a prototype key in a message changes nothing but that message", () =>
    Effect.gen(function* () {
      const host = yield* initialized
      const { server } = host
      const poison = '{"alias":"web1","command":"true","isError":true,"polluted":1}'
      for (const key of ["__proto__", "constructor", "prototype"]) {
        yield* server.write(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"${key}":${poison}},"${key}":{}}\n`)
        const answer = yield* server.receive
        assert.strictEqual(answer["id"], 1)
        yield* server.write(`${call(2, `{"name":"ssh_run","arguments":{"${key}":${poison}}}`)}\n`)
        const refused = JSON.stringify(yield* server.receive)
        assert.include(refused, '"isError":true', key)
        assert.include(refused, "alias is required", key)
        assert.notInclude(refused, "polluted", key)
        const pong = yield* server.request("tools/call", { name: "ssh_ping", arguments: {} })
        assert.deepInclude(Object(pong["result"]).structuredContent, { status: "pong", hosts: 1 }, key)
        assert.notInclude(JSON.stringify(pong), "polluted")
      }
      yield* expectUnharmed(host)
    })
  )
})

describe("the handshake", () => {
  it.live("before it a request is refused and reaches nothing, a ping is answered, and it still succeeds", () =>
    Effect.gen(function* () {
      const { config, sshd } = yield* makeHost()
      const server = yield* startRawServer({ environment: config.environment })
      for (const [method, params] of [
        ["tools/list", {}],
        ["tools/call", { name: "ssh_run", arguments: { alias: "web1", command: "true" } }],
        ["resources/list", {}],
        ["prompts/list", {}],
        ["tasks/list", {}],
        ["completion/complete", {}],
        ["logging/setLevel", { level: "debug" }]
      ] as const) {
        assert.deepInclude(Object((yield* server.request(method, params))["error"]), { code: -32600 }, method)
      }
      assert.deepStrictEqual((yield* server.request("ping"))["result"], {})
      const answer = yield* server.request("initialize", INITIALIZE)
      assert.deepInclude(Object(answer["result"]), { protocolVersion: "2025-11-25" })
      yield* server.send({ jsonrpc: "2.0", method: "notifications/initialized" })
      assert.isArray(Object((yield* server.request("tools/list"))["result"]).tools)
      assert.notInclude(yield* sshd.log, "Connection from")
      assert.deepStrictEqual(yield* server.log.matching({ type: "audit" }), [])
    })
  )

  it.live("a version that is spoken is agreed to, any other gets the newest", () =>
    Effect.gen(function* () {
      const { config } = yield* makeHost()
      for (const [asked, agreed] of [
        ["2025-06-18", "2025-06-18"],
        ["2024-11-05", "2024-11-05"],
        ["2099-01-01", "2025-11-25"],
        ["", "2025-11-25"],
        ["__proto__", "2025-11-25"]
      ] as const) {
        const server = yield* startRawServer({ environment: config.environment })
        const answer = yield* server.request("initialize", { ...INITIALIZE, protocolVersion: asked })
        assert.strictEqual(Object(answer["result"]).protocolVersion, agreed, asked)
      }
    })
  )
})

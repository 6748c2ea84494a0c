import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { receiveMessage } from "../../src/mcp/ReceivedMessage.ts"

const Piece = Schema.Literals([
  "{",
  "}",
  "[",
  "]",
  '"',
  "\\",
  ",",
  ":",
  '"jsonrpc":"2.0"',
  '"id":1',
  '"id":null',
  '"method":"ping"',
  '"params":{}',
  '"params":7',
  '"result":{}',
  '"__proto__":{}',
  "é",
  " "
])

describe("receiveMessage", () => {
  it.prop(
    "is total: whatever the bytes are, it is a message, refused or ignored",
    [Schema.Array(Piece)],
    ([pieces]) => {
      const { _tag } = receiveMessage(Buffer.from(pieces.join("")))
      assert.include(["Message", "Refused", "Ignored"], _tag)
    }
  )

  it.prop(
    "never throws on a JSON object of any members",
    [Schema.Array(Piece)],
    ([pieces]) => {
      const members = pieces.filter((piece) => piece.startsWith('"') && piece.length > 1)
      const received = receiveMessage(Buffer.from(`{${members.join(",")}}`))
      if (received._tag === "Refused") assert.include([-32600, -32602], received.code)
    },
    { arbitrary: { runs: 300 } }
  )

  it("takes a hundred levels and refuses a hundred and one", () => {
    const nested = (levels: number) =>
      Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${"[".repeat(levels)}${"]".repeat(levels)}}}`)
    assert.strictEqual(receiveMessage(nested(98))._tag, "Message")
    assert.strictEqual(receiveMessage(nested(99))._tag, "Refused")
  })
})

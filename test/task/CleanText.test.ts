import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { clean, flush, initialCleanState } from "../../src/task/CleanText.ts"

const ESC = "\u001b"

/** Cleans bytes that come in the given chunks. */
const cleanChunks = (chunks: ReadonlyArray<Uint8Array>): string => {
  let state = initialCleanState
  let all = ""
  for (const chunk of chunks) {
    const [next, text] = clean(state, chunk)
    state = next
    all += text
  }
  return all + flush(state)[1]
}

const cleanAll = (text: string): string => cleanChunks([Buffer.from(text)])

const cutAt = (bytes: Uint8Array, sizes: ReadonlyArray<number>): Array<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  let at = 0
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return [...chunks, bytes.subarray(at)]
}

const FORBIDDEN = /[^\P{Cc}\t\n]|[\u2028\u2029\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e01ef}]/u

/** Text that is dense in what matters: introducers, terminators, parameters, control and multi-byte characters. */
const Dense = Schema.Array(
  Schema.Literals([
    "a",
    "plain text\n",
    "\t",
    "\r",
    "\r\n",
    "\u0000",
    "\u0007",
    "\u0018",
    "\u007f",
    ESC,
    `${ESC}[`,
    `${ESC}]`,
    `${ESC}P`,
    `${ESC}\\`,
    `${ESC}(B`,
    "31;1",
    "m",
    "?25h",
    "\\",
    "\u009b",
    "\u009c",
    "\u009d",
    "\u0085",
    "\u202e",
    "\u2028",
    "\ufeff",
    "\u{e0041}",
    "é",
    "€",
    "😀",
    "\ufffd"
  ])
)
const Byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
const Sizes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })))

describe("CleanText", () => {
  it.each([
    ["plain text is untouched", "uptime 1\n\tload\n", "uptime 1\n\tload\n"],
    ["text beyond ASCII is untouched", "é € 😀 日本\n", "é € 😀 日本\n"],
    ["carriage returns go", "a\r\nb\rc", "a\nbc"],
    ["other control characters go", "a\u0000b\u0008c\u0007d\u007fe\u000bf", "abcdef"],
    ["colours go", `${ESC}[1;31mred${ESC}[0m`, "red"],
    ["private control sequences go", `${ESC}[?25l${ESC}[2J${ESC}[Hx`, "x"],
    ["control sequences with intermediate characters go", `${ESC}[1 qx`, "x"],
    ["a title ended by BEL goes", `a${ESC}]0;evil\u0007b`, "ab"],
    ["a title ended by ST goes", `a${ESC}]0;evil${ESC}\\b`, "ab"],
    ["a title ended by the C1 form of ST goes", `a${ESC}]0;evil\u009cb`, "ab"],
    ["a hyperlink leaves its text", `${ESC}]8;;http://x/${ESC}\\link${ESC}]8;;${ESC}\\`, "link"],
    ["a clipboard write goes", `${ESC}]52;c;cm0gLXJmIC8=\u0007ok`, "ok"],
    ["device control strings go", `a${ESC}Pq#0;2;0\u0007still${ESC}\\b`, "ab"],
    ["SOS, PM and APC go", `${ESC}Xa${ESC}\\1${ESC}^b${ESC}\\2${ESC}_c${ESC}\\3`, "123"],
    ["two-character escapes go", `${ESC}7a${ESC}8${ESC}cb${ESC}=c`, "abc"],
    ["character set designations go", `${ESC}(0a${ESC}(Bb${ESC}([c`, "abc"],
    ["C1 introducers go with their sequence", "a\u009b31mb\u009d0;x\u0007c", "abc"],
    ["other C1 characters go", "a\u0085b\u0084c", "abc"],
    ["an aborted sequence ends at CAN and SUB", `${ESC}[31\u0018a${ESC}]0;x\u001ab`, "ab"],
    ["an escape inside a sequence begins a new one", `${ESC}[3${ESC}[1mx${ESC}]0;t${ESC}[1my`, "xy"],
    ["a line feed inside a control sequence is kept and ends it", `${ESC}[31\ntext`, "\ntext"],
    ["text beyond ASCII ends a control sequence", `${ESC}[é`, "é"],
    ["a truncated sequence at the end goes", `a${ESC}[31`, "a"],
    ["bidirectional controls go", "a\u202eb\u2066c\u200fd\u061ce", "abcde"],
    ["line and paragraph separators go", "a\u2028b\u2029c", "abc"],
    ["zero-width characters and byte order marks go", "\ufeffa\u200bb\u200dc\u2060d\ufeff", "abcd"],
    ["tag characters and supplementary variation selectors go", "a\u{e0041}\u{e0001}b\u{e0101}c", "abc"],
    [
      "every bidirectional control goes",
      "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069x",
      "x"
    ],
    [
      "every tag character goes",
      String.fromCodePoint(...Array.from({ length: 128 }, (_, i) => 0xe0000 + i), 0x78),
      "x"
    ],
    ["variation selectors go, which can carry bytes", "a\ufe00b\ufe0fc\u{e0100}d\u{e01ef}e", "abcde"],
    ["soft hyphens and joiners go, which can hide a word", "hun\u00adter\u034f2\u180ex", "hunter2x"],
    ["fillers go, which are letters that show nothing", "a\u115fb\u1160c\u3164d\uffa0e", "abcde"],
    ["invisible operators and deprecated format characters go", "a\u2061b\u2064c\u206ad\u206fe", "abcde"],
    ["annotations and musical format characters go", "a\ufff9b\ufffac\ufffbd\u{1d173}e", "abcde"]
  ])("%s", (_, input, expected) => {
    assert.strictEqual(cleanAll(input), expected)
  })

  it.each([
    ["a lone byte", [0xff], "\ufffd"],
    ["an overlong form", [0xc0, 0xaf], "\ufffd\ufffd"],
    ["a surrogate", [0xed, 0xa0, 0x80], "\ufffd\ufffd\ufffd"],
    ["a character cut short by text", [0xe2, 0x82, 0x41], "\ufffdA"],
    ["a character cut short by the end", [0x41, 0xf0, 0x9f, 0x98], "A\ufffd"],
    ["C1 as a raw byte", [0x9b, 0x41], "\ufffdA"]
  ])("invalid UTF-8 becomes U+FFFD: %s", (_, bytes, expected) => {
    assert.strictEqual(cleanChunks([Uint8Array.from(bytes)]), expected)
    assert.strictEqual(cleanChunks(bytes.map((byte) => Uint8Array.of(byte))), expected)
  })

  it("a sequence that never ends swallows 4096 characters and no more", () => {
    const out = cleanAll(`a${ESC}]${"x".repeat(5000)}\nend`)
    assert.strictEqual(out, `a${"x".repeat(5001 - 4096)}\nend`)
    assert.strictEqual(cleanAll(`${ESC}[${"1".repeat(5000)}`).length, 5001 - 4096)
  })

  it("plain bytes come back with the same state, all others with a new one", () => {
    assert.strictEqual(clean(initialCleanState, Buffer.from("plain\n"))[0], initialCleanState)
    assert.notStrictEqual(clean(initialCleanState, Uint8Array.of(0xff))[0], initialCleanState)
    assert.notStrictEqual(clean(initialCleanState, Buffer.from("é"))[0], initialCleanState)
  })

  it("the bytes of a chunk may be reused after it was cleaned", () => {
    const chunk = Uint8Array.from([0x41, 0xe2, 0x82])
    const [state] = clean(initialCleanState, chunk)
    chunk.fill(0)
    assert.strictEqual(clean(state, Uint8Array.of(0xac))[1], "€")
  })

  const options = { arbitrary: { runs: 400 } }

  it.prop(
    "any chunking of text gives the same text",
    [Dense, Sizes],
    ([parts, sizes]) => {
      const bytes = Buffer.from(parts.join(""))
      assert.strictEqual(cleanChunks(cutAt(bytes, sizes)), cleanChunks([bytes]))
    },
    options
  )

  it.prop(
    "any chunking of any bytes gives the same text",
    [Schema.Array(Byte), Sizes],
    ([raw, sizes]) => {
      const bytes = Uint8Array.from(raw)
      assert.strictEqual(cleanChunks(cutAt(bytes, sizes)), cleanChunks([bytes]))
    },
    options
  )

  it.prop(
    "nothing forbidden comes out, and cleaning again changes nothing",
    [Dense, Schema.Array(Byte)],
    ([parts, raw]) => {
      for (const bytes of [Buffer.from(parts.join("")), Uint8Array.from(raw)]) {
        const once = cleanChunks([bytes])
        assert.notMatch(once, FORBIDDEN)
        assert.strictEqual(cleanAll(once), once)
      }
    },
    options
  )
})

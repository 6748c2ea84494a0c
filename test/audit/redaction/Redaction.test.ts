import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  flushRedaction,
  initialRedactionState,
  makeRedaction,
  maskText,
  redact,
  type Redaction
} from "../../../src/audit/redaction/Redaction.ts"

const shapes = makeRedaction({ secrets: [], shapes: true })

interface Output {
  readonly text: string
  readonly masked: number
  /** The most bytes that were held back at once. */
  readonly held: number
}

/** Redacts a text that comes in the given chunks. */
const redactChunks = (redaction: Redaction | undefined, chunks: ReadonlyArray<Uint8Array>): Output => {
  if (redaction === undefined) return { text: Buffer.concat(chunks).toString(), masked: 0, held: 0 }
  let state = initialRedactionState
  let masked = 0
  let held = 0
  const shown: Array<Uint8Array> = []
  for (const chunk of chunks) {
    const next = redact(redaction, state, chunk)
    state = next.state
    shown.push(next.shown)
    masked += next.masked
    held = Math.max(held, state.held.length)
  }
  const end = flushRedaction(redaction, state)
  return { text: Buffer.concat([...shown, end.shown]).toString(), masked: masked + end.masked, held }
}

const inOne = (redaction: Redaction | undefined, text: string): Output => redactChunks(redaction, [Buffer.from(text)])

const byteByByte = (redaction: Redaction | undefined, text: string): Output =>
  redactChunks(
    redaction,
    Array.from(text, (character) => Buffer.from(character))
  )

/** A string of `length` characters, no two neighbours alike. */
const filler = (length: number, alphabet = "Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv"): string =>
  alphabet.repeat(Math.ceil(length / alphabet.length)).slice(0, length)

const A36 = filler(36)
const PEM_LINE = filler(64)
const pem = (label: string, lines: ReadonlyArray<string>, separator = "\n"): string =>
  [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join(separator)

const KEY = maskText("private-key")
const TOKEN = maskText("token")
const AWS = maskText("aws-key")
const URL_MASK = maskText("url-password")

describe("the shapes that are masked", () => {
  const cases: ReadonlyArray<readonly [string, string, string]> = [
    ["an OpenSSH key", `a\n${pem("OPENSSH PRIVATE KEY", [PEM_LINE, PEM_LINE, "AAAA="])}\nb`, `a\n${KEY}\nb`],
    ["a short key", pem("PRIVATE KEY", ["b3BlbnNzaC1rZXktdjE="]), KEY],
    ...["RSA", "EC", "DSA", "ENCRYPTED"].map((label): readonly [string, string, string] => [
      `${label} key`,
      pem(`${label} PRIVATE KEY`, [PEM_LINE]),
      KEY
    ]),
    [
      "an encrypted key with headers",
      pem("RSA PRIVATE KEY", ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,0123456789ABCDEF", "", PEM_LINE, "ab="]),
      KEY
    ],
    ["an indented key", pem("RSA PRIVATE KEY", [PEM_LINE, PEM_LINE, "Ab1="], "\n    "), KEY],
    [
      "a key in JSON",
      `{"k":"${pem("PRIVATE KEY", [PEM_LINE, PEM_LINE, "Ab="], "\\n")}\\n","b":1}`,
      `{"k":"${KEY}\\n","b":1}`
    ],
    ["a key on one line", pem("PRIVATE KEY", [filler(1700)]), KEY],
    [
      "a key that was cut",
      `-----BEGIN RSA PRIVATE KEY-----\n${PEM_LINE}\n${PEM_LINE}\nuptime: 3 days`,
      `${KEY}\nuptime: 3 days`
    ],
    ["a key that ends with the text", `-----BEGIN RSA PRIVATE KEY-----\n${PEM_LINE}\nAb1Cd`, KEY],
    [
      "the first lines of keys, as grep finds them",
      "/etc/a.key:-----BEGIN RSA PRIVATE KEY-----\n/etc/b.key:-----BEGIN PRIVATE KEY-----\n",
      `/etc/a.key:${KEY}\n/etc/b.key:${KEY}\n`
    ],
    ["an AWS access key id", "id AKIAIOSFODNN7EXAMPLE, ok", `id ${AWS}, ok`],
    ["a temporary one", "ASIAABCDEFGH01234567", AWS],
    ["an AWS secret in a profile", `aws_secret_access_key = ${filler(40)}\n`, `aws_secret_access_key = ${AWS}\n`],
    ["in an environment", `AWS_SECRET_ACCESS_KEY=${filler(39)}/`, `AWS_SECRET_ACCESS_KEY=${AWS}`],
    ["in JSON", `"SecretAccessKey": "${filler(40)}",`, `"SecretAccessKey": "${AWS}",`],
    ["in XML", `<SecretAccessKey>${filler(40)}</SecretAccessKey>`, `<SecretAccessKey>${AWS}</SecretAccessKey>`],
    ...["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_"].map((prefix): readonly [string, string, string] => [
      prefix,
      `(${prefix}${A36})`,
      `(${TOKEN})`
    ]),
    ["github_pat_", `github_pat_${filler(22)}_${filler(59)}`, TOKEN],
    ["glpat-", `glpat-${filler(20)} x`, `${TOKEN} x`],
    ["glpat- with its later form", `glpat-${filler(27)}.01.abcdefghi x`, `${TOKEN} x`],
    ...["a", "b", "p", "r", "s"].map((letter): readonly [string, string, string] => [
      `xox${letter}-`,
      `xox${letter}-123456789012-1234567890123-${filler(24)}`,
      TOKEN
    ]),
    ["sk_live_", `sk_live_${filler(24)}`, TOKEN],
    ["rk_live_", `rk_live_${filler(99)}`, TOKEN],
    ["a Google key", `key=AIza${filler(35)}&x=1`, `key=${TOKEN}&x=1`],
    ["sk-ant-", `sk-ant-api03-${filler(93)}AA\n`, `${TOKEN}\n`],
    ["sk-proj-", `OPENAI_API_KEY=sk-proj-${filler(48)}`, `OPENAI_API_KEY=${TOKEN}`],
    ["pypi-", `pypi-AgEIcHlwaS5vcmc${filler(60)}`, TOKEN],
    ["dop_v1_", `dop_v1_${filler(64, "0123456789abcdef")}`, TOKEN],
    ["hvs.", `hvs.${filler(90)}`, TOKEN],
    ["SendGrid", `SG.${filler(22)}.${filler(43)}`, TOKEN],
    ["a JSON Web Token", `t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${filler(43)};`, `t=${TOKEN};`],
    ["a bearer token", "Authorization: Bearer eyJhbGciOi.x.y", `Authorization: Bearer ${TOKEN}`],
    ["in lower case and in JSON", `{"authorization":"bearer ${filler(20)}"}`, `{"authorization":"bearer ${TOKEN}"}`],
    ["basic credentials", "authorization: Basic dXNlcjpwYXNz", `authorization: Basic ${TOKEN}`],
    ["a password in a URL", "postgres://app:hunter2@db:5432/x", `postgres://app:${URL_MASK}@db:5432/x`],
    ["without a user, in a list", "redis://:pw@a,redis://:pw@b", `redis://:${URL_MASK}@a,redis://:${URL_MASK}@b`],
    ["with an @ in it", "https://u:p@ss@example.com/", `https://u:${URL_MASK}@example.com/`],
    ["two in a line", `${A36} ghp_${A36} ghp_${A36}`, `${A36} ${TOKEN} ${TOKEN}`]
  ]
  for (const [name, text, expected] of cases) {
    it(name, () => {
      assert.strictEqual(inOne(shapes, text).text, expected)
      assert.strictEqual(byteByByte(shapes, text).text, expected)
    })
  }

  it("a private key that never ends hides 32 KiB and no more than a line beyond", () => {
    const text = `-----BEGIN RSA PRIVATE KEY-----\n${`${PEM_LINE}\n`.repeat(1000)}`
    const { text: shown } = inOne(shapes, text)
    assert.isTrue(shown.startsWith(KEY))
    assert.approximately(text.length - shown.length, 32 * 1024, 200)
  })
})

describe("what only looks like a secret stays", () => {
  it.each([
    ["a git hash", "commit 9308e30aa0c0ffee9308e30aa0c0ffee9308e30a"],
    ["a uuid", "123e4567-e89b-42d3-a456-426614174000"],
    ["a sha256 sum", `${filler(64, "0123456789abcdef")}  file`],
    ["a certificate", pem("CERTIFICATE", [PEM_LINE, PEM_LINE, "Ab="])],
    ["a public key in PEM", pem("PUBLIC KEY", [PEM_LINE])],
    ["an OpenSSH public key", `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${filler(43)} user@host`],
    ["a fingerprint", `SHA256:${filler(43)}`],
    ["base64 of JSON", Buffer.from(JSON.stringify({ alg: "x".repeat(600) })).toString("base64")],
    ["a prefix with too little after it", `ghp_${filler(35)} npm_${filler(35)} AKIA${"A".repeat(15)} hvs.a.b`],
    ["an AWS id with too much after it", `AKIA${"A".repeat(17)}`],
    ["a prefix inside a word", `xghp_${A36} xAKIA${"A".repeat(16)} task-proj-${filler(30)}`],
    ["npm's own variables", "npm_config_registry_and_a_long_name_that_goes_on=1"],
    ["names that begin like a token", "pypi-server sk-antelope xoxb- hvs.conf SG.x glpat-notes sk_live_mode"],
    ["a name without a value", "aws_secret_access_key is not set; AWS_SECRET_ACCESS_KEY="],
    ["a value of another length", `aws_secret_access_key=${filler(41)}`],
    ["the header's name", "Authorization: Bearer <token>, Authorization: Negotiate"],
    ["a word about it", "unauthorized: bearer of bad news"],
    ["URLs without a password", "https://example.com:8443/a@b ssh://git@host:22/x http://[::1]:80/ a://b c://d@e"],
    ["an address and a time", "root@web 12:30 user:group x://"],
    ["rules of dashes", `${"-".repeat(70)}\n-----BEGIN\n`]
  ])("%s", (_, text) => {
    assert.deepInclude(inOne(shapes, text), { text, masked: 0 })
    assert.deepInclude(byteByByte(shapes, text), { text, masked: 0 })
  })
})

const KNOWN = maskText("known-secret")
const known = (...secrets: ReadonlyArray<string>) => makeRedaction({ secrets, shapes: false })

describe("known secrets", () => {
  it.each([
    ["exactly, anywhere", ["hunter2"], "password=hunter2;xhunter2y", `password=${KNOWN};x${KNOWN}y`],
    ["inside JSON", ['pa"ss\\1'], '{"p":"pa\\"ss\\\\1"}', `{"p":"${KNOWN}"}`],
    ["in a URL and a form", ["p@ss w/rd"], "a=p%40ss%20w%2Frd b=p%40ss+w%2Frd", `a=${KNOWN} b=${KNOWN}`],
    ["beyond ASCII", ["pässwörd"], "é pässwörd é", `é ${KNOWN} é`],
    [
      "the longest of several that begin alike",
      ["pass", "password", "passport1"],
      "passw password passport",
      `${KNOWN}w ${KNOWN} ${KNOWN}port`
    ],
    ["as one mask where they overlap", ["abcdef", "defghi"], "xabcdefghix", `x${KNOWN}x`],
    ["over line breaks", ["one\ntwo"], "one\ntwo\n", `${KNOWN}\n`],
    ["of four bytes", ["four"], "four fou", `${KNOWN} fou`],
    ["not of three: ordinary words would go", ["abc"], "abcabc", "abcabc"],
    ["in part at the end", ["hunter2"], "hunter", "hunter"]
  ])("%s", (_, secrets, text, expected) => {
    assert.strictEqual(inOne(known(...secrets), text).text, expected)
    assert.strictEqual(byteByByte(known(...secrets), text).text, expected)
  })

  it("one that is longer than what may be held is masked in pieces, and none of it is left", () => {
    const secret = filler(5000, "abcdefgäöü0123456789")
    const { held, text } = byteByByte(known(secret), `a${secret}b`)
    assert.match(text, /^a(\[redacted:known-secret\])+b$/)
    assert.isAtMost(held, 512)
  })

  it("one with characters that end a shape is masked whole inside it", () => {
    const redaction = makeRedaction({ secrets: ["p!ss/w0rd", "tok!en/value"], shapes: true })
    const { masked, text } = inOne(redaction, "db://u:p!ss/w0rd@h Authorization: Bearer tok!en/value\n")
    assert.strictEqual(text, `db://u:${KNOWN}@h Authorization: Bearer ${KNOWN}\n`)
    assert.strictEqual(masked, 2)
  })

  it("nothing to look for is no redaction at all", () => {
    assert.isUndefined(known())
    assert.isUndefined(known("", "abc"))
  })
})

describe("a text that comes in pieces", () => {
  const secrets = ["hunter2", "hunt", "2-----BEGIN", "yJhb", "größe€"]
  const all = makeRedaction({ secrets, shapes: true })

  /** Text that is dense in beginnings, ends and near-misses. */
  const Dense = Schema.Array(
    Schema.Literals([
      "a",
      " ",
      "\n",
      "-",
      "--",
      ".",
      ":",
      "@",
      "/",
      "\\n",
      "\\",
      "=",
      '"',
      "é",
      "hunter2",
      "hunt",
      "er2",
      "größ",
      "e€",
      "-----BEGIN PRIVATE KEY-----",
      "-----END PRIVATE KEY-----",
      `\n${PEM_LINE}`,
      "\nAb1Cd",
      `ghp_${A36}`,
      "http://u:p@",
      `eyJhbGciOiJI.eyJhbGci.`,
      `AKIA${"A".repeat(16)}`,
      `authorization: basic ${A36}`,
      `secret_access_key=${filler(40)}`,
      "-----BEGIN ",
      "RSA PRIVATE KEY-----",
      "PRIVATE KEY-----",
      "-----END ",
      "Proc-Type: ",
      "4,ENCRYPTED",
      filler(16),
      filler(63),
      filler(130),
      "ghp_",
      A36,
      "AKIA",
      "A".repeat(16),
      "sk-ant-",
      "eyJ",
      "hbGciOiJI",
      ".eyJ",
      "http://u:",
      "p@",
      "://",
      "Authorization",
      ": ",
      "Bearer ",
      "tokentok",
      "secret_access_key",
      "=",
      filler(40),
      "xoxb-",
      "glpat-"
    ])
  )
  const Sizes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 })))

  it.prop(
    "any chunking gives the same text and count as one chunk, and holds at most 512 bytes",
    [Dense, Sizes],
    ([parts, sizes]) => {
      const characters = Array.from(parts.join(""))
      const chunks: Array<Buffer> = []
      let at = 0
      for (const size of sizes) {
        chunks.push(Buffer.from(characters.slice(at, at + size).join("")))
        at += size
      }
      chunks.push(Buffer.from(characters.slice(at).join("")))
      const whole = inOne(all, parts.join(""))
      const pieces = redactChunks(all, chunks)
      const single = byteByByte(all, parts.join(""))
      assert.strictEqual(pieces.text, whole.text)
      assert.strictEqual(pieces.masked, whole.masked)
      assert.strictEqual(single.text, whole.text)
      assert.strictEqual(single.masked, whole.masked)
      assert.isAtMost(Math.max(pieces.held, single.held, whole.held), 512)
      for (const secret of secrets) assert.notInclude(whole.text, secret)
    },
    { arbitrary: { runs: 1000 } }
  )

  it("only what may be the beginning of a secret is held back", () => {
    const redaction = makeRedaction({ secrets: ["hunter2"], shapes: true })
    const heldOf = (text: string): string =>
      redaction === undefined
        ? ""
        : Buffer.from(redact(redaction, initialRedactionState, Buffer.from(text)).state.held).toString()
    assert.strictEqual(heldOf("Downloading"), "")
    assert.strictEqual(heldOf("Password: "), "")
    assert.strictEqual(heldOf("line\n"), "")
    assert.strictEqual(heldOf("x hun"), "hun")
    assert.strictEqual(heldOf(`(ghp_${A36}`), `ghp_${A36}`)
    assert.strictEqual(heldOf(`ghp_${A36}\n`), "")
  })

  it("plain bytes come back as they are, and the chunk may be reused", () => {
    const redaction = makeRedaction({ secrets: ["hunter2"], shapes: true })
    if (redaction === undefined) return assert.fail("no redaction")
    const plain = Buffer.from("nothing of note\n")
    assert.strictEqual(redact(redaction, initialRedactionState, plain).shown, plain)
    const chunk = Buffer.from("x hunt")
    const { state } = redact(redaction, initialRedactionState, chunk)
    chunk.fill(0)
    assert.strictEqual(Buffer.from(redact(redaction, state, Buffer.from("ing\n")).shown).toString(), "hunting\n")
  })
})

describe("the work is bounded", () => {
  const many = Array.from({ length: 1000 }, (_, i) => `pass${i * 7919}word`)
  const redaction = makeRedaction({ secrets: [...many, "aaaaaaaaaaaaaaaaaaaaaaaab"], shapes: true })

  /** CPU milliseconds, as this machine may do other things. */
  const spent = (text: string): number => {
    const chunks = Array.from({ length: Math.ceil(text.length / 32_768) }, (_, i) =>
      Buffer.from(text.slice(i * 32_768, (i + 1) * 32_768))
    )
    const from = process.cpuUsage()
    redactChunks(redaction, chunks)
    const { system, user } = process.cpuUsage(from)
    return (user + system) / 1000
  }

  it.each([
    ["beginnings of known secrets", "pass"],
    ["the longest way into one", "a"],
    ["dashes", "-"],
    ["first lines of keys", "-----BEGIN RSA PRIVATE KEY-----\n"],
    ["schemes", "a://"],
    ["users without a host", "a://u:p"],
    ["prefixes", "ghp_ sk-ant- "],
    ["parts of tokens", "eyJaaaaaaaa.eyJaaaa."],
    ["tokens in tokens", "eyJaaaaaaaa."],
    ["headers", "authorization: bearer abcdefgh"],
    ["names", "secret_access_key="],
    ["separators in a key", "-----BEGIN RSA PRIVATE KEY-----\n\\n\\n\\n\\n\\n\\n"]
  ])("four times the text of near-misses takes about four times as long: %s", (_, unit) => {
    const small = unit.repeat(Math.ceil(262_144 / unit.length))
    spent(small)
    const once = spent(small)
    const four = spent(small.repeat(4))
    assert.isBelow(four, Math.max(12 * once, 400))
    assert.isBelow(four, 4000)
  })
})

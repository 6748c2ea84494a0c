import { anyCase, type ByteClass, bytesOf, complementOf, literal, many, mask, not, type Step } from "./RedactionStep.ts"

/** What a mask says about what it hides. */
export type RedactionKind = "known-secret" | "private-key" | "aws-key" | "token" | "url-password"

/** A well-known form of secret. What is masked can be told from the text alone. */
export interface Shape {
  readonly kind: RedactionKind
  /** ASCII texts: the shape begins with one of them. The four characters from `anchorAt` on are what is searched for. */
  readonly anchors: ReadonlyArray<string>
  /** 0 to `MAX_ANCHOR_AT`. */
  readonly anchorAt: number
  /** The byte before the shape must not be one of these. */
  readonly notAfter: ByteClass | undefined
  readonly steps: ReadonlyArray<Step>
  /** What belongs to the secret after the steps: a run of such bytes, however long, or the body of a private key. */
  readonly rest: ByteClass | "key-body" | undefined
}

const DIGITS = "0123456789"
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
const LOWER = "abcdefghijklmnopqrstuvwxyz"

const ALPHANUMERIC = bytesOf(UPPER + LOWER + DIGITS)
const WORD = bytesOf(`${UPPER}${LOWER}${DIGITS}_`)
/** base64url (RFC 4648 §5). */
const URL_SAFE = bytesOf(`${UPPER}${LOWER}${DIGITS}_-`)
const DOTTED = bytesOf(`${UPPER}${LOWER}${DIGITS}_-.`)
const HEX = bytesOf(`${DIGITS}abcdef`)
const BASE64 = bytesOf(`${UPPER}${LOWER}${DIGITS}+/=`)
const DASHED = bytesOf(`${UPPER}${LOWER}${DIGITS}-`)
/** The credentials of RFC 6750 §2.1 and RFC 7617, and what is left of them in percent form. */
const CREDENTIALS = bytesOf(`${UPPER}${LOWER}${DIGITS}-._~+/=%`)
const BLANK = bytesOf(" \t")
/** Around a name or a value, escaped or as an index. */
const QUOTE = bytesOf("\"'\\]")
/** Between a name and its value: of shells, JSON, YAML, programs and XML. */
const ASSIGNMENT = bytesOf("=:>")

const outside = (text: string): ByteClass => {
  const set = complementOf(bytesOf(text))
  // Control characters; a cleaned text has none but tab and line feed.
  return set.fill(0, 0, 0x21)
}
/** What the user part of an authority may hold (RFC 3986 §3.2.1), widely taken. */
const USER = outside("/:@\"'<>`?#[]|")
/** A password, with the characters that should have been written in percent form. Not the mark of a redaction. */
const PASSWORD = outside("/\"'<>`[]|")

const AT = 0x40

/** The characters of a set, by code. */
const membersOf = (set: ByteClass): string =>
  Array.from(set, (member, byte) => (member === 1 ? String.fromCharCode(byte) : "")).join("")

const followedBy = (text: string, characters: string): ReadonlyArray<string> =>
  Array.from(characters, (character) => text + character)

const token = (anchors: string | ReadonlyArray<string>, steps: ReadonlyArray<Step>, rest?: ByteClass): Shape => ({
  kind: "token",
  anchors: typeof anchors === "string" ? [anchors] : anchors,
  anchorAt: 0,
  notAfter: URL_SAFE,
  steps,
  rest
})

/** A token of exactly `length` to `max` members after its prefix. */
const exactly = (prefixes: ReadonlyArray<string>, set: ByteClass, length: number, max: number = length): Shape =>
  token(prefixes, [literal(...prefixes), many(set, length, max), not(WORD)])

/** A token of at least `length` members after its prefix. */
const atLeast = (prefixes: ReadonlyArray<string>, set: ByteClass, length: number, rest: ByteClass = set): Shape =>
  token(prefixes, [literal(...prefixes), many(set, length)], rest)

const PRIVATE_KEY: Shape = {
  kind: "private-key",
  anchors: ["-----BEGIN "],
  // Rules made of dashes are common.
  anchorAt: 3,
  notAfter: undefined,
  steps: [
    literal("-----BEGIN "),
    literal(
      ...["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", "ANY "].map((label) => `${label}PRIVATE KEY-----`),
      "PGP PRIVATE KEY BLOCK-----"
    )
  ],
  rest: "key-body"
}

const AWS_KEY_ID: Shape = {
  kind: "aws-key",
  anchors: ["AKIA", "ASIA"],
  anchorAt: 0,
  notAfter: WORD,
  steps: [literal("AKIA", "ASIA"), many(bytesOf(UPPER + DIGITS), 16), not(WORD)],
  rest: undefined
}

/** `aws_secret_access_key = …`, `"SecretAccessKey": "…"` and the like: only the value, which is 40 characters long. */
const awsSecret = (anchors: ReadonlyArray<string>, notAfter: ByteClass | undefined): Shape => ({
  kind: "aws-key",
  anchors,
  anchorAt: 0,
  notAfter,
  steps: [
    anyCase("secret"),
    many(bytesOf("_-"), 0, 1),
    anyCase("access"),
    many(bytesOf("_-"), 0, 1),
    anyCase("key"),
    many(QUOTE, 0, 3),
    many(BLANK, 0, 16),
    many(ASSIGNMENT, 1, 2),
    many(BLANK, 0, 16),
    many(QUOTE, 0, 2),
    mask,
    many(BASE64, 40),
    not(BASE64)
  ],
  rest: undefined
})

/** The value of an Authorization header (RFC 9110 §11.6.2), also as a JSON member or in a curl command. */
const AUTHORIZATION: Shape = {
  kind: "token",
  anchors: ["auth", "Auth", "AUTH"],
  anchorAt: 0,
  notAfter: ALPHANUMERIC,
  steps: [
    anyCase("authorization"),
    many(QUOTE, 0, 2),
    many(BLANK, 0, 16),
    many(ASSIGNMENT, 1, 1),
    many(BLANK, 0, 16),
    many(QUOTE, 0, 2),
    anyCase("bearer", "basic", "token"),
    many(BLANK, 1, 16),
    mask,
    many(CREDENTIALS, 8)
  ],
  rest: CREDENTIALS
}

/** `scheme://user:PASSWORD@` (RFC 3986 §3.2.1): only the password. Begins after the scheme. */
const URL_PASSWORD: Shape = {
  kind: "url-password",
  anchors: followedBy("://", `:${membersOf(USER)}`),
  anchorAt: 0,
  notAfter: complementOf(ALPHANUMERIC),
  steps: [
    literal("://"),
    many(USER, 0, 128),
    literal(":"),
    mask,
    { _tag: "UpToLast", set: PASSWORD, stop: AT, max: 256 }
  ],
  rest: undefined
}

/** A JSON Web Token (RFC 7519 §3): header and payload are JSON objects, which begin with `{"`. */
const JWT: Shape = token(
  followedBy("eyJ", UPPER + LOWER + DIGITS),
  [literal("eyJ"), many(URL_SAFE, 8, 384), literal(".eyJ"), many(URL_SAFE, 4)],
  DOTTED
)

/**
 * The shapes that are masked unless `redact_output` is false. Each has a fixed prefix or name, an alphabet and a length,
 * so that hashes, identifiers, certificates and public keys are left alone.
 */
export const SHAPES: ReadonlyArray<Shape> = [
  PRIVATE_KEY,
  AWS_KEY_ID,
  awsSecret(["secr", "SECR"], ALPHANUMERIC),
  awsSecret(["Secr"], undefined),
  AUTHORIZATION,
  URL_PASSWORD,
  JWT,
  // GitHub
  exactly(["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], ALPHANUMERIC, 36, 255),
  exactly(["github_pat_"], WORD, 82, 255),
  // GitLab
  atLeast(["glpat-"], URL_SAFE, 20, DOTTED),
  // Slack
  atLeast(["xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-"], DASHED, 20),
  // Stripe
  atLeast(["sk_live_", "rk_live_"], ALPHANUMERIC, 24),
  // Google
  token("AIza", [literal("AIza"), many(URL_SAFE, 35), not(URL_SAFE)]),
  // Anthropic, OpenAI
  atLeast(["sk-ant-", "sk-proj-", "sk-svcacct-"], URL_SAFE, 20),
  exactly(["npm_"], ALPHANUMERIC, 36),
  atLeast(["pypi-"], URL_SAFE, 50),
  // DigitalOcean
  exactly(["dop_v1_", "doo_v1_", "dor_v1_"], HEX, 64),
  // HashiCorp Vault
  atLeast(["hvs."], URL_SAFE, 24),
  // SendGrid
  token(followedBy("SG.", `${UPPER}${LOWER}${DIGITS}_-`), [
    literal("SG."),
    many(URL_SAFE, 22),
    literal("."),
    many(URL_SAFE, 43),
    not(URL_SAFE)
  ])
]

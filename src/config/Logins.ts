import { createHash } from "node:crypto"
import { Clock, Effect, Option, Path, Redacted, Result } from "effect"
import { certificateDefect, certificateTime, decodeCertificate, validityAt } from "./Certificates.ts"
import { mapContainerPath } from "./ContainerPath.ts"
import { type Login, MIN_MASKED_SECRET } from "./Credential.ts"
import type { CredentialEntry } from "./CredentialEntry.ts"
import { problemAt } from "./Decoded.ts"
import { Directories } from "./Directories.ts"
import { environmentVariable } from "./Environment.ts"
import type { FileUnreadable } from "./errors.ts"
import type { SecretName } from "./Names.ts"
import type { Problem } from "./Problem.ts"
import { type FileContent, isReadableByOthers, readConfinedFile, utf8 } from "./RegularFile.ts"
import type { Secrets } from "./Secrets.ts"
import { parseKeyLine } from "./SshWire.ts"
import type { YamlFile } from "./YamlFile.ts"

/** Bytes of a private key, a public key or a certificate; a private RSA key of 16,384 bits has 13 KiB. */
const MAX_KEY = 64 * 1024

/** Files read at the same time. */
const READERS = 8

/** What came of one credential. */
export interface LoadedLogin {
  /** Success without a method: nothing usable is configured, which `loadConfig` tells for each host. */
  readonly login: Result.Result<Login, Problem>
  /** Everything found, the failure included. */
  readonly problems: ReadonlyArray<Problem>
}

const keyMessage = ({ reason }: FileUnreadable): string => {
  switch (reason) {
    case "not found":
      return "SSH key file not found: Check key path configuration"
    case "outside the directory":
      return "key file is outside the keys directory"
    case "too large":
      return "key file is larger than 64 KiB"
    default:
      return `key file cannot be read: ${reason}`
  }
}

const certificateMessage = ({ reason }: FileUnreadable): string => {
  switch (reason) {
    case "not found":
      return "certificate file not found"
    case "outside the directory":
      return "certificate file is outside the keys directory"
    case "too large":
      return "certificate file is larger than 64 KiB"
    default:
      return `certificate file cannot be read: ${reason}`
  }
}

/** A certificate as far as it can be judged without its key. */
interface JudgedCertificate {
  /** Absent: it cannot be used. */
  readonly bytes?: Uint8Array
  readonly message?: string
}

/** Decodes a certificate file. One that is not valid now is kept: time passes, and the reason is told at each connect. */
const judgeCertificate = (content: FileContent, millis: number): JudgedCertificate => {
  const bytes = Option.getOrUndefined(Option.map(utf8(content.bytes), parseKeyLine))
  const decoded = decodeCertificate(bytes ?? new Uint8Array())
  if (Result.isFailure(decoded) || bytes === undefined) {
    return { message: `certificate file holds ${Result.isFailure(decoded) ? decoded.failure : "no certificate"}` }
  }
  const certificate = decoded.success
  const defect = certificateDefect(certificate)
  if (defect !== undefined) return { message: `certificate file holds ${defect}` }
  switch (validityAt(certificate, millis)) {
    case "expired":
      return { bytes, message: `certificate expired at ${certificateTime(certificate.validBefore)}` }
    case "not yet":
      return { bytes, message: `certificate is not valid before ${certificateTime(certificate.validAfter)}` }
    case "valid":
      return { bytes }
  }
}

/** SHA-256 over everything that a login is made of, so that any change of it is a change of the digest. */
const digestOf = (parts: ReadonlyArray<string | undefined>): string =>
  createHash("sha256")
    .update(JSON.stringify(parts.map((part) => part ?? null)))
    .digest("hex")

const readKey = Effect.fnUntraced(function* (written: string) {
  const path = yield* Path.Path
  const directories = yield* Directories
  return yield* readConfinedFile(directories.keys, mapContainerPath(path, directories, written), MAX_KEY)
})

/** Adds to the problems of an entry. */
type Note = (severity: Problem["severity"], key: keyof CredentialEntry, message: string) => void

const readCertificate = Effect.fnUntraced(function* (entry: CredentialEntry, note: Note) {
  if (entry.certificate_path === undefined) return undefined
  if (entry.key_path === undefined) {
    note("error", "certificate_path", "a certificate needs its private key: set key_path (an agent's key does not do)")
    return undefined
  }
  const content = yield* Effect.result(readKey(entry.certificate_path))
  if (Result.isFailure(content)) {
    note("error", "certificate_path", certificateMessage(content.failure))
    return undefined
  }
  const { bytes, message } = judgeCertificate(content.success, yield* Clock.currentTimeMillis)
  if (message !== undefined) note(bytes === undefined ? "error" : "warning", "certificate_path", message)
  return bytes
})

const loadLogin = Effect.fn("Logins.load")(function* (
  file: YamlFile,
  entry: CredentialEntry,
  index: number,
  secrets: Secrets
) {
  const report = problemAt(file)
  const problems: Array<Problem> = []
  const note: Note = (severity, key, message) => {
    problems.push(report(severity, ["entries", index, key], message))
  }
  const secret = Effect.fnUntraced(function* (
    key: "key_passphrase_secret" | "password_secret",
    name: SecretName | undefined
  ) {
    if (name === undefined) return undefined
    const resolved = yield* secrets.resolve(name, entry.env ?? false)
    if (Result.isFailure(resolved)) {
      note("error", key, resolved.failure)
      return undefined
    }
    if (resolved.success.warning !== undefined) note("warning", key, resolved.success.warning)
    return resolved.success.value
  })
  const keyText = (content: FileContent): Redacted.Redacted<string> | undefined => {
    if (isReadableByOthers(content.mode)) {
      note("warning", "key_path", "key file is readable by group or others (chmod 600)")
    }
    const text = utf8(content.bytes)
    if (Option.isSome(text)) return Redacted.make(text.value, { label: "key" })
    note("error", "key_path", "key file is not text in PEM or OpenSSH form")
    return undefined
  }

  const content = entry.key_path === undefined ? undefined : yield* Effect.result(readKey(entry.key_path))
  const publicKey =
    entry.agent === true && entry.key_path !== undefined
      ? yield* Effect.option(readKey(`${entry.key_path}.pub`))
      : Option.none()
  const preferred = publicKey.pipe(
    Option.flatMap(({ bytes }) => utf8(bytes)),
    Option.flatMapNullishOr(parseKeyLine),
    Option.getOrUndefined
  )
  // With the public key there, the private one may well be in the agent only, as with ssh's IdentityFile.
  const isInAgent = preferred !== undefined && content !== undefined && Result.isFailure(content)
  if (content !== undefined && Result.isFailure(content) && !(isInAgent && content.failure.reason === "not found")) {
    note("error", "key_path", keyMessage(content.failure))
  }
  const pem = content !== undefined && Result.isSuccess(content) ? keyText(content.success) : undefined
  const passphrase = yield* secret("key_passphrase_secret", entry.key_passphrase_secret)
  const named = yield* secret("password_secret", entry.password_secret)
  if (entry.password !== undefined) note("warning", "password", "a password in a file; prefer password_secret")
  const password = named ?? (entry.password_secret === undefined ? entry.password : undefined)
  const warnShort = (key: keyof CredentialEntry, value: Redacted.Redacted<string> | undefined): void => {
    if (value === undefined || Buffer.byteLength(Redacted.value(value)) >= MIN_MASKED_SECRET) return
    note("warning", key, `shorter than ${MIN_MASKED_SECRET} bytes: it is not masked in output`)
  }
  warnShort("key_passphrase_secret", passphrase)
  warnShort(named === undefined ? "password" : "password_secret", password)
  const certificate = yield* readCertificate(entry, note)
  const socket = entry.agent === true ? Option.getOrUndefined(yield* environmentVariable("SSH_AUTH_SOCK")) : undefined
  if (entry.agent === true && socket === undefined) {
    note("warning", "agent", "SSH_AUTH_SOCK is not set; an MCP client passes it only when its config lists it in env")
  }

  const failure = problems.find(({ severity }) => severity === "error")
  if (failure !== undefined) {
    const loaded: LoadedLogin = { login: Result.fail(failure), problems }
    return loaded
  }
  const agent: Login["agent"] =
    entry.agent === true ? { socket, ...(preferred === undefined ? {} : { preferred }) } : undefined
  const base64 = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("base64")
  const login: Login = {
    username: entry.username,
    ...(pem === undefined ? {} : { key: { pem, ...(passphrase === undefined ? {} : { passphrase }) } }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(agent === undefined ? {} : { agent }),
    ...(password === undefined ? {} : { password }),
    digest: digestOf([
      entry.username,
      ...[pem, passphrase, password].map((part) => part && Redacted.value(part)),
      base64(certificate),
      agent && String(agent.socket),
      base64(agent?.preferred)
    ])
  }
  const loaded: LoadedLogin = { login: Result.succeed(login), problems }
  return loaded
})

/** Reads the keys and secrets of every entry; one that fails disables only the hosts that use it. By entry name. */
export const loadLogins = Effect.fn("Logins.loadAll")(function* (
  file: YamlFile,
  entries: ReadonlyArray<CredentialEntry>,
  secrets: Secrets
) {
  const logins = yield* Effect.forEach(
    entries,
    (entry, index) => Effect.map(loadLogin(file, entry, index, secrets), (login) => [entry.name, login] as const),
    { concurrency: READERS }
  )
  return new Map(logins)
})

import { createHash } from "node:crypto"
import { Effect, Option, Path, Redacted, Result } from "effect"
import { mapContainerPath } from "./ContainerPath.ts"
import type { Login } from "./Credential.ts"
import type { CredentialEntry } from "./CredentialEntry.ts"
import { problemAt } from "./Decoded.ts"
import { Directories } from "./Directories.ts"
import type { FileUnreadable } from "./errors.ts"
import type { SecretName } from "./Names.ts"
import type { Problem } from "./Problem.ts"
import { type FileContent, isReadableByOthers, readConfinedFile, utf8 } from "./RegularFile.ts"
import type { Secrets } from "./Secrets.ts"
import type { YamlFile } from "./YamlFile.ts"

/** Bytes of a private key; an RSA key of 16,384 bits has 13 KiB. */
const MAX_KEY = 64 * 1024

/** Files read at the same time. */
const READERS = 8

/** What came of one credential. */
export interface LoadedLogin {
  /** Success without a method: nothing usable is configured, which `describeLogin` tells for each host. */
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

const loadLogin = Effect.fn("Logins.load")(function* (
  file: YamlFile,
  entry: CredentialEntry,
  index: number,
  secrets: Secrets
) {
  const report = problemAt(file)
  const problems: Array<Problem> = []
  const note = (severity: Problem["severity"], key: keyof CredentialEntry, message: string): void => {
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
  if (content !== undefined && Result.isFailure(content)) note("error", "key_path", keyMessage(content.failure))
  const pem = content !== undefined && Result.isSuccess(content) ? keyText(content.success) : undefined
  const passphrase = yield* secret("key_passphrase_secret", entry.key_passphrase_secret)
  const named = yield* secret("password_secret", entry.password_secret)
  if (entry.password !== undefined) note("warning", "password", "a password in a file; prefer password_secret")
  const password = named ?? (entry.password_secret === undefined ? entry.password : undefined)
  if (entry.certificate_path !== undefined) note("warning", "certificate_path", "not used yet")
  if (entry.agent === true) note("warning", "agent", "not used yet")

  const failure = problems.find(({ severity }) => severity === "error")
  if (failure !== undefined) {
    const loaded: LoadedLogin = { login: Result.fail(failure), problems }
    return loaded
  }
  const login: Login = {
    username: entry.username,
    ...(pem === undefined ? {} : { key: { pem, ...(passphrase === undefined ? {} : { passphrase }) } }),
    ...(password === undefined ? {} : { password }),
    digest: digestOf([entry.username, ...[pem, passphrase, password].map((part) => part && Redacted.value(part))])
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

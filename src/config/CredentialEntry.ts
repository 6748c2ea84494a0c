import { Schema } from "effect"
import { SecretName } from "./Names.ts"

/** Characters of a path in credentials.yml, as in the original project. */
const MAX_PATH = 500

/** A path to a file in the keys directory; whether it is inside is known once the directory is. */
const KeyPath = Schema.String.check(
  Schema.isMaxLength(MAX_PATH, { message: `path too long (max ${MAX_PATH} characters)` }).abort(),
  Schema.isPattern(/^\P{Cc}*$/u, { message: "path contains control characters" }).abort(),
  Schema.makeFilter((path) => (path.split(/[/\\]/u).includes("..") ? "path must not contain .." : undefined))
)

const Text = (what: string, maximum: number) =>
  Schema.String.check(
    Schema.isMaxLength(maximum, { message: `${what} too long (max ${maximum} characters)` }).abort(),
    Schema.isPattern(/^\P{Cc}*$/u, { message: `${what} contains control characters` })
  )

/** An entry of `entries`, as written. Secrets are named, never held, except for the discouraged `password`. */
export const CredentialEntry = Schema.Struct({
  name: Text("name", 100),
  username: Text("username", 256),
  key_path: Schema.optionalKey(KeyPath),
  key_passphrase_secret: Schema.optionalKey(SecretName),
  password_secret: Schema.optionalKey(SecretName),
  password: Schema.optionalKey(Schema.RedactedFromValue(Schema.String)),
  certificate_path: Schema.optionalKey(KeyPath),
  agent: Schema.optionalKey(Schema.Boolean),
  /** Whether a secret may also come from the environment variable of exactly its name. */
  env: Schema.optionalKey(Schema.Boolean)
})
export type CredentialEntry = typeof CredentialEntry.Type

/** credentials.yml. */
export const CredentialsDocument = Schema.Struct({ entries: Schema.optionalKey(Schema.Array(CredentialEntry)) })

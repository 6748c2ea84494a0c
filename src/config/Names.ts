import { Schema } from "effect"

/** A required text of at most `maximum` characters of `pattern`, with the original project's error texts. */
const name = (what: string, maximum: number, pattern: RegExp, allowed: string) =>
  Schema.String.check(
    Schema.isMinLength(1, { message: `${what} is required` }).abort(),
    Schema.isMaxLength(maximum, { message: `${what} too long (max ${maximum} characters)` }).abort(),
    Schema.isPattern(pattern, { message: `${what} contains invalid characters (only ${allowed} allowed)` })
  )

const FIELD = "alphanumeric, dot, dash, underscore"

/**
 * Names a host in every call and file. A leading dash is refused: such a name could be read as an option.
 */
export const Alias = name("alias", 100, /^[A-Za-z0-9_.][A-Za-z0-9._-]{0,99}$/u, FIELD).pipe(Schema.brand("Alias"))
export type Alias = typeof Alias.Type

/** Names a group of hosts. At most 50 characters; a leading dash is refused, as for `Alias`. */
export const Tag = name("tag", 50, /^[A-Za-z0-9_.][A-Za-z0-9._-]{0,49}$/u, FIELD).pipe(Schema.brand("Tag"))
export type Tag = typeof Tag.Type

/** Names a secret: an environment variable, a key of `.env` or a file; never a path. */
export const SecretName = name("secret name", 100, /^[A-Za-z0-9_-]{1,100}$/u, "alphanumeric, dash, underscore").pipe(
  Schema.brand("SecretName")
)
export type SecretName = typeof SecretName.Type

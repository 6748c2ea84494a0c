import { Effect, Option, Redacted, Result } from "effect"
import { Directories } from "./Directories.ts"
import { type DotEnv, parseDotEnv } from "./DotEnv.ts"
import { environmentVariable } from "./Environment.ts"
import type { SecretName } from "./Names.ts"
import { makeProblem, type Problem } from "./Problem.ts"
import { isReadableByOthers, readConfinedFile, utf8 } from "./RegularFile.ts"

/** Bytes of one secret file. */
const MAX_SECRET = 64 * 1024

/** Bytes of `.env`. */
const MAX_DOTENV = 100 * 1024

const DOTENV = ".env"

/** A resolved secret and, if it came from a place that is discouraged, why. */
export interface FoundSecret {
  readonly value: Redacted.Redacted<string>
  readonly warning?: string
}

/** Resolves secrets by name; made anew at each load, so that `.env` is read afresh. */
export interface Secrets {
  /**
   * The secret, or why there is none. `plainVariable` also looks at the environment variable of exactly this name.
   * Nothing resolves to an empty secret.
   */
  readonly resolve: (name: SecretName, plainVariable: boolean) => Effect.Effect<Result.Result<FoundSecret, string>>
  /** What is wrong with `.env`. */
  readonly problems: ReadonlyArray<Problem>
}

const found = (text: string, warning?: string): Result.Result<FoundSecret, string> => {
  const value = Redacted.make(text, { label: "secret" })
  return Result.succeed(warning === undefined ? { value } : { value, warning })
}

const note = (severity: Problem["severity"], line: number, message: string): Problem =>
  makeProblem(severity, DOTENV, { line, column: 1 }, [], message)

interface LoadedDotEnv {
  readonly secrets: DotEnv["secrets"]
  readonly problems: ReadonlyArray<Problem>
}

const loadDotEnv = Effect.fn("Secrets.loadDotEnv")(function* (directory: string) {
  const read = yield* Effect.result(readConfinedFile(directory, DOTENV, MAX_DOTENV))
  const nothing = (problems: ReadonlyArray<Problem>): LoadedDotEnv => ({ secrets: new Map(), problems })
  if (Result.isFailure(read)) {
    const { reason } = read.failure
    return nothing(reason === "not found" ? [] : [note("error", 1, `file is not used: ${reason}`)])
  }
  const text = utf8(read.success.bytes)
  if (Option.isNone(text)) return nothing([note("error", 1, "file is not used: not valid UTF-8")])
  const { malformed, secrets } = parseDotEnv(text.value)
  const loaded: LoadedDotEnv = {
    secrets,
    problems: [
      ...(isReadableByOthers(read.success.mode)
        ? [note("warning", 1, "file is readable by group or others (chmod 600)")]
        : []),
      ...malformed.map((line) => note("warning", line, "line is ignored: expected NAME=value"))
    ]
  }
  return loaded
})

/** The name of a secret is no secret; it is what the operator has to set. */
const setNowhere = (name: SecretName): string =>
  `secret is set nowhere; set MCP_SSH_SECRET_${name.toUpperCase()}, or ${name} in secrets/.env, or write the file secrets/${name}`

/**
 * Secrets come from, in this order: the plain variable of the same name (only when the entry asks for it, or for names
 * that begin with `SSH_`, with a warning), `MCP_SSH_SECRET_<NAME>`, `.env`, a file of the secrets directory.
 */
export const loadSecrets = Effect.fn("Secrets.load")(function* () {
  const { secrets: directory } = yield* Directories
  const dotEnv = yield* loadDotEnv(directory)
  const services = yield* Effect.context<Effect.Services<ReturnType<typeof readConfinedFile>>>()

  const fromFile = Effect.fnUntraced(function* (name: SecretName) {
    const read = yield* Effect.result(readConfinedFile(directory, name, MAX_SECRET))
    if (Result.isFailure(read)) {
      const { reason } = read.failure
      return Result.fail(reason === "not found" ? setNowhere(name) : `secret file cannot be read: ${reason}`)
    }
    const text = Option.map(utf8(read.success.bytes), (content) => content.replace(/\r?\n$/u, ""))
    if (Option.isNone(text)) return Result.fail("secret file is not valid UTF-8")
    return text.value === "" ? Result.fail("secret file is empty") : found(text.value)
  })

  const resolve = Effect.fn("Secrets.resolve")(function* (name: SecretName, plainVariable: boolean) {
    if (plainVariable || name.startsWith("SSH_")) {
      const plain = yield* environmentVariable(name)
      if (Option.isSome(plain)) {
        const warning = `read from the environment variable ${name}; prefer MCP_SSH_SECRET_${name.toUpperCase()}`
        return plainVariable ? found(plain.value) : found(plain.value, warning)
      }
    }
    const variable = yield* environmentVariable(`MCP_SSH_SECRET_${name.toUpperCase()}`)
    if (Option.isSome(variable)) return found(variable.value)
    const line = dotEnv.secrets.get(name) ?? dotEnv.secrets.get(name.toUpperCase())
    if (line !== undefined) return Result.succeed<FoundSecret>({ value: line })
    return yield* Effect.provideContext(fromFile(name), services)
  })

  const secrets: Secrets = { resolve, problems: dotEnv.problems }
  return secrets
})

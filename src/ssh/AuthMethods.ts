import { Redacted, Result } from "effect"
import type { AnyAuthMethod, ParsedKey, utils as Utilities } from "ssh2"
import type { Login } from "../config/Credential.ts"
import { type SshError, sshError } from "./errors.ts"
import { keyFailure } from "./SshFailures.ts"
import type { Target } from "./Target.ts"

/** Parsed keys kept; the oldest goes first. Decrypting one takes up to 300 ms of the event loop. */
const MAX_PARSED_KEYS = 256

/** Parses private keys, each once: keyed by the login's digest, which changes with the key and its passphrase. */
export const makeKeyParser = (utils: typeof Utilities) => {
  const parsed = new Map<string, ParsedKey>()
  return (target: Target, key: NonNullable<Login["key"]>): Result.Result<ParsedKey, SshError> => {
    const known = parsed.get(target.login.digest)
    if (known !== undefined) return Result.succeed(known)
    const pem = Redacted.value(key.pem)
    const passphrase = key.passphrase === undefined ? undefined : Redacted.value(key.passphrase)
    const answer: unknown = utils.parseKey(pem, passphrase)
    const first: unknown = Array.isArray(answer) ? answer[0] : answer
    if (first instanceof Error || first === undefined) {
      const message = first?.message ?? "the file holds no key"
      return Result.fail(sshError(target.alias, keyFailure(message, passphrase !== undefined), message))
    }
    const usable = first as ParsedKey
    if (!usable.isPrivateKey()) return Result.fail(sshError(target.alias, "KeyFormatInvalid", "not a private key"))
    const oldest = parsed.size >= MAX_PARSED_KEYS ? parsed.keys().next().value : undefined
    if (oldest !== undefined) parsed.delete(oldest)
    parsed.set(target.login.digest, usable)
    return Result.succeed(usable)
  }
}

/** The authentication attempts of a login, in order: key, password, keyboard-interactive answered by the password. */
export const authMethods = (
  target: Target,
  parseKey: ReturnType<typeof makeKeyParser>
): Result.Result<ReadonlyArray<AnyAuthMethod>, SshError> => {
  const { key, password, username } = target.login
  const methods: Array<AnyAuthMethod> = []
  if (key !== undefined) {
    const parsed = parseKey(target, key)
    if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
    methods.push({ type: "publickey", username, key: parsed.success })
  }
  if (password !== undefined) {
    methods.push(
      { type: "password", username, password: Redacted.value(password) },
      {
        type: "keyboard-interactive",
        username,
        // A prompt that echoes asks for something else than the password.
        prompt: (_name, _instructions, _language, prompts, answer) =>
          answer(prompts.map((prompt) => (prompt.echo === true ? "" : Redacted.value(password))))
      }
    )
  }
  return methods.length === 0
    ? Result.fail(sshError(target.alias, "NoAuthenticationMethod", "neither key nor password"))
    : Result.succeed(methods)
}

import { createHash } from "node:crypto"
import { Clock, Effect, Redacted, Result, type Scope } from "effect"
import type { ParsedKey, Prompt } from "ssh2"
import type { Login } from "../../config/Credential.ts"
import { agentAttempts } from "./AgentAuth.ts"
import type { AuthLibrary } from "./AuthLibrary.ts"
import { type AuthAttempt, makeRecordedSequence, type RecordedSequence } from "./AuthSequence.ts"
import { type SshError, sshError } from "../errors.ts"
import { convertPkcs8, isPkcs8, type KeyProblem } from "./Pkcs8.ts"
import { certifiedKey } from "../ssh2/Ssh2Signing.ts"
import { keyFailure } from "../SshFailures.ts"
import type { Target } from "../Target.ts"
import { certifies, usableCertificate } from "./UserCertificate.ts"

/** Parsed keys kept; the oldest goes first. Decrypting one takes up to 300 ms of the event loop. */
const MAX_PARSED_KEYS = 256

/**
 * Keys offered to one server: the certificate, the key and the agent's together. A server ends the connection after
 * MaxAuthTries (6) failures, which leaves one for the password.
 */
const MAX_KEYS_OFFERED = 5

const parseKey = (
  utils: AuthLibrary["utils"],
  text: string,
  passphrase: string | undefined
): Result.Result<ParsedKey, KeyProblem> => {
  const converted = isPkcs8(text) ? convertPkcs8(text, passphrase) : Result.succeed(text)
  if (Result.isFailure(converted)) return Result.fail(converted.failure)
  const answer: unknown = utils.parseKey(converted.success, passphrase)
  const first: unknown = Array.isArray(answer) ? answer[0] : answer
  if (first instanceof Error || first === undefined) {
    const detail = first?.message ?? "the file holds no key"
    const isLocked = keyFailure(detail, passphrase !== undefined) === "KeyPassphraseRequired"
    return Result.fail({ failure: isLocked ? "KeyPassphraseRequired" : "KeyFormatInvalid", detail })
  }
  const usable = first as ParsedKey
  return usable.isPrivateKey()
    ? Result.succeed(usable)
    : Result.fail({ failure: "KeyFormatInvalid", detail: "not a private key" })
}

/**
 * Parses private keys, each once, and remembers the answer, also one that a wrong passphrase had: a fan-out to hosts
 * that share a key would otherwise stop the event loop once for each. Keyed by a digest of key and passphrase.
 */
export const makeKeyParser = (utils: AuthLibrary["utils"]) => {
  const parsed = new Map<string, Result.Result<ParsedKey, KeyProblem>>()
  return (key: NonNullable<Login["key"]>): Result.Result<ParsedKey, KeyProblem> => {
    const pem = Redacted.value(key.pem)
    const passphrase = key.passphrase === undefined ? undefined : Redacted.value(key.passphrase)
    const digest = createHash("sha256")
      .update(JSON.stringify([pem, passphrase ?? null]))
      .digest("hex")
    const known = parsed.get(digest)
    if (known !== undefined) return known
    const answer = parseKey(utils, pem, passphrase)
    const oldest = parsed.size >= MAX_PARSED_KEYS ? parsed.keys().next().value : undefined
    if (oldest !== undefined) parsed.delete(oldest)
    parsed.set(digest, answer)
    return answer
  }
}

/** How to authenticate one connection; `next` is for ssh2's `authHandler`. It has a state and serves one connection. */
export interface Authentication extends RecordedSequence {
  /**
   * What to report when authentication failed: a configured method that could not even be tried, if there is one, is
   * the cause that an operator can act on. The detail says what else is known.
   */
  readonly explain: (error: SshError) => SshError
}

/**
 * Answers prompts with the password. Only the first round with a hidden prompt gets it, so that it never ends up as an
 * answer to "New password:"; a prompt that echoes asks for something else.
 */
const answerPrompts = (password: Redacted.Redacted<string>) => {
  let given = false
  return (prompts: ReadonlyArray<Prompt>): Array<string> => {
    const hidden = prompts.some((prompt) => prompt.echo !== true)
    const text = given ? "" : Redacted.value(password)
    given = given || hidden
    return prompts.map((prompt) => (prompt.echo === true ? "" : text))
  }
}

const passwordAttempts = (username: string, password: Redacted.Redacted<string>): ReadonlyArray<AuthAttempt> => {
  const respond = answerPrompts(password)
  return [
    { label: "password", method: { type: "password", username, password: Redacted.value(password) } },
    {
      label: "keyboard-interactive",
      method: {
        type: "keyboard-interactive",
        username,
        prompt: (_name, _instructions, _language, prompts, answer) => answer(respond(prompts))
      }
    }
  ]
}

/**
 * Makes the authentication of connections. A login's methods are tried in this order: certificate, key, agent,
 * password, keyboard-interactive answered by the password. A method that cannot be tried (an expired certificate, a
 * key without its passphrase, no agent) is left out and logged when there is another.
 *
 * Fails, before anything is sent, when none can be tried. The agent's streams end with the Scope.
 */
export const makeAuthentication = ({ OpenSSHAgent, utils }: AuthLibrary) => {
  const parse = makeKeyParser(utils)

  const certified = (
    target: Target,
    bytes: Uint8Array,
    key: ParsedKey | undefined,
    millis: number,
    hints: Array<string>
  ) =>
    usableCertificate(target.alias, bytes, millis).pipe(
      Result.flatMap((certificate) => {
        const invalid = (detail: string) => Result.fail(sshError(target.alias, "CertificateInvalid", detail))
        if (key === undefined) return invalid("the private key of the certificate cannot be used")
        if (!certifies(certificate, key.getPublicSSH())) return invalid("the certificate is of another key")
        if (!certificate.principals.includes(target.login.username)) {
          hints.push("the certificate does not name the user among its principals")
        }
        const usable = certifiedKey(key, bytes)
        return Result.isSuccess(usable) ? Result.succeed(usable.success) : invalid(usable.failure)
      })
    )

  return Effect.fn("AuthMethods.authentication")(function* (
    target: Target
  ): Effect.fn.Return<Authentication, SshError, Scope.Scope> {
    const { agent, certificate, key, password, username } = target.login
    const attempts: Array<AuthAttempt> = []
    const unusable: Array<SshError> = []
    const hints: Array<string> = []
    const offer = (label: AuthAttempt["label"], found: Result.Result<ParsedKey, SshError>): void => {
      if (Result.isFailure(found)) unusable.push(found.failure)
      else attempts.push({ label, method: { type: "publickey", username, key: found.success } })
    }

    const parsed = key === undefined ? undefined : parse(key)
    const usableKey = parsed !== undefined && Result.isSuccess(parsed) ? parsed.success : undefined
    // A key that cannot be used is told by itself, not as a certificate without its key.
    if (certificate !== undefined && (usableKey !== undefined || parsed === undefined)) {
      offer("certificate", certified(target, certificate, usableKey, yield* Clock.currentTimeMillis, hints))
    }
    if (parsed !== undefined) {
      const found = Result.mapError(parsed, ({ detail, failure }) => sshError(target.alias, failure, detail))
      offer("key", found)
    }
    if (agent !== undefined) {
      const found = yield* Effect.result(
        agentAttempts(
          { OpenSSHAgent, utils },
          { alias: target.alias, socket: agent.socket, username },
          {
            limit: MAX_KEYS_OFFERED - attempts.length,
            preferred: agent.preferred,
            tried: usableKey === undefined ? [] : [usableKey.getPublicSSH()]
          }
        )
      )
      if (Result.isFailure(found)) unusable.push(found.failure)
      else {
        attempts.push(...found.success.attempts)
        hints.push(...found.success.unusable.map(({ detail }) => `in the agent: ${detail}`))
        if (found.success.leftOut > 0) {
          hints.push(
            `${found.success.leftOut} of the agent's keys were not offered; put the public key of the right one beside key_path`
          )
        }
      }
    }
    if (password !== undefined) attempts.push(...passwordAttempts(username, password))

    const [cause] = unusable
    if (attempts.length === 0) {
      return yield* Effect.fail(
        cause ?? sshError(target.alias, "NoAuthenticationMethod", "neither key, agent nor password")
      )
    }
    yield* Effect.forEach(
      unusable,
      ({ alias, detail, failure }) => Effect.logWarning({ event: "ssh.auth.method.skipped", alias, failure, detail }),
      { discard: true }
    )
    return {
      ...makeRecordedSequence(attempts),
      explain: (error) =>
        error.failure === "AuthenticationFailed"
          ? (cause ?? sshError(error.alias, error.failure, [error.detail, ...hints].join("; ")))
          : error
    }
  })
}

import type { AnyAuthMethod } from "ssh2"
import type { AuthMethod } from "../Transport.ts"

/** One way to authenticate, as offered to a server. */
export interface AuthAttempt {
  /** What a person calls it. */
  readonly label: AuthMethod
  readonly method: AnyAuthMethod
  /** Of an agent's key: whether the server took the key and had it sign, which ssh2 does not tell otherwise. */
  readonly hasSigned?: () => boolean
}

/**
 * Chooses what to try next. `left` is what the server accepts and `partial` whether the last attempt was right but not
 * enough (RFC 4252 §5.1); both are null before the first attempt. False ends the authentication.
 */
export type AuthSequence = (left: ReadonlyArray<string> | null, partial: boolean | null) => AnyAuthMethod | false

const wireName = ({ method }: AuthAttempt): string => (method.type === "agent" ? "publickey" : method.type)

/**
 * Goes through `attempts` in their order, skipping what the server does not accept. After a partial success whatever
 * did not succeed so far can be tried once more, as ssh(1) does: the server may have refused it only because another
 * method had to come first. That ends, since every partial success takes an attempt away.
 *
 * ssh2 does not pass on what a server answered to an agent's key, so after one `left` and `partial` are of an attempt
 * before it. When the key had signed, it may have been a partial success: other methods then come before other keys.
 */
export const makeAuthSequence = (attempts: ReadonlyArray<AuthAttempt>): AuthSequence => {
  let unproven = attempts
  let remaining = attempts
  let current: AuthAttempt | undefined
  return (left, partial) => {
    const isStale = current?.method.type === "agent"
    const mayBePartial = isStale && current?.hasSigned?.() === true
    if (mayBePartial) {
      remaining = [
        ...remaining.filter(({ method }) => method.type !== "agent"),
        ...remaining.filter(({ method }) => method.type === "agent")
      ]
    } else if (!isStale && partial === true) {
      unproven = unproven.filter((attempt) => attempt !== current)
      remaining = unproven
    }
    const offered = mayBePartial ? null : left
    current = remaining.find((attempt) => offered === null || offered.includes(wireName(attempt)))
    remaining = remaining.filter((attempt) => attempt !== current)
    return current?.method ?? false
  }
}

/** A sequence, and what came of it. */
export interface RecordedSequence {
  readonly next: AuthSequence
  /**
   * The attempts that the server accepted, in order, once it let us in: the last one, and those before it that were not
   * enough. An agent's key that signed counts as accepted, since ssh2 does not tell.
   */
  readonly accepted: () => ReadonlyArray<AuthMethod>
}

/** `makeAuthSequence`, recorded. */
export const makeRecordedSequence = (attempts: ReadonlyArray<AuthAttempt>): RecordedSequence => {
  const sequence = makeAuthSequence(attempts)
  const passed: Array<AuthMethod> = []
  let current: AuthAttempt | undefined
  return {
    next: (left, partial) => {
      const wasRight = current?.hasSigned === undefined ? partial === true : current.hasSigned()
      if (current !== undefined && wasRight) passed.push(current.label)
      const method = sequence(left, partial)
      current = attempts.find((attempt) => attempt.method === method)
      return method
    },
    accepted: () => (current === undefined ? passed : [...passed, current.label])
  }
}

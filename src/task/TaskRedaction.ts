import { Redacted, Result } from "effect"
import { makeRedaction, type Redaction } from "../audit/redaction/Redaction.ts"
import type { Login } from "../config/Credential.ts"
import type { ConfigSnapshot } from "../config/Inventory.ts"
import { clean, flush, initialCleanState } from "./CleanText.ts"

/** Characters of a line of a private key that make it worth masking. */
const KEY_LINE = /^[A-Za-z0-9+/=]{16,}$/u

/** The lines of a key are secrets of their own: a key is found also when its lines are indented or joined. */
const secretsOf = ({ key, password }: Login): ReadonlyArray<string> => [
  ...(password === undefined ? [] : [Redacted.value(password)]),
  ...(key?.passphrase === undefined ? [] : [Redacted.value(key.passphrase)]),
  ...(key === undefined ? [] : Redacted.value(key.pem).split(/\s+/u)).filter((line) => KEY_LINE.test(line))
]

/** A secret as it looks when it comes back in output: without what cleaning removes. */
const cleaned = (secret: string): string => {
  const [state, text] = clean(initialCleanState, Buffer.from(secret))
  return text + flush(state)[1]
}

/** Every password, passphrase and private key of a snapshot, as output would show it. */
const secretsIn = (snapshot: ConfigSnapshot): ReadonlyArray<string> => {
  const logins = new Set(
    [...snapshot.hosts.values()].flatMap(({ login }) => (Result.isSuccess(login) ? [login.success] : []))
  )
  return [...logins].flatMap(secretsOf).map(cleaned)
}

/** What is masked in the output of tasks that start under one snapshot, by `redact_output`. */
export interface SnapshotRedaction {
  readonly snapshot: ConfigSnapshot
  /** The secrets of this snapshot are masked whatever `redact_output` says: that limit is about the shapes. */
  readonly redaction: (redactOutput: boolean) => Redaction | undefined
}

/** Makes the redaction of a snapshot: once for each, as it takes milliseconds when there are many logins. */
export const redactionOf = (snapshot: ConfigSnapshot): SnapshotRedaction => {
  const secrets = secretsIn(snapshot)
  const withShapes = makeRedaction({ secrets, shapes: true })
  const withoutShapes = makeRedaction({ secrets, shapes: false })
  return { snapshot, redaction: (redactOutput) => (redactOutput ? withShapes : withoutShapes) }
}

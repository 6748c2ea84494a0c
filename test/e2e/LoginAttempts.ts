import { Duration, Effect, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"
import type { Login } from "../../src/config/Credential.ts"
import { parseKeyLine } from "../../src/config/SshWire.ts"
import { Transport } from "../../src/ssh/Transport.ts"
import { targetOf, transportLayer } from "../support/SshFixtures.ts"
import * as Sshd from "../support/Sshd.ts"

/** The types of keys that every way to log in is tried with. */
export const TYPES = ["ed25519", "ecdsa", "rsa"] as const

/** A private key as login material. */
export const keyOf = (pem: string, passphrase?: string): Pick<Login, "key"> => ({
  key: { pem: Redacted.make(pem), ...(passphrase === undefined ? {} : { passphrase: Redacted.make(passphrase) }) }
})

/** Connects with the given login material, and gives the failure's name or "connected". */
export const attempt = (
  sshd: Parameters<typeof targetOf>[0],
  material: Omit<Login, "digest" | "username">,
  knownHosts?: string
) => Effect.map(connect(sshd, material, knownHosts), (error) => error?.failure ?? "connected")

/** Connects with the given login material, and gives the error if there is one. */
export const connect = (
  sshd: Parameters<typeof targetOf>[0],
  material: Omit<Login, "digest" | "username">,
  knownHosts?: string
) =>
  Effect.gen(function* () {
    const transport = yield* Transport
    const login: Login = { username: sshd.user, digest: randomUUID(), ...material }
    const target = yield* targetOf(sshd, { login, ...(knownHosts === undefined ? {} : { knownHosts }) })
    return yield* Effect.scoped(transport.connect(target, Duration.seconds(10))).pipe(
      Effect.match({ onSuccess: () => undefined, onFailure: (error) => error })
    )
  }).pipe(Effect.provide(transportLayer))

/** The wire form of the public key beside a private one. */
export const publicKeyOf = (path: string) => parseKeyLine(readFileSync(`${path}.pub`, "utf8"))!

/** An sshd that trusts an authority for users, and the authority's key. */
export const withAuthority = (config: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const other = yield* Sshd.start()
    const authority = yield* other.makeKey("authority")
    const sshd = yield* Sshd.start({ config: [`TrustedUserCAKeys ${authority.path}.pub`, ...config] })
    return { authority: authority.path, sshd }
  })

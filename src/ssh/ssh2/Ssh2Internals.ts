import type { ParsedKey } from "ssh2"

/**
 * What touches the internals of ssh2, which has no public way to these: user certificates and a public key signed for at
 * once (Ssh2Signing), a session opened before its command is known, a signal after the end of stdin, and windows
 * (Ssh2Patches), cheaper packets (Ssh2Packets).
 *
 * Every patch is optional: it looks at the members that it needs first, and where they are not as expected it says so
 * and changes nothing. All of them change one object (a client or a channel), never the library's classes.
 */

/** What is used of ssh2's `Protocol`, which writes the packets of one connection. */
export interface Protocol {
  authPK: (user: string, key: ParsedKey, algorithm?: string | Sign, sign?: Sign) => void
  session: (id: number, window: number, packetSize: number) => void
  exec: (id: number, command: string, wantReply: boolean) => void
  signal: (id: number, name: string) => void
  channelWindowAdjust: (id: number, bytes: number) => void
}

/** Given what is to be signed, passes the signature on. */
type Sign = (data: Buffer, done: (signature: Buffer) => void) => void

/** Whether a value of the library's has members at all. */
export const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

/** Whether a value of the library's has all of these methods. */
export const hasMethods = (value: unknown, names: ReadonlyArray<string>): value is object =>
  isObject(value) && names.every((name) => typeof Reflect.get(value, name) === "function")

/** The protocol of a client, when it has these methods. */
export const protocolOf = (client: unknown, ...methods: ReadonlyArray<keyof Protocol>): Protocol | undefined => {
  const protocol: unknown = isObject(client) ? Reflect.get(client, "_protocol") : undefined
  return hasMethods(protocol, methods) ? (protocol as Protocol) : undefined
}

import type { Duplex } from "node:stream"
import { Effect } from "effect"
import { wireReader } from "../../config/SshWire.ts"

/** SSH_AGENTC_REQUEST_IDENTITIES, framed, and the type of its answer (draft-ietf-sshm-ssh-agent §4.4, §6.1). */
const REQUEST_IDENTITIES = Buffer.from([0, 0, 0, 1, 11])
const IDENTITIES_ANSWER = 12

/** Bytes of an answer, as OpenSSH limits them (AGENT_MAX_LEN). */
const MAX_ANSWER = 256 * 1024

/**
 * The keys and certificates in an answer, each in its wire form, without their comments: those of the first message, or
 * undefined when it is another, or damaged. Pure and total.
 */
export const parseIdentities = (message: Uint8Array): ReadonlyArray<Uint8Array> | undefined => {
  if (message[0] !== IDENTITIES_ANSWER) return undefined
  const reader = wireReader(message.subarray(1))
  const count = reader.uint32()
  const blobs: Array<Uint8Array> = []
  while (blobs.length < count && reader.isWhole()) {
    blobs.push(reader.string())
    reader.string() // comment
  }
  return reader.isWhole() && reader.isAtEnd() ? blobs : undefined
}

/** What an agent holds, certificates included: the library's own listing leaves those out. Ends the stream. Fails with a text for the log. */
export const listIdentities = (stream: Duplex): Effect.Effect<ReadonlyArray<Uint8Array>, string> =>
  Effect.callback<ReadonlyArray<Uint8Array>, string>((resume) => {
    const fail = (why: string) => resume(Effect.fail(why))
    let received = Buffer.alloc(0)
    stream.on("data", (bytes: Buffer) => {
      received = Buffer.concat([received, bytes])
      if (received.length < 4) return
      const length = received.readUInt32BE(0)
      if (length > MAX_ANSWER) return fail("the agent's answer is none")
      if (received.length < 4 + length) return
      const blobs = parseIdentities(received.subarray(4, 4 + length))
      if (blobs === undefined) return fail("the agent did not list its keys")
      resume(Effect.succeed(blobs))
    })
    stream.on("error", (error: Error) => fail(error.message))
    stream.on("close", () => fail("the agent hung up"))
    stream.write(REQUEST_IDENTITIES)
  }).pipe(Effect.ensuring(Effect.sync(() => stream.destroy())))

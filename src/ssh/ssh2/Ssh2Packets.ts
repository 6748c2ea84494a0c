import { createSecretKey } from "node:crypto"
import { Socket } from "node:net"
import type { Client } from "ssh2"
import { hasMethods, isObject } from "./Ssh2Internals.ts"

/**
 * What makes a packet cheaper to encrypt and to send, which is most of what a short command costs. As with the other
 * patches, both change one client, and where it is not as expected they say so and change nothing.
 */

/**
 * Where ssh2's ciphers keep the keys that they pass to node:crypto with every packet: AES-GCM, ChaCha20 and the HMAC of
 * the others, in each direction. They are told apart by these fields, since a bundle gives classes other names.
 */
const KEY_FIELDS = {
  _cipher: ["_encKey", "_encKeyMain", "_encKeyPktLen", "_macKey"],
  _decipher: ["_decipherKey", "_decKeyMain", "_decKeyPktLen", "_macKey"]
} as const

const importKeys = (protocol: object): void => {
  for (const [direction, fields] of Object.entries(KEY_FIELDS)) {
    const cipher: unknown = Reflect.get(protocol, direction)
    if (!isObject(cipher)) continue
    for (const field of fields) {
      const key: unknown = Reflect.get(cipher, field)
      if (Buffer.isBuffer(key)) Reflect.set(cipher, field, createSecretKey(key))
    }
  }
}

/**
 * Has the keys of a connection imported once, as `KeyObject`, instead of with each packet: Node 24 takes 20 µs to make
 * a cipher from a Buffer, and 4 from a KeyObject. Each key exchange makes new keys, the first as well as later ones
 * (RFC 4253 §9), and the client says so each time. To be called right after `client.connect`. False when the library is
 * not as expected.
 */
export const keyObjects = (client: Client): boolean => {
  const protocol: unknown = Reflect.get(client, "_protocol")
  if (!isObject(protocol) || !hasMethods(Reflect.get(protocol, "_cipher"), ["encrypt"])) return false
  client.on("handshake", () => importKeys(protocol))
  return true
}

/** So much is not held back for the end of a tick, in bytes: a long write is sent while the rest is encrypted. */
const HELD_BYTES = 64 * 1024

/**
 * Sends what is written within one tick at once. The library makes three writes of a packet, each a system call. They
 * are held until the code that runs now is done, never for a time. Ending or destroying the socket sends them before.
 *
 * To be called right after `client.connect`. False for a connection over something else than a socket.
 */
export const corkWrites = (client: Client): boolean => {
  const socket: unknown = Reflect.get(client, "_sock")
  if (!(socket instanceof Socket)) return false
  const write = socket.write.bind(socket)
  const destroy = socket.destroy.bind(socket)
  let isCorked = false
  let isScheduled = false

  const flush = (): void => {
    if (!isCorked) return
    isCorked = false
    socket.uncork()
  }
  const endOfTick = (): void => {
    isScheduled = false
    flush()
  }
  Object.assign(socket, {
    write: (...data: Parameters<typeof write>): boolean => {
      if (!isCorked) {
        isCorked = true
        socket.cork()
      }
      if (!isScheduled) {
        isScheduled = true
        process.nextTick(endOfTick)
      }
      const hasRoom = write(...data)
      if (socket.writableLength >= HELD_BYTES) flush()
      return hasRoom
    },
    destroy: (error?: Error): Socket => {
      if (error === undefined) flush()
      return destroy(error)
    }
  })
  return true
}

/** Reads the fields of RFC 4251 §5, one after the other. */
export interface WireReader {
  readonly string: () => Uint8Array
  readonly uint32: () => number
  readonly uint64: () => bigint
  /** Whether every field so far was there; one that is not reads as empty or 0, as do all after it. */
  readonly isWhole: () => boolean
  /** Whether nothing is left. */
  readonly isAtEnd: () => boolean
}

/** A reader from the beginning of `bytes`, which it does not copy. */
export const wireReader = (bytes: Uint8Array): WireReader => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  let whole = true
  /** Moves over `length` bytes, when there are so many. */
  const advance = (length: number): boolean => {
    whole = whole && bytes.length - at >= length
    if (whole) at += length
    return whole
  }
  const uint32 = (): number => (advance(4) ? view.getUint32(at - 4) : 0)
  return {
    uint32,
    uint64: () => (advance(8) ? view.getBigUint64(at - 8) : 0n),
    string: () => {
      const length = uint32()
      return advance(length) ? bytes.subarray(at - length, at) : new Uint8Array()
    },
    isWhole: () => whole,
    isAtEnd: () => at === bytes.length
  }
}

/** A field of type string (RFC 4251 §5). Texts are ASCII names. */
export const wireString = (content: Uint8Array | string): Uint8Array => {
  const body = Buffer.from(content)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, body])
}

/** Text of a field; invalid UTF-8 becomes U+FFFD. */
export const wireText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/**
 * The wire form in a public key file or a certificate file: `type base64 comment` (sshd(8), AUTHORIZED_KEYS FILE
 * FORMAT, without options), the first line that is neither empty nor a comment. Nothing when the wire form does not
 * begin with the same type.
 */
export const parseKeyLine = (text: string): Uint8Array | undefined => {
  const line = text.split(/\r?\n/u).find((each) => each.trim() !== "" && !each.startsWith("#"))
  const [type = "", base64 = ""] = line?.trim().split(/[ \t]+/u) ?? []
  if (!/^[A-Za-z0-9+/]+={0,2}$/u.test(base64)) return undefined
  const bytes = new Uint8Array(Buffer.from(base64, "base64"))
  return type !== "" && wireText(wireReader(bytes).string()) === type ? bytes : undefined
}

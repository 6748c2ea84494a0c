/** Cuts a byte stream into lines. */
export interface LineSplitter {
  /**
   * Takes the next bytes and returns the lines that they complete, without their newline; `overflow` once a line is
   * longer than the limit. Nothing may be pushed after that.
   */
  readonly push: (chunk: Uint8Array) => { readonly lines: ReadonlyArray<Uint8Array>; readonly overflow: boolean }
  /** What came after the last newline. */
  readonly rest: () => Uint8Array
}

const NEWLINE = 0x0a

/** A splitter that holds at most `limit` bytes of an unfinished line. Linear in the bytes, whatever their chunks. */
export const makeLineSplitter = (limit: number): LineSplitter => {
  let parts: Array<Uint8Array> = []
  let held = 0
  const take = (): Uint8Array => {
    const line = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
    parts = []
    held = 0
    return line
  }
  const hold = (bytes: Uint8Array): boolean => {
    held += bytes.length
    if (held > limit) return false
    if (bytes.length > 0) parts.push(bytes)
    return true
  }
  return {
    push: (chunk) => {
      const lines: Array<Uint8Array> = []
      let from = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
        if (!hold(chunk.subarray(from, end))) return { lines, overflow: true }
        lines.push(take())
        from = end + 1
      }
      return { lines, overflow: !hold(chunk.subarray(from)) }
    },
    rest: take
  }
}

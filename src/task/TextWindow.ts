import { completeLength } from "./CleanText.ts"

/**
 * Bytes of a segment: the window is stored, dropped and searched in these units. Small, because a registry holds many
 * tasks with little output.
 */
const SEGMENT = 4096

const LINE_FEED = 0x0a

const IS_LINE_FEED = Uint8Array.from({ length: 256 }, (_, byte) => (byte === LINE_FEED ? 1 : 0))

const lineFeed = (bytes: Uint8Array, at: number): number => IS_LINE_FEED[bytes[at] as number] as number

/** Line feeds among the bytes from `from` to before `to`. As fast for many short lines as for few long ones. */
const countLineFeeds = (bytes: Uint8Array, from: number, to: number): number => {
  let even = 0
  let odd = 0
  let i = from
  for (const end = to - 3; i < end; i += 4) {
    even += lineFeed(bytes, i) + lineFeed(bytes, i + 1)
    odd += lineFeed(bytes, i + 2) + lineFeed(bytes, i + 3)
  }
  for (; i < to; i++) even += lineFeed(bytes, i)
  return even + odd
}

/** `SEGMENT` bytes of the text, from `index * SEGMENT` on. */
interface Segment {
  index: number
  readonly bytes: Buffer
  /** Line feeds before this segment, dropped ones included: makes the list of segments a sparse line index. */
  linesBefore: number
}

/** Text that can be read by byte offset, of which a middle part may be gone. All offsets count from its first byte. */
export interface TextSource {
  /** Bytes in all, gone ones included. */
  readonly total: number
  /** Where the first part ends; `total` when nothing is gone. */
  readonly headEnd: number
  /** Where the last part begins; `headEnd` when nothing is gone. */
  readonly tailStart: number
  /** The bytes from `from` to before `to`, which must lie in one part (or anywhere when nothing is gone). */
  readonly read: (from: number, to: number) => Buffer
  /** Whether a line begins at `offset`, which lies in a part or begins one. */
  readonly startsLine: (offset: number) => boolean
}

/** Whether the byte cannot begin a character (RFC 3629 §3). */
const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** The first byte of `bytes` that begins a character; at most 3 on in valid UTF-8. */
export const nextCharacter = (bytes: Uint8Array): number => {
  let start = 0
  while (start < 3 && isContinuation(bytes[start])) start++
  return start
}

/**
 * A text that grows without end, of which at most `limit` bytes can be read: the first half of the limit and whatever
 * of the end fits the rest. Everything is there exactly until the limit is passed; then the middle goes. Lines are
 * numbered from 0 and keep their number for ever. Memory is at most `limit` and three segments; mutable, for one
 * owner.
 */
export class TextWindow implements TextSource {
  private readonly headLimit: number
  private readonly tailLimit: number
  /** Segments that hold the head, never dropped. */
  private readonly head: Array<Segment> = []
  private readonly headSegments: number
  /** Segments after the head, by index modulo `ringSize`: a new one takes the place and the memory of the oldest. */
  private readonly ring: Array<Segment> = []
  /** Covers the tail wherever it begins in a segment, and the byte before it. */
  private readonly ringSize: number
  private last: Segment | undefined
  private written = 0
  private lineFeeds = 0

  constructor(limit: number) {
    this.headLimit = Math.floor(limit / 2)
    this.tailLimit = limit - this.headLimit
    this.headSegments = Math.ceil(this.headLimit / SEGMENT)
    this.ringSize = Math.ceil(this.tailLimit / SEGMENT) + 1
  }

  get total(): number {
    return this.written
  }

  /** Line feeds seen so far: the number of complete lines, and the number of the line that is being written. */
  get lines(): number {
    return this.lineFeeds
  }

  get headEnd(): number {
    if (this.written <= this.headLimit + this.tailLimit) return this.written
    const from = Math.max(0, this.headLimit - 3)
    return from + completeLength(this.read(from, this.headLimit))
  }

  get tailStart(): number {
    if (this.written <= this.headLimit + this.tailLimit) return this.written
    const from = this.written - this.tailLimit
    return from + nextCharacter(this.read(from, Math.min(this.written, from + 4)))
  }

  /** Adds bytes of UTF-8; they are copied. */
  append(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length) {
      const offset = this.written % SEGMENT
      const segment = offset === 0 || this.last === undefined ? this.nextSegment() : this.last
      const end = Math.min(bytes.length, at + SEGMENT - offset)
      segment.bytes.set(bytes.subarray(at, end), offset)
      this.lineFeeds += countLineFeeds(bytes, at, end)
      this.written += end - at
      at = end
    }
  }

  read(from: number, to: number): Buffer {
    const out = Buffer.allocUnsafe(Math.max(0, to - from))
    let at = from
    while (at < to) {
      const segment = this.segment(Math.floor(at / SEGMENT))
      const offset = at % SEGMENT
      const end = Math.min(SEGMENT, offset + to - at)
      segment.bytes.copy(out, at - from, offset, end)
      at += end - offset
    }
    return out
  }

  startsLine(offset: number): boolean {
    return offset === 0 || this.read(offset - 1, offset)[0] === LINE_FEED
  }

  /** Where line `line` begins. The line feed before it must be one that can still be read. */
  lineStart(line: number): number {
    if (line === 0) return 0
    const index = this.segmentOfLineFeed(line)
    const segment = this.segment(index)
    let at = 0
    for (let left = line - segment.linesBefore; left > 0; at++) left -= lineFeed(segment.bytes, at)
    return index * SEGMENT + at
  }

  /** Line feeds before `offset`, of which the byte before it must be one that can be read. */
  linesBefore(offset: number): number {
    if (offset === 0) return 0
    const index = Math.floor((offset - 1) / SEGMENT)
    const { bytes, linesBefore } = this.segment(index)
    return linesBefore + countLineFeeds(bytes, 0, offset - index * SEGMENT)
  }

  private nextSegment(): Segment {
    const index = this.written / SEGMENT
    const inHead = index < this.headSegments
    const slot = (index - this.headSegments) % this.ringSize
    const reused = inHead ? undefined : this.ring[slot]
    const segment = reused ?? { index, bytes: Buffer.allocUnsafeSlow(SEGMENT), linesBefore: this.lineFeeds }
    segment.index = index
    segment.linesBefore = this.lineFeeds
    if (inHead) this.head[index] = segment
    else this.ring[slot] = segment
    this.last = segment
    return segment
  }

  private segment(index: number): Segment {
    const found = index < this.headSegments ? this.head[index] : this.ring[(index - this.headSegments) % this.ringSize]
    if (found?.index !== index) throw new RangeError(`segment ${index} is not in the window`)
    return found
  }

  /** The segment that holds the `line`-th line feed (from 1): the last one with fewer before it. */
  private segmentOfLineFeed(line: number): number {
    const lastIndex = Math.floor((this.written - 1) / SEGMENT)
    const firstOfRing = Math.max(this.headSegments, lastIndex - this.ringSize + 1)
    const inRing = firstOfRing <= lastIndex && this.segment(firstOfRing).linesBefore < line
    let low = inRing ? firstOfRing : 0
    let high = inRing ? lastIndex : Math.min(this.headSegments - 1, lastIndex)
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.segment(middle).linesBefore < line) low = middle
      else high = middle - 1
    }
    return low
  }
}

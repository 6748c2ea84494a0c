import type { OutputChunk } from "../Transport.ts"

/** Small pieces of one stream are joined up to this size. */
const JOINED_BYTES = 16 * 1024
/** The size of the first copy that joins pieces; it doubles as more come. */
const FIRST_COPY_BYTES = 512
/** Pieces up to which the order between the two streams is exact. */
const MAX_PIECES = 1024

/**
 * The bytes of a command's two streams that were not read yet, in the order of their arrival.
 *
 * It takes the memory of its bytes and no more: pieces smaller than 16 KiB are joined by copying, so that a flood of
 * tiny packets stays cheap to hold. From 1024 pieces on, small ones join the last of their own stream wherever it
 * stands: each stream keeps its order, the order between the two becomes approximate. How many bytes there are at most
 * is decided by the SSH window, which opens with what is read.
 */
export interface OutputQueue {
  /** Adds bytes at the end. The buffer is the queue's from now on. */
  readonly add: (stream: OutputChunk["stream"], bytes: Buffer) => void
  /** The next bytes; undefined when there are none. */
  readonly take: () => OutputChunk | undefined
  /** How many bytes wait. */
  readonly size: () => number
}

/** Bytes of one stream: the first `length` of `buffer`. */
interface Piece {
  readonly stream: OutputChunk["stream"]
  buffer: Buffer
  length: number
}

/** Adds bytes to a piece, by copying; false when they do not fit. */
const join = (piece: Piece, bytes: Buffer): boolean => {
  const length = piece.length + bytes.length
  if (length > JOINED_BYTES) return false
  if (length > piece.buffer.length) {
    const larger = Buffer.allocUnsafe(Math.min(JOINED_BYTES, Math.max(FIRST_COPY_BYTES, 2 * length)))
    piece.buffer.copy(larger, 0, 0, piece.length)
    piece.buffer = larger
  }
  bytes.copy(piece.buffer, piece.length)
  piece.length = length
  return true
}

/** Makes an empty queue. */
export const makeOutputQueue = (): OutputQueue => {
  let pieces: Array<Piece> = []
  let head = 0
  let size = 0
  const last: Record<OutputChunk["stream"], Piece | undefined> = { stdout: undefined, stderr: undefined }
  return {
    add: (stream, bytes) => {
      if (bytes.length === 0) return
      size += bytes.length
      const own = last[stream]
      const joinable = own !== undefined && (own === pieces.at(-1) || pieces.length - head >= MAX_PIECES)
      if (joinable && join(own, bytes)) return
      const piece = { stream, buffer: bytes, length: bytes.length }
      last[stream] = piece
      pieces.push(piece)
    },
    take: () => {
      const piece = pieces[head]
      if (piece === undefined) return undefined
      head++
      if (head === pieces.length) {
        pieces = []
        head = 0
      } else if (head >= MAX_PIECES) {
        pieces = pieces.slice(head)
        head = 0
      }
      if (last[piece.stream] === piece) last[piece.stream] = undefined
      size -= piece.length
      const { buffer, length } = piece
      return { stream: piece.stream, bytes: length === buffer.length ? buffer : buffer.subarray(0, length) }
    },
    size: () => size
  }
}

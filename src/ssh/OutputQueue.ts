import type { OutputChunk } from "./Transport.ts"

/** Entries up to this size are joined with the one before, so that a flood of tiny packets stays cheap to hold. */
const JOIN_BELOW = 16 * 1024

/** What the queue needs of a paused Node stream: `read(n)` takes exactly `n` buffered bytes. */
export interface PausedStream {
  readonly read: (size?: number) => unknown
}

/**
 * The arrival order of the bytes that two paused streams hold. The bytes themselves stay in the streams, whose limit
 * (the SSH window of 2 MiB, shared by both) therefore bounds everything; this only remembers whose turn it is.
 */
export interface OutputQueue {
  /** Notes that a stream received bytes. */
  readonly arrived: (stream: OutputChunk["stream"], length: number) => void
  /** The next bytes in arrival order; undefined when there are none. */
  readonly take: () => OutputChunk | undefined
}

/** Makes the queue over the two streams of a channel. */
export const makeOutputQueue = (streams: {
  readonly stdout: PausedStream
  readonly stderr: PausedStream
}): OutputQueue => {
  let order: Array<{ stream: OutputChunk["stream"]; length: number }> = []
  let head = 0
  return {
    arrived: (stream, length) => {
      if (length === 0) return
      const last = order.length > head ? order.at(-1) : undefined
      if (last !== undefined && last.stream === stream && last.length + length <= JOIN_BELOW) last.length += length
      else order.push({ stream, length })
    },
    take: () => {
      const next = order[head]
      if (next === undefined) return undefined
      head++
      if (head === order.length) {
        order = []
        head = 0
      }
      const bytes = streams[next.stream].read(next.length)
      return bytes instanceof Uint8Array ? { stream: next.stream, bytes } : undefined
    }
  }
}

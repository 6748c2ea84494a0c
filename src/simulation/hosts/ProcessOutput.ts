import { Effect } from "effect"
import type { OutputChunk } from "../../ssh/Transport.ts"
import type { PlannedFault } from "./Faults.ts"
import type { SeededRandom } from "../world/SeededRandom.ts"
import type { ChannelBytes, SimulatedChannel } from "./SimulatedChannel.ts"

/** Where a process writes. False means SIGPIPE: nobody reads any more. */
export interface ProcessOutput {
  readonly write: (stream: OutputChunk["stream"], bytes: Uint8Array) => Effect.Effect<boolean>
  /** Writes in no particular shape: for what comes before the command. */
  readonly plain: ProcessOutput["write"]
  /** Writes what is held back, at the end of the process. */
  readonly flush: Effect.Effect<boolean>
  /** What was written, without the header of the run. */
  readonly sent: () => ChannelBytes
}

/** Pieces that a write of slow output comes in, and the longest pause before each. */
const SLOW_PIECES = 4
const MAX_PAUSE_MILLIS = 1_000
/** Bytes that bursty output is held back for. */
const BURST_BYTES = 4 * 1024
/** The noise of a flood, and of one write of it. */
const FLOOD_BYTES = 1_000_000
const FLOOD_WRITE = new Uint8Array(16 * 1024).fill(0x7e)
/** Characters of two, three and four bytes, and the beginning of one that never ends. */
const WIDE = new TextEncoder().encode("h\u00f6st \u20ac \u{1f600}\n")
const CUT_CHARACTER = Uint8Array.of(0xe2, 0x82)
/** Bytes of a write that are cut anywhere. */
const CUT_BYTES = 64

const OK = Effect.succeed(true)

/** Writes one after the other, until one fails. */
const inTurn = (writes: ReadonlyArray<Effect.Effect<boolean>>): Effect.Effect<boolean> =>
  writes.reduce((before, next) => Effect.flatMap(before, (ok) => (ok ? next : Effect.succeed(false))), OK)

/** Makes the output of a process, in the shape that a fault of the stage `streaming` gives it. */
export const makeProcessOutput = (
  channel: SimulatedChannel,
  fault: PlannedFault | undefined,
  random: SeededRandom
): ProcessOutput => {
  const sent = { stdout: 0, stderr: 0 }
  let held: Array<OutputChunk> = []
  let isBegun = false

  const plain: ProcessOutput["write"] = (stream, bytes) =>
    Effect.map(channel.write(stream, bytes), (ok) => {
      if (ok) sent[stream] += bytes.length
      return ok
    })
  const flush = Effect.suspend(() => {
    const writes = held.map(({ bytes, stream }) => plain(stream, bytes))
    held = []
    return inTurn(writes)
  })

  const slow: ProcessOutput["write"] = (stream, bytes) => {
    const size = Math.max(1, Math.ceil(bytes.length / SLOW_PIECES))
    const pause = Math.min(MAX_PAUSE_MILLIS, fault?.millis ?? 0)
    const pieces = Array.from({ length: Math.min(SLOW_PIECES, bytes.length) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size)
    )
    return inTurn(pieces.map((piece) => Effect.andThen(Effect.sleep(pause), plain(stream, piece))))
  }
  const bursty: ProcessOutput["write"] = (stream, bytes) => {
    held.push({ stream, bytes })
    return held.reduce((size, chunk) => size + chunk.bytes.length, 0) >= BURST_BYTES ? flush : OK
  }
  const flooded: ProcessOutput["write"] = (stream, bytes) => {
    if (isBegun) return plain(stream, bytes)
    isBegun = true
    const writes = Array.from({ length: Math.ceil(FLOOD_BYTES / FLOOD_WRITE.length) }, () =>
      plain("stdout", FLOOD_WRITE)
    )
    return inTurn([...writes, plain(stream, bytes)])
  }
  const cut: ProcessOutput["write"] = (stream, bytes) => {
    const first = isBegun ? bytes : Buffer.concat([WIDE, bytes])
    isBegun = true
    const pieces: Array<Uint8Array> = []
    let at = 0
    while (at < Math.min(CUT_BYTES, first.length)) {
      const size = 1 + random.below(7)
      pieces.push(first.subarray(at, at + size))
      at += size
    }
    return inTurn([...pieces, first.subarray(at)].map((piece) => plain(stream, piece)))
  }

  const shape = (): Pick<ProcessOutput, "write" | "flush"> => {
    switch (fault?.kind) {
      case "slow-output":
        return { write: slow, flush: OK }
      case "bursty-output":
        return { write: bursty, flush }
      case "flood":
        return { write: flooded, flush: OK }
      case "partial-utf8":
        return { write: cut, flush: Effect.suspend(() => plain("stdout", CUT_CHARACTER)) }
      default:
        return { write: plain, flush: OK }
    }
  }
  return { ...shape(), plain, sent: () => ({ ...sent }) }
}

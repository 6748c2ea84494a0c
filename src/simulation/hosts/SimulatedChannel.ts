import { Cause, Deferred, Effect, Stream } from "effect"
import type { SshError } from "../../ssh/errors.ts"
import { sshError } from "../../ssh/errors.ts"
import type { OutputChunk, RemoteChannel, RemoteExit } from "../../ssh/Transport.ts"
import type { SeededRandom } from "../world/SeededRandom.ts"

/** What a host may send ahead of what was read: the SSH window, and what the pipes before it hold. */
const WINDOW_BYTES = 256 * 1024
/** Bytes handed to the reader at once, unless one write was larger. */
const BATCH_BYTES = 64 * 1024

/** Bytes of the two streams. */
export interface ChannelBytes {
  readonly stdout: number
  readonly stderr: number
}

/** A piece of output on its way. The header of a run is not counted as the run's output. */
interface Piece extends OutputChunk {
  readonly isHeader: boolean
}

/** A session channel, with a side for the product and one for the host. */
export interface SimulatedChannel {
  readonly id: number
  /** The product's side, once the host accepted the request. */
  readonly accepted: Effect.Effect<RemoteChannel, SshError>
  /** Closes the product's side: nobody reads any more. */
  readonly close: () => void
  /** Whether both sides have it open. */
  readonly isOpen: () => boolean
  /** What the product took of the run's output. */
  readonly read: () => ChannelBytes

  /** The host takes the request. */
  readonly accept: () => void
  /** The host refuses the request. */
  readonly refuse: (error: SshError) => void
  /**
   * Sends bytes, once the window is open. False when nobody reads any more, which a process gets SIGPIPE for. What was on
   * its way when the connection was lost counts as sent.
   */
  readonly write: (stream: OutputChunk["stream"], bytes: Uint8Array, isHeader?: boolean) => Effect.Effect<boolean>
  /** Both streams end and the channel closes, with an exit status or without. */
  readonly end: (exit: RemoteExit | undefined) => void
  /** The connection is gone, at once: what was sent and is here can still be read. */
  readonly lose: (error: SshError) => void
}

/** What a channel is made of. */
export interface ChannelOptions {
  readonly id: number
  readonly alias: string
  readonly random: SeededRandom
  /** Runs something at the product's end when the network lets it through, in the order of the calls. */
  readonly deliver: (arrive: () => void) => void
}

const WRITTEN = Effect.succeed(true)
const BROKEN_PIPE = Effect.succeed(false)

/** Makes a channel whose request is on its way. */
export const makeSimulatedChannel = ({ alias, deliver, id, random }: ChannelOptions): SimulatedChannel => {
  const accepted = Deferred.makeUnsafe<RemoteChannel, SshError>()
  const exited = Deferred.makeUnsafe<RemoteExit, SshError>()
  const closed = Deferred.makeUnsafe<void>()
  const read = { stdout: 0, stderr: 0 }
  let arrived: Array<Piece> = []
  /** Sent and not yet taken, on its way or arrived. */
  let outstanding = 0
  let isEnded = false
  let isAbandoned = false
  let wakeReader = () => {}
  let wakeWriter = () => {}

  const ended = (exit: Effect.Effect<RemoteExit, SshError>): void => {
    isEnded = true
    Deferred.doneUnsafe(exited, exit)
    Deferred.doneUnsafe(closed, Effect.void)
    wakeReader()
    wakeWriter()
  }

  /** Takes what arrived. Pieces of one stream that touch are joined now and then, as the network does. */
  const take = (): ReadonlyArray<OutputChunk> => {
    const batch: Array<OutputChunk> = []
    let taken = 0
    let used = 0
    for (const piece of arrived) {
      if (taken >= BATCH_BYTES) break
      used++
      taken += piece.bytes.length
      if (!piece.isHeader) read[piece.stream] += piece.bytes.length
      const last = batch.at(-1)
      if (last?.stream === piece.stream && random.chance(0.5)) {
        batch[batch.length - 1] = { stream: last.stream, bytes: Buffer.concat([last.bytes, piece.bytes]) }
      } else batch.push({ stream: piece.stream, bytes: piece.bytes })
    }
    arrived = arrived.slice(used)
    outstanding -= taken
    wakeWriter()
    return batch
  }

  // A fiber can be made to give way between the look and the wait: both are looked at again.
  const arrival = Effect.callback<void>((resume) => {
    if (arrived.length > 0 || isEnded) return resume(Effect.void)
    wakeReader = () => resume(Effect.void)
    return Effect.sync(() => {
      wakeReader = () => {}
    })
  })
  const pull: Effect.Effect<readonly [OutputChunk, ...Array<OutputChunk>], Cause.Done> = Effect.suspend(() => {
    const [first, ...rest] = take()
    if (first !== undefined) return Effect.succeed([first, ...rest] as const)
    return isEnded ? Cause.done() : Effect.andThen(arrival, pull)
  })
  const api: RemoteChannel = {
    output: Stream.fromPull(Effect.succeed(pull)),
    exit: Deferred.await(exited),
    closed: Deferred.await(closed)
  }

  const room = Effect.callback<void>((resume) => {
    if (isAbandoned || isEnded || outstanding <= WINDOW_BYTES) return resume(Effect.void)
    wakeWriter = () => resume(Effect.void)
    return Effect.sync(() => {
      wakeWriter = () => {}
    })
  })
  const write: SimulatedChannel["write"] = (stream, bytes, isHeader = false) =>
    Effect.suspend(() => {
      if (isAbandoned || isEnded) return BROKEN_PIPE
      if (outstanding > WINDOW_BYTES) return Effect.andThen(room, write(stream, bytes, isHeader))
      if (bytes.length === 0) return WRITTEN
      outstanding += bytes.length
      deliver(() => {
        if (isAbandoned || isEnded) return
        arrived.push({ stream, bytes, isHeader })
        wakeReader()
      })
      return WRITTEN
    })

  return {
    id,
    accepted: Deferred.await(accepted),
    close: () => {
      isAbandoned = true
      arrived = []
      wakeWriter()
    },
    isOpen: () => !isEnded && !isAbandoned,
    read: () => ({ ...read }),
    accept: () =>
      deliver(() => {
        if (!isEnded) Deferred.doneUnsafe(accepted, Effect.succeed(api))
      }),
    refuse: (error) => deliver(() => Deferred.doneUnsafe(accepted, Effect.fail(error))),
    write,
    end: (exit) =>
      deliver(() => {
        if (isEnded) return
        ended(
          exit === undefined
            ? Effect.fail(sshError(alias, "ConnectionLost", "channel closed without an exit status"))
            : Effect.succeed(exit)
        )
      }),
    lose: (error) => {
      if (isEnded) return
      Deferred.doneUnsafe(accepted, Effect.fail(error))
      ended(Effect.fail(error))
    }
  }
}

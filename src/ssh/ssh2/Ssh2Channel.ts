import { Cause, Deferred, Duration, Effect, Option, Result, Stream } from "effect"
import type { Scope } from "effect"
import type { Client, ClientChannel } from "ssh2"
import { type SshError, sshError, type SshFailure } from "../errors.ts"
import { monotonicMillis } from "../MonotonicTime.ts"
import { makeOutputQueue } from "../process/OutputQueue.ts"
import { callLibrary } from "./Ssh2Call.ts"
import { isClosedByHost, largeWindow, openSession, type PreopenedSession } from "./Ssh2Patches.ts"
import { execFailure, type LibraryError, signalName } from "../SshFailures.ts"
import type { Target } from "../Target.ts"
import type { OutputChunk, RemoteChannel, RemoteExit } from "../Transport.ts"

/** After the exit status: how long a silent stream is waited for, and how long all such waits together may take. */
const DRAIN_IDLE_MILLIS = 250
const DRAIN_TOTAL_MILLIS = 5_000
/** Bytes of output handed on at once. */
const BATCH_BYTES = 256 * 1024
/** What a host may send ahead of what was read: on a slow link a channel passes at most this in each round trip. */
const WINDOW_BYTES = 8 * 1024 * 1024
/** Bytes that wait before the library is told to stop, where its own window could not be replaced. */
const HIGH_WATER_BYTES = 1024 * 1024

/**
 * One channel of a started command: its events, as they are, turned into the members of `RemoteChannel`.
 *
 * What the host sends never enters the buffers of Node's streams, which would lose the order between the two and cost
 * as much again as the decryption: it waits in one queue, and the window opens as the queue is read.
 */
const adoptChannel = (channel: ClientChannel, target: Target): { api: RemoteChannel; close: () => void } => {
  const queue = makeOutputQueue()
  const window = largeWindow(channel, WINDOW_BYTES)
  const exit = Deferred.makeUnsafe<RemoteExit, SshError>()
  const closed = Deferred.makeUnsafe<void>()
  const open = new Set<OutputChunk["stream"]>(["stdout", "stderr"])
  let exited = false
  let isClosed = false
  let discard = false
  let events = 0
  let waiter: () => void = () => {}
  const wake = () => {
    events++
    waiter()
  }

  /** Lets the host send as much again. */
  const consumed = (bytes: number) => {
    if (window !== undefined) window.consumed(bytes)
    else if (queue.size() < HIGH_WATER_BYTES) channel._read(0)
  }

  // ssh2 pushes each packet's bytes as they arrive, and then asks `_read` before it opens its window further.
  const watch = (name: OutputChunk["stream"], stream: ClientChannel | ClientChannel["stderr"]) => {
    const push = stream.push.bind(stream)
    stream.push = (chunk: unknown) => {
      if (chunk === null) {
        // A stream whose end Node sees is closed by it, and a command that closed its output has no exit status yet.
        if (isClosedByHost(channel) !== false) push(null)
        if (open.delete(name)) wake()
        return false
      }
      if (!Buffer.isBuffer(chunk)) return false
      if (discard) consumed(chunk.length)
      else {
        queue.add(name, chunk)
        wake()
      }
      return window === undefined && queue.size() < HIGH_WATER_BYTES
    }
    stream.on("error", () => {})
    stream.resume()
  }
  watch("stdout", channel)
  watch("stderr", channel.stderr)

  channel.on("exit", (code: number | null, signal?: string) => {
    exited = true
    const ended: RemoteExit =
      typeof code === "number" ? { _tag: "Exited", code } : { _tag: "Signalled", signal: signalName(String(signal)) }
    Deferred.doneUnsafe(exit, Effect.succeed(ended))
    wake()
  })
  channel.on("close", () => {
    isClosed = true
    Deferred.doneUnsafe(
      exit,
      Effect.fail(sshError(target.alias, "ConnectionLost", "channel closed without an exit status"))
    )
    Deferred.doneUnsafe(closed, Effect.void)
    wake()
  })

  /** Ends at the first event after the `seen`-th, which may already have been. */
  const eventAfter = (seen: number) =>
    Effect.callback<void>((resume) => {
      if (events !== seen) return resume(Effect.void)
      waiter = () => resume(Effect.void)
      return Effect.sync(() => {
        waiter = () => {}
      })
    })

  const takeBatch = (): ReadonlyArray<OutputChunk> => {
    const batch: Array<OutputChunk> = []
    let bytes = 0
    while (bytes < BATCH_BYTES) {
      const chunk = queue.take()
      if (chunk === undefined) break
      batch.push(chunk)
      bytes += chunk.bytes.length
    }
    if (bytes > 0) consumed(bytes)
    return batch
  }

  /** From here on bytes are dropped, so that a host which sends more still comes to its end. */
  const finish = () => {
    discard = true
    while (queue.take() !== undefined);
    consumed(0)
  }

  const pull = Effect.gen(function* () {
    let waited = 0
    while (true) {
      const seen = events
      const [first, ...rest] = takeBatch()
      if (first !== undefined) return [first, ...rest] as const
      if (open.size === 0 || isClosed) {
        finish()
        return yield* Cause.done()
      }
      if (!exited) {
        yield* eventAfter(seen)
        continue
      }
      if (waited >= DRAIN_TOTAL_MILLIS) {
        finish()
        return yield* Cause.done()
      }
      const before = yield* monotonicMillis
      const more = yield* Effect.timeoutOption(eventAfter(seen), Duration.millis(DRAIN_IDLE_MILLIS))
      waited += (yield* monotonicMillis) - before
      if (Option.isNone(more)) waited = DRAIN_TOTAL_MILLIS
    }
  })

  return {
    api: {
      output: Stream.fromPull(Effect.succeed(pull)),
      exit: Deferred.await(exit),
      closed: Deferred.await(closed)
    },
    close: () => {
      if (!isClosed) channel.close()
      finish()
    }
  }
}

/** Told of the channel that runs a command, or why there is none. */
type Answered = (error: LibraryError | null | undefined, channel?: ClientChannel) => void

/** The session of a connection that is kept open for the next command. */
interface ReadySession {
  /** Whether there shall be one. */
  readonly keep: (wanted: boolean) => void
  /** Asks for another in the place of one that was taken. */
  readonly refill: () => void
  /**
   * Passes on the session that is open, or the one that is being opened, or nothing. False gives it back.
   */
  readonly claim: (use: (session: PreopenedSession | undefined) => boolean) => void
}

const makeReadySession = (client: Client): ReadySession => {
  let wanted = false
  let opening = false
  let ready: PreopenedSession | undefined
  let claimant: ((session: PreopenedSession | undefined) => boolean) | undefined

  const keepOrClose = (session: PreopenedSession) => {
    if (wanted && ready === undefined) ready = session
    else session.close()
  }
  const refill = () => {
    if (!wanted || opening || ready !== undefined) return
    opening = openSession(client, (answer) => {
      opening = false
      const use = claimant
      claimant = undefined
      if (Result.isFailure(answer)) {
        // The server is out of sessions, or gone: whoever counts them says when to try again.
        wanted = false
        use?.(undefined)
      } else if (use === undefined || !use(answer.success)) keepOrClose(answer.success)
    })
  }
  return {
    keep: (next) => {
      wanted = next
      if (next) return refill()
      ready?.close()
      ready = undefined
    },
    refill,
    claim: (use) => {
      const session = ready
      ready = undefined
      if (session?.isOpen() === true) {
        if (!use(session)) keepOrClose(session)
        return
      }
      session?.close()
      if (opening && claimant === undefined) claimant = use
      else use(undefined)
    }
  }
}

/** What a connection of the live transport offers for commands. */
export interface Sessions {
  /**
   * Runs a command on the ready session, or opens one: `Connection.exec`. stdin is `input`, or at its end from the
   * start. Closing the Scope closes the channel. Fails with `ChannelRefused` when the command was never sent.
   */
  readonly exec: (command: string, input?: Uint8Array) => Effect.Effect<RemoteChannel, SshError, Scope.Scope>
  /**
   * With true, keeps one session open for the next command, which then takes one round trip instead of two: at once,
   * and again with each command that takes it. It holds one of the server's MaxSessions, so it is wanted only while the
   * caller counts a session as free. False closes it. When the server refuses it, no other is asked for before the
   * next true.
   */
  readonly keepReady: (wanted: boolean) => Effect.Effect<void>
}

/** The sessions of an ssh2 client. `isLost` tells whether its connection is known to be gone. */
export const makeSessions = (client: Client, target: Target, isLost: () => boolean): Sessions => {
  const readySession = makeReadySession(client)

  const open = (command: string, input: Uint8Array | undefined) =>
    Effect.callback<ReturnType<typeof adoptChannel>, SshError>((resume) => {
      const fail = (failure: SshFailure, detail: string) => resume(Effect.fail(sshError(target.alias, failure, detail)))
      const neverSent = (detail: string) => fail("ChannelRefused", detail)
      const mayHaveRun = (detail: string) => fail("ConnectionLost", detail)
      if (isLost()) return neverSent("the connection was already lost")
      let abandoned = false
      const answered: Answered = (error, channel) => {
        if (channel === undefined || (error !== undefined && error !== null)) {
          const why: LibraryError & { readonly reason?: unknown } = error ?? { message: "no channel" }
          // ssh2 gives a request that the connection's end left without an answer the name of one that was refused.
          return fail(isLost() ? "ConnectionLost" : execFailure(why), why.message)
        }
        const adopted = adoptChannel(channel, target)
        if (abandoned) adopted.close()
        else resume(Effect.succeed(adopted))
      }
      const sendOn = (session: PreopenedSession): void => {
        // Whatever is thrown, the request may be on its way.
        if (abandoned) session.close()
        else callLibrary(() => session.exec(command, input, answered), mayHaveRun)
      }
      /**
       * Opens a session first, so that a refused one is told from a request without an answer. A connection that is lost
       * meanwhile is told as lost, though nothing was sent: it is not for a new connection to find out why.
       */
      const openAndSend = (): void => {
        const asked = openSession(client, (opened) => {
          if (Result.isSuccess(opened)) return sendOn(opened.success)
          return isLost() ? mayHaveRun(opened.failure.message) : neverSent(opened.failure.message)
        })
        if (asked) return
        client.exec(command, (error, channel) => {
          // Here a refused command and a closed channel look the same; a refused session has a reason.
          const isSent = error !== undefined && error !== null && Reflect.get(error, "reason") === undefined
          if (isSent) return mayHaveRun(error.message)
          answered(error, channel)
          channel?.end(input)
        })
      }
      readySession.claim((session) => {
        if (abandoned) return false
        if (session === undefined) callLibrary(openAndSend, neverSent)
        else sendOn(session)
        // In the same moment as the command, so that it is open when the next one comes.
        readySession.refill()
        return true
      })
      return Effect.sync(() => {
        abandoned = true
      })
    })

  return {
    exec: Effect.fn("Connection.exec")(function* (command: string, input?: Uint8Array) {
      const adopted = yield* Effect.acquireRelease(open(command, input), (adopted) => Effect.sync(adopted.close), {
        interruptible: true
      })
      return adopted.api
    }),
    keepReady: Effect.fn("Connection.keepReady")((wanted: boolean) =>
      Effect.sync(() => {
        if (!isLost()) readySession.keep(wanted)
      })
    )
  }
}

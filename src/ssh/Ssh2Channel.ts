import { Cause, Clock, Deferred, Duration, Effect, Option, Stream } from "effect"
import type { Client, ClientChannel } from "ssh2"
import { type SshError, sshError } from "./errors.ts"
import { makeOutputQueue } from "./OutputQueue.ts"
import { execFailure, type LibraryError, signalName } from "./SshFailures.ts"
import type { Target } from "./Target.ts"
import type { OutputChunk, RemoteChannel, RemoteExit } from "./Transport.ts"

/** After the exit status: how long a silent stream is waited for, and how long all such waits together may take. */
const DRAIN_IDLE_MILLIS = 250
const DRAIN_TOTAL_MILLIS = 5_000
/** Bytes of output handed on at once. */
const BATCH_BYTES = 256 * 1024

/** One channel of a started command: its events, as they are, turned into the members of `RemoteChannel`. */
const adoptChannel = (channel: ClientChannel, target: Target): { api: RemoteChannel; close: () => void } => {
  const queue = makeOutputQueue({ stdout: channel, stderr: channel.stderr })
  const exit = Deferred.makeUnsafe<RemoteExit, SshError>()
  const closed = Deferred.makeUnsafe<void>()
  let open = 2
  let exited = false
  let isClosed = false
  let discard = false
  let events = 0
  let waiter: () => void = () => {}
  const wake = () => {
    events++
    waiter()
  }

  // ssh2 pushes each packet's bytes as they arrive; Node's own events would lose the order between the two streams.
  const watch = (name: OutputChunk["stream"], stream: ClientChannel | ClientChannel["stderr"]) => {
    const push = stream.push.bind(stream)
    stream.push = (chunk: unknown) => {
      if (discard && chunk !== null) return true
      const room = push(chunk)
      if (chunk === null) open--
      else if (chunk instanceof Uint8Array) queue.arrived(name, chunk.length)
      wake()
      return room
    }
    stream.on("error", () => {})
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
  channel.end()

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
    return batch
  }

  /** From here on bytes are dropped, so that the end of the streams, and with it "close", is still reached. */
  const finish = () => {
    discard = true
    channel.resume()
    channel.stderr.resume()
  }

  const pull = Effect.gen(function* () {
    let waited = 0
    while (true) {
      const seen = events
      const [first, ...rest] = takeBatch()
      if (first !== undefined) return [first, ...rest] as const
      if (open === 0 || isClosed) {
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
      const before = yield* Clock.currentTimeMillis
      const more = yield* Effect.timeoutOption(eventAfter(seen), Duration.millis(DRAIN_IDLE_MILLIS))
      waited += (yield* Clock.currentTimeMillis) - before
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

/**
 * Opens a session channel of an ssh2 client and runs a command on it: `Connection.exec` of the live transport. Closing
 * the Scope closes the channel. Fails with `ChannelRefused` when the command was never sent.
 */
export const execOn = (client: Client, target: Target, isLost: () => boolean) =>
  Effect.fn("Connection.exec")(function* (command: string) {
    const open = Effect.callback<ReturnType<typeof adoptChannel>, SshError>((resume) => {
      const neverSent = (detail: string) => resume(Effect.fail(sshError(target.alias, "ChannelRefused", detail)))
      if (isLost()) return neverSent("the connection was already lost")
      let abandoned = false
      const refuse = (error: LibraryError & { readonly reason?: unknown }) =>
        resume(Effect.fail(sshError(target.alias, execFailure(error), error.message)))
      try {
        client.exec(command, (error, channel) => {
          if (error !== undefined && error !== null) return refuse(error)
          const adopted = adoptChannel(channel, target)
          if (abandoned) adopted.close()
          else resume(Effect.succeed(adopted))
        })
      } catch (error) {
        neverSent(error instanceof Error ? error.message : String(error))
      }
      return Effect.sync(() => {
        abandoned = true
      })
    })
    const adopted = yield* Effect.acquireRelease(open, (adopted) => Effect.sync(adopted.close), { interruptible: true })
    return adopted.api
  })

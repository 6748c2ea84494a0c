import { Schema } from "effect"
import { SshFailure } from "../../ssh/errors.ts"
import { FaultKind, Stage } from "./Faults.ts"

/** How a simulated process ended: an exit code, a signal, or with its host. */
export const ProcessEnd = Schema.Union([
  Schema.TaggedStruct("Exited", { code: Schema.Int }),
  Schema.TaggedStruct("Signalled", { signal: Schema.String }),
  Schema.TaggedStruct("HostLost", {})
])
export type ProcessEnd = typeof ProcessEnd.Type

/** Bytes of the two streams. */
export const StreamBytes = Schema.Struct({ stdout: Schema.Int, stderr: Schema.Int })
export type StreamBytes = typeof StreamBytes.Type

/**
 * What simulated hosts and the network between can be seen to do, in the order in which it happened. `alias` is always the
 * host that it is about; connections and channels are numbered through the run, from 1.
 */
export const HostEvent = Schema.Union([
  Schema.TaggedStruct("NameResolved", { name: Schema.String, addresses: Schema.Array(Schema.String) }),
  Schema.TaggedStruct("NameNotResolved", { name: Schema.String }),
  /** An attempt to connect began. `via` is the alias of the jump host. */
  Schema.TaggedStruct("ConnectStarted", {
    alias: Schema.String,
    connection: Schema.Int,
    address: Schema.String,
    via: Schema.optionalKey(Schema.String)
  }),
  Schema.TaggedStruct("ConnectFailed", { alias: Schema.String, connection: Schema.Int, failure: SshFailure }),
  /** Whoever asked gave up, or its time was over. */
  Schema.TaggedStruct("ConnectAbandoned", { alias: Schema.String, connection: Schema.Int }),
  Schema.TaggedStruct("Connected", { alias: Schema.String, connection: Schema.Int }),
  /** The network or the host ended the connection. */
  Schema.TaggedStruct("ConnectionLost", { alias: Schema.String, connection: Schema.Int }),
  /** The product closed it, also one that was lost before. */
  Schema.TaggedStruct("ConnectionClosed", { alias: Schema.String, connection: Schema.Int }),
  /** A request to run `text` arrived at a session. `command` is the canonical text that it wraps, `tag` the tag of the run. */
  Schema.TaggedStruct("ExecRequested", {
    alias: Schema.String,
    connection: Schema.Int,
    channel: Schema.Int,
    tag: Schema.String,
    command: Schema.String
  }),
  /**
   * The product used a connection that was lost before; the request is not sent. It may happen at the very moment of the
   * loss, and later only for a killer, whose tag is "".
   */
  Schema.TaggedStruct("ExecOnLost", { alias: Schema.String, connection: Schema.Int, tag: Schema.String }),
  /** A request to run the killer for the run with that tag arrived. */
  Schema.TaggedStruct("StopRequested", {
    alias: Schema.String,
    connection: Schema.Int,
    channel: Schema.Int,
    tag: Schema.String
  }),
  /** A request arrived whose text is neither. The product never sends one. */
  Schema.TaggedStruct("UnknownExec", {
    alias: Schema.String,
    connection: Schema.Int,
    channel: Schema.Int,
    text: Schema.String
  }),
  Schema.TaggedStruct("ProcessStarted", {
    alias: Schema.String,
    pid: Schema.Int,
    tag: Schema.String,
    command: Schema.String
  }),
  Schema.TaggedStruct("ProcessSignalled", { alias: Schema.String, pid: Schema.Int, signal: Schema.String }),
  /** `sent` is what it wrote to its channel, without the header. */
  Schema.TaggedStruct("ProcessEnded", {
    alias: Schema.String,
    pid: Schema.Int,
    tag: Schema.String,
    end: ProcessEnd,
    sent: StreamBytes
  }),
  /** The killer's last line. */
  Schema.TaggedStruct("StopAnswered", { alias: Schema.String, tag: Schema.String, answer: Schema.String }),
  /**
   * The product let go of a channel, or of one that it never got. `read` is what it took of the run's output, without the
   * header; the tag is "" for that of a killer.
   */
  Schema.TaggedStruct("ChannelClosed", {
    alias: Schema.String,
    channel: Schema.Int,
    tag: Schema.String,
    read: StreamBytes
  }),
  Schema.TaggedStruct("FaultStruck", {
    alias: Schema.String,
    kind: FaultKind,
    stage: Stage
  })
])
export type HostEvent = typeof HostEvent.Type

/** Told of each event at the moment at which it happens; must not throw. */
export type HostObserver = (event: HostEvent) => void

import type { Duration, Effect } from "effect"
import type { Redaction } from "../audit/redaction/Redaction.ts"
import type { Limits } from "../policy/Limits.ts"
import type { SshError } from "../ssh/errors.ts"
import type { StopReport } from "../ssh/process/RemoteProcess.ts"
import type { OutputChunk, RemoteExit } from "../ssh/Transport.ts"
import type { RemoteStopped } from "./Task.ts"
import type { CleanChunk } from "./TaskOutput.ts"

/** A command on one host that policy and network allowed. */
export interface CommandSpec {
  readonly alias: string
  /** The caller's trimmed text. */
  readonly command: string
  /** The first 16 hex digits of SHA-256 of `command`. */
  readonly hash: string
  /** SHA-256 of the canonical text that runs. */
  readonly commandSha256: string
  /** Ids of the rules that allowed it, joined by commas. */
  readonly decisionRule: string
  /** In force for the task's whole life; `max_seconds` is already lowered to what the caller asked for. */
  readonly limits: Limits
  /** Masks the secrets of the configuration that the task started with; without it nothing is masked. */
  readonly redaction?: Redaction
  /** Who asked. */
  readonly client: string
  /** Receives the cleaned and masked output in order; while it has not returned, no more output is read from the host. */
  readonly onOutput?: (chunk: CleanChunk) => Effect.Effect<void>
}

/** What the supervisor gives to whoever starts the command on the host. */
export interface TaskIo {
  /** Takes one piece of raw output. To be called in order, each call after the one before returned. */
  readonly output: (chunk: OutputChunk) => Effect.Effect<void>
  /** How long a stop may wait between TERM and KILL: 2 s, or 0.5 s while the server shuts down. */
  readonly grace: Effect.Effect<Duration.Duration>
  /** Ends when the server shuts down and will not wait longer for a stop. */
  readonly giveUp: Effect.Effect<void>
  /** Says what a stop came to. Never called when nothing ran, or the end of what ran was waited for. */
  readonly stopped: (report: StopReport) => Effect.Effect<void>
}

/** A command that is known to have started on its host. */
export interface StartedProcess {
  readonly targetIp: string
  /** Resolves once the exit status is known and all output was handed over. */
  readonly wait: Effect.Effect<RemoteExit, SshError>
}

/** One command on many hosts, as a parent task: it holds no slot and writes no audit record of its own. */
export interface FanOutSpec<A = unknown> {
  readonly tag: string
  readonly command: string
  readonly hash: string
  readonly limits: Limits
  /**
   * Why the fan-out as a whole failed, judged by its result; `undefined` when it did not. Without this member every
   * result is a success.
   */
  readonly failure?: (result: A) => string | undefined
}

/** What the supervisor gives to the body of a fan-out. */
export interface FanOutIo {
  /** Adds one line `alias: text` to the parent's output. */
  readonly line: (alias: string, text: string) => Effect.Effect<void>
  /** Says how many hosts are done. The percentage that clients see never falls. */
  readonly progress: (done: number, total: number) => Effect.Effect<void>
  /**
   * Says what stopping one child came to. The parent's `remote_stopped` is the worst of them; a parent that was
   * interrupted without any such word counts as `unconfirmed`.
   */
  readonly stopped: (remote: RemoteStopped) => Effect.Effect<void>
}

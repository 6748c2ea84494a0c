import type { Effect } from "effect"
import { Context, Schema } from "effect"
import type { ReloadFailed, ReloadReport } from "./config/ConfigDirectory.ts"
import type { FleetResult } from "./fleet/FleetResult.ts"
import { Denial } from "./policy/Denial.ts"
import { type Plan, ShownLimits } from "./policy/Plan.ts"
import type { CleanChunk } from "./task/TaskOutput.ts"
import type { InvalidCursor, TaskNotFinished, TaskNotFound } from "./task/errors.ts"
import type { RunResult } from "./task/RunResult.ts"
import type { TaskStatus } from "./task/Task.ts"
import type { CancelReport, OutputPage, TaskReport } from "./task/TaskReport.ts"

/** No host of this alias is in the inventory. */
export class HostNotFound extends Schema.TaggedError<HostNotFound>()("HostNotFound", { alias: Schema.String }) {
  override get message(): string {
    return `Host alias not found: ${this.alias}`
  }
}

/** The configuration does not allow the call: no usable file set, or a key or secret of this host is missing. */
export class ConfigUnusable extends Schema.TaggedError<ConfigUnusable>()("ConfigUnusable", {
  problems: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `Configuration error: ${this.problems.join("; ")}`
  }
}

/** The command was not run; nothing reached the host. */
export class CommandDenied extends Schema.TaggedError<CommandDenied>()("CommandDenied", { denial: Denial }) {
  override get message(): string {
    return this.denial.detail
  }
}

/** A command for one host. */
export interface RunRequest {
  readonly alias: string
  readonly command: string
  /** Seconds; lowered to the host's `max_seconds` when above it. */
  readonly timeoutSeconds?: number
  /** Who asked, for the audit record: the MCP client's name, `cli`, or the embedding program's choice. */
  readonly client?: string
  /** Receives the cleaned output as it arrives; a slow receiver slows the remote command down. */
  readonly onOutput?: (chunk: CleanChunk) => Effect.Effect<void>
}

/** A command for all hosts of a tag. */
export interface TagRequest {
  readonly tag: string
  readonly command: string
  readonly timeoutSeconds?: number
  /** Hosts at the same time, 1 to 256; default 32. */
  readonly concurrency?: number
  /** Sizes of successive batches, each a count or a percentage (`["1", "10%", "100%"]`); the last one repeats. */
  readonly batch?: ReadonlyArray<string>
  /** Stop starting hosts once more than this many (or this percentage) failed. */
  readonly maxFailures?: string
  /** Only these hosts of the tag. */
  readonly only?: ReadonlyArray<string>
  readonly client?: string
  readonly onOutput?: (alias: string, chunk: CleanChunk) => Effect.Effect<void>
}

/** A call that was still running after `sync_wait_seconds`: the task goes on. */
export const Promoted = Schema.Struct({
  task_id: Schema.String,
  status: Schema.Literal("running"),
  alias: Schema.optionalKey(Schema.String),
  tag: Schema.optionalKey(Schema.String),
  hash: Schema.String,
  output: Schema.String,
  next_cursor: Schema.optionalKey(Schema.String),
  hint: Schema.String
})
export type Promoted = typeof Promoted.Type

/** The answer to `start`. */
export const Started = Schema.Struct({
  task_id: Schema.String,
  status: Schema.Literal("pending"),
  keepAlive: Schema.Int,
  pollFrequency: Schema.Int,
  alias: Schema.String,
  command: Schema.String,
  hash: Schema.String
})
export type Started = typeof Started.Type

/** The state of the whole server. */
export const ServerStatus = Schema.Struct({
  status: Schema.Literal("pong"),
  version: Schema.String,
  uptime_seconds: Schema.Int,
  hosts: Schema.Int,
  tasks_running: Schema.Int,
  config_problems: Schema.Array(Schema.String)
})
export type ServerStatus = typeof ServerStatus.Type

/** Whether a host can be reached: connected and authenticated, nothing run. */
export const HostStatus = Schema.Struct({
  status: Schema.Literals(["reachable", "unreachable", "denied"]),
  alias: Schema.String,
  target_ip: Schema.String,
  latency_ms: Schema.Int,
  error: Schema.optionalKey(Schema.String)
})
export type HostStatus = typeof HostStatus.Type

/** A page of the inventory: 500 aliases in inventory order. */
export const HostList = Schema.Struct({
  hosts: Schema.Array(Schema.String),
  count: Schema.Int,
  tags: Schema.Record(Schema.String, Schema.Int),
  next_cursor: Schema.optionalKey(Schema.String)
})
export type HostList = typeof HostList.Type

/** One host as a client may see it; never a credential. */
export const HostDescription = Schema.Struct({
  alias: Schema.String,
  host: Schema.String,
  port: Schema.Int,
  tags: Schema.Array(Schema.String),
  description: Schema.String,
  has_credentials: Schema.Boolean,
  jump: Schema.optionalKey(Schema.Array(Schema.String)),
  limits: ShownLimits,
  network: Schema.Struct({ allowed: Schema.Boolean })
})
export type HostDescription = typeof HostDescription.Type

/** A page of tasks, newest first, 100 a page. */
export interface TaskList {
  readonly tasks: ReadonlyArray<TaskReport>
  readonly next_cursor?: string
}

/** Errors that any call about a host can end with. */
export type HostError = HostNotFound | ConfigUnusable

/**
 * The one public service: what programs, the CLI and MCP talk to. It only composes: decide by policy, resolve and
 * check the address, hand the command to the task supervisor. It holds no state of its own.
 */
export class Orchestrator extends Context.Service<
  Orchestrator,
  {
    readonly status: Effect.Effect<ServerStatus>
    readonly ping: (alias: string) => Effect.Effect<HostStatus, HostError>
    readonly listHosts: (options?: {
      readonly tag?: string
      readonly cursor?: string
    }) => Effect.Effect<HostList, ConfigUnusable | InvalidCursor>
    readonly describeHost: (alias: string) => Effect.Effect<HostDescription, HostError>
    /** Decides without connecting: the same decision that `run` takes. */
    readonly plan: (alias: string, command: string) => Effect.Effect<Plan, HostError>
    /** Runs a command and waits for its end, at most `sync_wait_seconds`. Interruption cancels the task. */
    readonly run: (request: RunRequest) => Effect.Effect<RunResult | Promoted, HostError | CommandDenied>
    /** Runs a command and waits for its end, however long it takes. Interruption cancels the task. */
    readonly runToEnd: (request: RunRequest) => Effect.Effect<RunResult, HostError | CommandDenied>
    /** Starts a command and returns its task at once. */
    readonly start: (request: RunRequest) => Effect.Effect<Started, HostError | CommandDenied>
    readonly runOnTag: (request: TagRequest) => Effect.Effect<FleetResult | Promoted, ConfigUnusable | CommandDenied>
    readonly runOnTagToEnd: (request: TagRequest) => Effect.Effect<FleetResult, ConfigUnusable | CommandDenied>
    readonly taskStatus: (taskId: string) => Effect.Effect<TaskReport, TaskNotFound>
    readonly taskOutput: (
      taskId: string,
      options?: { readonly maxLines?: number; readonly cursor?: string }
    ) => Effect.Effect<OutputPage, TaskNotFound | InvalidCursor>
    /** Waits up to `waitSeconds` (0 to 55, default 0) for the end, then fails with `TaskNotFinished`. */
    readonly taskResult: (
      taskId: string,
      waitSeconds?: number
    ) => Effect.Effect<RunResult | FleetResult, TaskNotFound | TaskNotFinished>
    readonly listTasks: (options?: {
      readonly status?: TaskStatus
      readonly alias?: string
      readonly cursor?: string
    }) => Effect.Effect<TaskList, InvalidCursor>
    /** Interrupts the task's fiber and returns after the remote process group is known to be gone, or says so. */
    readonly cancel: (taskId: string) => Effect.Effect<CancelReport>
    readonly reload: Effect.Effect<ReloadReport, ReloadFailed>
  }
>()("mcp-ssh-orchestrator/Orchestrator") {}

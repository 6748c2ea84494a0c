import { Schema } from "effect"
import { PolicyDocument } from "../../policy/PolicyDocument.ts"
import { TaskStatus } from "../../task/Task.ts"
import { HostPlan } from "../hosts/HostPlan.ts"
import { Program } from "./Program.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** The most hosts of a scenario. */
export const MAX_HOSTS = 100_000
/** The most steps of a scenario. */
export const MAX_STEPS = 1_000_000

/** Virtual milliseconds since the server started: at most a day. */
const Millis = int(0, 86_400_000)

/** Names a step that starts tasks, and so its tasks: unique in a scenario, and unchanged when other steps are removed. */
export const Key = int(0, MAX_STEPS)
export type Key = number

/**
 * The tasks of another step: the one it started (of a `RunOnTag`, the parent), or the one of the host `child`. Names
 * a task that does not exist when that step is not there, was denied, or did not come that far.
 */
export const TaskRef = Schema.Struct({ of: Key, child: Schema.optionalKey(Schema.String) })
export type TaskRef = typeof TaskRef.Type

/** One simulated host, and what servers.yml says of it besides. */
export const ScenarioHost = HostPlan.pipe(
  Schema.fieldsAssign({
    /** What servers.yml holds as its `host`: the name, or one of the addresses. */
    configured: Schema.Literals(["name", "address"]),
    tags: Schema.Array(Schema.String),
    /** The alias of the host to go through, which comes earlier and has no `jump` of its own. */
    jump: Schema.optionalKey(Schema.String)
  })
)
export type ScenarioHost = typeof ScenarioHost.Type

/** What an operator does to the configuration files before a reload. Changes add up; those of a bad file do not stay. */
export const ConfigChange = Schema.Union([
  /** Nothing: the reload reads what it read before. */
  Schema.TaggedStruct("Unchanged", {}),
  /** Another policy.yml. */
  Schema.TaggedStruct("NewPolicy", { policy: PolicyDocument }),
  /** Takes a host out of servers.yml, and those behind it. */
  Schema.TaggedStruct("RemoveHost", { alias: Schema.String }),
  /** Puts a host of the scenario back, and the one before it. */
  Schema.TaggedStruct("AddHost", { alias: Schema.String }),
  /** One of the files is not YAML for the time of this reload. */
  Schema.TaggedStruct("BadYaml", { file: Schema.Literals(["servers", "credentials", "policy"]) }),
  /** One of the files holds an unknown key for the time of this reload. */
  Schema.TaggedStruct("BadKey", { file: Schema.Literals(["servers", "credentials", "policy"]) }),
  /** A host names a credential that does not exist, for the time of this reload. */
  Schema.TaggedStruct("BadReference", {})
])
export type ConfigChange = typeof ConfigChange.Type

/** Whether a reload of this change must be refused, the configuration staying what it was. */
export const isBadChange = (change: ConfigChange): boolean => change._tag.startsWith("Bad")

const at = { /** When the step begins; it goes on beside the later ones. */ at: Millis }

const command = {
  key: Key,
  program: Program,
  /** Blanks between the words of the command. */
  blanks: int(1, 3),
  timeoutSeconds: Schema.optionalKey(int(1, 3_600))
}

/** `ssh_run`. */
export const Run = Schema.TaggedStruct("Run", { ...at, ...command, alias: Schema.String })
/** `ssh_run_on_tag`. */
export const RunOnTag = Schema.TaggedStruct("RunOnTag", {
  ...at,
  ...command,
  tag: Schema.String,
  concurrency: Schema.optionalKey(int(1, 256)),
  batch: Schema.optionalKey(Schema.NonEmptyArray(int(1, 1_000)).check(Schema.isMaxLength(20))),
  maxFailures: Schema.optionalKey(int(0, 1_000)),
  only: Schema.optionalKey(Schema.NonEmptyArray(Schema.String))
})
/** `ssh_run_async`. */
export const Start = Schema.TaggedStruct("Start", { ...at, ...command, alias: Schema.String })
/** `ssh_plan`: decided, never run. */
export const Plan = Schema.TaggedStruct("Plan", { ...at, ...command, alias: Schema.String })
/** `ssh_ping` of a host. */
export const Ping = Schema.TaggedStruct("Ping", { ...at, alias: Schema.String })
/** `ssh_get_task_status`. */
export const Poll = Schema.TaggedStruct("Poll", { ...at, task: TaskRef })
/** `ssh_get_task_output`. */
export const PageOutput = Schema.TaggedStruct("PageOutput", {
  ...at,
  task: TaskRef,
  maxLines: int(1, 1_000),
  /** Without a cursor; from the first line on; or after the last page that an earlier `PageOutput` of the task read. */
  from: Schema.Literals(["newest", "start", "last"])
})
/** `ssh_get_task_result`. */
export const Await = Schema.TaggedStruct("Await", { ...at, task: TaskRef, waitSeconds: int(0, 55) })
/** `ssh_cancel_task`. */
export const Cancel = Schema.TaggedStruct("Cancel", { ...at, task: TaskRef })
/** `ssh_cancel_task` twice at the same moment. */
export const DoubleCancel = Schema.TaggedStruct("DoubleCancel", { ...at, task: TaskRef })
/** `ssh_list_tasks`. */
export const List = Schema.TaggedStruct("List", {
  ...at,
  status: Schema.optionalKey(TaskStatus),
  alias: Schema.optionalKey(Schema.String)
})
/** The operator changes the files, then `ssh_reload_config`. */
export const Reload = Schema.TaggedStruct("Reload", { ...at, change: ConfigChange })
/** The client of the call of step `of` goes away: the call's fiber is interrupted. Nothing when it answered already. */
export const Disconnect = Schema.TaggedStruct("Disconnect", { ...at, of: Key })
/** The server is stopped: every call is interrupted and the server's Scope closes. Steps after it do not happen. */
export const Shutdown = Schema.TaggedStruct("Shutdown", { ...at })
/** The wall clock of the server is set forward or back; its monotonic clock is not. */
export const ClockJump = Schema.TaggedStruct("ClockJump", { ...at, millis: int(-86_400_000, 86_400_000) })

/** One thing that a client or an operator does. */
export const Step = Schema.Union([
  Run,
  RunOnTag,
  Start,
  Plan,
  Ping,
  Poll,
  PageOutput,
  Await,
  Cancel,
  DoubleCancel,
  List,
  Reload,
  Disconnect,
  Shutdown,
  ClockJump
])
export type Step = typeof Step.Type

/** A step that submits tasks. */
export type SubmitStep = Extract<Step, { readonly _tag: "Run" | "RunOnTag" | "Start" }>

/** Whether a step submits tasks. */
export const isSubmit = (step: Step): step is SubmitStep =>
  step._tag === "Run" || step._tag === "RunOnTag" || step._tag === "Start"

/** Everything that a run depends on: the same scenario gives the same event log, byte for byte. */
export const Scenario = Schema.Struct({
  /** Of the scheduler, the latencies and every other draw during the run. Unsigned, 32 bits. */
  seed: int(0, 0xffff_ffff),
  hosts: Schema.Array(ScenarioHost).check(Schema.isMaxLength(MAX_HOSTS)),
  /** policy.yml at the start. */
  policy: PolicyDocument,
  /** In the order of `at`; of equal times, in this order. */
  steps: Schema.Array(Step).check(Schema.isMaxLength(MAX_STEPS))
})
export type Scenario = typeof Scenario.Type

import { Effect, Layer, Ref } from "effect"
import { HostNotFound, Orchestrator } from "../../src/Orchestrator.ts"

type Service = Orchestrator["Service"]

/** A task id of the right shape. */
export const TASK_ID = `web1:0123456789abcdef:${"0".repeat(26)}`

/** A finished run. */
export const RUN_RESULT = {
  task_id: TASK_ID,
  alias: "web1",
  hash: "0123456789abcdef",
  status: "completed" as const,
  exit_code: 0,
  duration_ms: 12,
  cancelled: false,
  timeout: false,
  target_ip: "192.0.2.1",
  output: "up 3 days\n",
  bytes_out: 10,
  bytes_err: 0,
  truncated: false,
  max_seconds: 60
}

/** A running task's record. */
export const TASK_REPORT = {
  task_id: TASK_ID,
  kind: "command" as const,
  alias: "web1",
  status: "running" as const,
  keepAlive: 300,
  pollFrequency: 5,
  progress_percent: 10,
  elapsed_ms: 6000,
  bytes_read: 0,
  output_lines_available: 0
}

/** A denial by policy. */
export const DENIAL = {
  status: "denied" as const,
  reason: "policy" as const,
  alias: "web1",
  hash: "0123456789abcdef",
  command: "reboot",
  detail: "Policy blocked this command.",
  hint: "Hint: Use ssh_plan."
}

/** The seam below the tools: members that are not scripted die, so a test sees a call that should not be made. */
export const scripted = (members: Partial<Service>): Layer.Layer<Orchestrator> => Layer.mock(Orchestrator, members)

/** Every member answers with an error or an empty answer, and records that it was reached. */
export const recording = (reached: Ref.Ref<ReadonlyArray<string>>): Layer.Layer<Orchestrator> => {
  const reach = (member: string) => Ref.update(reached, (members) => [...members, member])
  const unknownHost = (member: string) =>
    Effect.andThen(reach(member), Effect.fail(new HostNotFound({ alias: "web1" })))
  return scripted({
    status: Effect.andThen(reach("status"), Effect.die("unused")),
    reload: Effect.andThen(reach("reload"), Effect.die("unused")),
    ping: () => unknownHost("ping"),
    describeHost: () => unknownHost("describeHost"),
    plan: () => unknownHost("plan"),
    run: () => unknownHost("run"),
    start: () => unknownHost("start"),
    listHosts: () => Effect.as(reach("listHosts"), { hosts: [], count: 0, tags: {} }),
    listTasks: () => Effect.as(reach("listTasks"), { tasks: [] }),
    runOnTag: ({ tag }) => Effect.as(reach("runOnTag"), { tag, results: [], note: "No hosts matched." }),
    taskStatus: () => Effect.as(reach("taskStatus"), TASK_REPORT),
    taskResult: () => Effect.as(reach("taskResult"), RUN_RESULT),
    taskOutput: () => Effect.andThen(reach("taskOutput"), Effect.die("unused")),
    cancel: () => Effect.andThen(reach("cancel"), Effect.die("unused"))
  })
}

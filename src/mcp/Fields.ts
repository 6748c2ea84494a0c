import { Schema } from "effect"
import { Alias, Tag } from "../config/Names.ts"
import { CommandText } from "../policy/shell/CommandText.ts"
import { TaskStatus } from "../task/Task.ts"
import type { JsonObject } from "./WireSchema.ts"

/** States more in the JSON Schema than decoding demands. */
const stated = (schema: JsonObject) => Schema.makeFilter<string>(() => true, { toJsonSchema: () => schema })

/** A whole number between two bounds, both inclusive. */
const integer = (name: string, minimum: number, maximum: number) =>
  Schema.Int.check(
    Schema.isBetween({ minimum, maximum }, { message: `${name} must be between ${minimum} and ${maximum}` })
  )

/** The alias of one host. */
export const alias = Alias.annotate({ description: 'Alias of one host as ssh_list_hosts returns it, e.g. "web-1".' })

/** One tag. */
export const tag = Tag.annotate({ description: 'One tag as ssh_list_hosts returns it, e.g. "web"; no pattern.' })

/** A command line. */
export const command = CommandText.check(stated({ pattern: "\\S" })).annotate({
  description:
    'POSIX shell text, e.g. "df -h | tail -n 5": command, pipeline or short script; policy must allow each part.'
})

/** The largest `max_seconds` that a configuration can name: thirty days. */
const LONGEST_SECONDS = 2_592_000

/** A time limit for one command, in seconds. */
export const timeoutSeconds = integer("timeout_seconds", 1, LONGEST_SECONDS).annotate({
  description: "Seconds after which the command is stopped, e.g. 30. Default and ceiling: the host's max_seconds."
})

/** The shape of a task id, as the input schemas state it. */
const TASK_ID_PATTERN = "^[A-Za-z0-9._-]+:[0-9a-f]{16}:[0-9A-Z]{26}$"

/**
 * A task id. The JSON Schema states its exact shape; decoding takes any text but the empty one, so that a malformed
 * id gets the very same answer as an unknown one.
 */
export const taskId = Schema.String.check(
  Schema.isMinLength(1, { message: "task_id is required" }).abort(),
  stated({ maxLength: 200, pattern: TASK_ID_PATTERN })
).annotate({ description: "Task id, alias:hash:suffix, unchanged as a run or ssh_list_tasks returned it." })

/** Where the next page of a list begins. */
export const cursor = Schema.String.check(
  Schema.isPattern(/^[\x21-\x7e]{1,500}$/u, { message: "cursor is not valid" })
).annotate({ description: "The next_cursor of the page before, unchanged. Default: the first page." })

/** Lines on one page of output. */
export const maxLines = integer("max_lines", 1, 1000).annotate({ description: "Lines to return at most.", default: 50 })

/** How long a result may be waited for, in seconds. */
export const waitSeconds = integer("wait_seconds", 0, 55).annotate({
  description: "Seconds to wait for the end, e.g. 45; 0 answers at once.",
  default: 0
})

/** Hosts of a fan-out that run at the same time. */
export const concurrency = integer("concurrency", 1, 256).annotate({
  description: "Hosts that run at the same time.",
  default: 32
})

/** The states of a task, as a filter. */
export const status = TaskStatus.annotate({
  expected: `one of ${TaskStatus.literals.join(", ")}`,
  description: 'Only tasks in this state, e.g. "running". Default: all.'
})

const AMOUNT = 'a count (5) or a percentage ("10%")'

/** A number of hosts: a count from `minimum` on, or a percentage of the hosts. */
const amount = (minimum: 0 | 1) => {
  const text = minimum === 0 ? /^([0-9]{1,5}|([0-9]{1,2}|100)%)$/u : /^([1-9][0-9]{0,4}|([1-9][0-9]?|100)%)$/u
  return Schema.Union([
    Schema.Int.check(Schema.isBetween({ minimum, maximum: 99_999 })),
    Schema.String.check(Schema.isPattern(text))
  ]).annotate({ expected: AMOUNT })
}

/** Sizes of successive batches of a fan-out. */
export const batch = Schema.Array(amount(1))
  .check(
    Schema.isMinLength(1, { message: "batch must have 1 to 20 entries" }),
    Schema.isMaxLength(20, { message: "batch must have 1 to 20 entries" })
  )
  .annotate({
    description:
      'Sizes of successive batches, counts or percentages of all hosts, e.g. [1, "10%", "100%"]; each starts when the one before ended, the last size repeats. Default: one batch.'
  })

/** How many hosts of a fan-out may fail. */
export const maxFailures = amount(0).annotate({
  expected: AMOUNT,
  description:
    'Start no more hosts once more than this count or percentage failed or were denied, e.g. 0 or "10%". Default: no limit.'
})

/** Hosts that one fan-out may name. */
const ONLY_LIMIT = 1000

/** Some hosts of a tag. */
export const only = Schema.Array(Alias)
  .check(
    Schema.isMinLength(1, { message: `only must have 1 to ${ONLY_LIMIT} aliases` }),
    Schema.isMaxLength(ONLY_LIMIT, { message: `only must have 1 to ${ONLY_LIMIT} aliases` })
  )
  .annotate({ description: "Only these aliases of the tag, e.g. failed_hosts of an earlier answer. Default: all." })

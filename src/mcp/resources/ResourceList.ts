import { Effect, Option } from "effect"
import { type HostRecord, Orchestrator } from "../../Orchestrator.ts"
import { decodeCursor, encodeCursor } from "../../task/PageCursor.ts"
import type { TaskReport } from "../../task/TaskReport.ts"
import { printable } from "../SafeText.ts"
import { badCursor } from "./ResourceErrors.ts"
import type { Resource, ResourcePage } from "./Resources.ts"
import { UNTRUSTED } from "./Templates.ts"

/** Resources on one page. */
const PER_PAGE = 500

/** Characters of an operator's text in a description. */
const TEXT_LENGTH = 200

/** The resources that are always there. */
const FIXED: ReadonlyArray<Resource> = [
  {
    uri: "ssh://hosts",
    name: "hosts",
    title: "Hosts",
    description: "The inventory: every host with its address, port, tags and description. Can be subscribed to.",
    mimeType: "application/json",
    annotations: { audience: ["user", "assistant"], priority: 0.8 }
  },
  {
    uri: "ssh://tasks",
    name: "tasks",
    title: "Tasks",
    description: "The newest 100 tasks with their states, as ssh_list_tasks shows them.",
    mimeType: "application/json",
    annotations: { audience: ["user", "assistant"], priority: 0.6 }
  }
]

const hostResource = ({ alias, description, tags }: HostRecord): Resource => ({
  uri: `ssh://host/${alias}`,
  name: alias,
  title: `Host ${alias}`,
  description: [
    description === "" ? "A host of the inventory." : printable(description, TEXT_LENGTH),
    ...(tags.length === 0 ? [] : [`Tags: ${printable(tags.join(", "), TEXT_LENGTH)}`])
  ].join(" "),
  mimeType: "application/json",
  annotations: { audience: ["user", "assistant"], priority: 0.4 }
})

const outputResource = ({ alias, status, tag, task_id }: TaskReport): Resource => ({
  uri: `ssh://task/${task_id}/output`,
  name: task_id,
  title: `Output ${alias === undefined ? `of the hosts tagged ${tag ?? ""}` : `of ${alias}`} (${status})`,
  description: `What the task printed so far, head and tail. Can be subscribed to. ${UNTRUSTED}`,
  mimeType: "text/plain",
  annotations: { audience: ["user", "assistant"], priority: 0.5 }
})

/** Where the hosts of a page begin: after the alias in the cursor. None when that host is gone or the cursor was not given out. */
const positionAfter = (cursor: string, hosts: ReadonlyArray<HostRecord>): Option.Option<number> =>
  decodeCursor("resources", cursor).pipe(
    Option.map((last) => hosts.findIndex(({ alias }) => alias === last) + 1),
    Option.filter((position) => position > 0)
  )

/**
 * A page of the resources: what is always there and the outputs of the newest 100 tasks, then every host in inventory
 * order, 500 resources a page. Without a usable configuration there are no hosts, and that is no error here.
 */
export const listResources = Effect.fn("Resources.list")(function* (cursor?: string) {
  const orchestrator = yield* Orchestrator
  const hosts = yield* Effect.orElseSucceed(orchestrator.hostRecords, (): ReadonlyArray<HostRecord> => [])
  const position = cursor === undefined ? Option.some(0) : positionAfter(cursor, hosts)
  if (Option.isNone(position)) return yield* badCursor
  const before =
    cursor === undefined ? [...FIXED, ...(yield* Effect.orDie(orchestrator.listTasks())).tasks.map(outputResource)] : []
  const next = position.value + PER_PAGE - before.length
  const last = hosts.slice(position.value, next).at(-1)
  return {
    resources: [...before, ...hosts.slice(position.value, next).map(hostResource)],
    ...(last !== undefined && next < hosts.length ? { nextCursor: encodeCursor("resources", last.alias) } : {})
  } satisfies ResourcePage
})

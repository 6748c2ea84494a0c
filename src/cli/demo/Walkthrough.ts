import { Effect, Predicate, Schedule, Schema } from "effect"
import { DEMO_HOSTS, makeDemoDirectory } from "./DemoDirectory.ts"
import { makeKeyPair, startFleet } from "./EmbeddedFleet.ts"
import type { McpSession } from "./McpSession.ts"
import { openSession } from "./McpSession.ts"
import { makeNarration, type Narration } from "./Narration.ts"

/** The demonstration showed something other than it promises. */
export class Unexpected extends Schema.TaggedError<Unexpected>()("Unexpected", { what: Schema.String }) {
  override get message(): string {
    return `The demonstration did not go as it should: ${this.what}`
  }
}

const expect = (holds: boolean, what: string) => (holds ? Effect.void : Effect.fail(new Unexpected({ what })))

const pick = (content: Readonly<Record<string, unknown>>, names: ReadonlyArray<string>) =>
  Object.fromEntries(names.filter((name) => name in content).map((name) => [name, content[name]]))

const text = (value: unknown): string => (typeof value === "string" ? value : "")

/** Calls a tool and shows the call and the named fields of the answer, or all of it. */
const makeShow = (session: McpSession, narration: Narration) =>
  Effect.fnUntraced(function* (name: string, input: Readonly<Record<string, unknown>>, fields?: ReadonlyArray<string>) {
    yield* narration.call(name, input)
    const answer = yield* session.call(name, input)
    const picked = fields === undefined ? answer.content : pick(answer.content, fields)
    yield* narration.answer(Object.keys(picked).length === 0 ? answer.content : picked)
    return answer
  })

/** Shows the lines of a task as they come, page by page behind a cursor, until the task ended. */
const follow = Effect.fnUntraced(function* (session: McpSession, narration: Narration, taskId: string) {
  let cursor: string | undefined
  const page = Effect.gen(function* () {
    const input = cursor === undefined ? { task_id: taskId } : { task_id: taskId, cursor }
    const { content } = yield* session.call("ssh_get_task_output", input)
    const lines = Array.isArray(content["output_lines"]) ? content["output_lines"] : []
    for (const line of lines) yield* narration.answer(String(line))
    cursor = text(content["next_cursor"]) || cursor
    return text(content["status"])
  })
  yield* narration.call("ssh_get_task_output", { task_id: taskId, cursor: "…" })
  const status = yield* page.pipe(
    Effect.repeat({
      schedule: Schedule.spaced("300 millis"),
      until: (status) => status !== "pending" && status !== "running"
    }),
    Effect.timeout("20 seconds")
  )
  // What arrived between the last page and the end.
  yield* page
  yield* narration.remark(`The task is ${status}.`)
})

const untilRunning = (session: McpSession, taskId: string) =>
  session.call("ssh_get_task_status", { task_id: taskId }).pipe(
    Effect.repeat({
      schedule: Schedule.spaced("50 millis"),
      until: ({ content }) => content["status"] === "running"
    }),
    Effect.timeout("10 seconds")
  )

/**
 * The whole demonstration, on stdout, in about ten seconds: three SSH servers on loopback, this program as an MCP
 * server in a process of its own, and the SDK's client that drives it. Fails when something does not go as told.
 */
export const walkthrough = Effect.gen(function* () {
  const narration = yield* makeNarration
  const key = yield* makeKeyPair
  const directory = yield* makeDemoDirectory(key.private)
  const fleet = yield* startFleet({
    publicKey: key.public,
    hosts: DEMO_HOSTS.map(({ alias }) => ({ alias, home: directory.home(alias) }))
  })
  yield* directory.configure(fleet.hosts)

  yield* narration.step("A fleet of three SSH servers on loopback, and a configuration for it")
  yield* narration.remark(`hosts: ${fleet.hosts.map(({ alias, port }) => `${alias} (127.0.0.1:${port})`).join(", ")}`)
  yield* narration.remark(`configuration: ${directory.config} (removed at the end)`)

  yield* narration.step("An MCP client starts the server over stdio")
  const session = yield* openSession(["serve", "--config-dir", directory.config])
  const show = makeShow(session, narration)
  const tools = yield* session.tools
  yield* narration.answer({ server: session.serverName, tools: `${tools.length}: ${tools.join(", ")}` })
  yield* expect(tools.includes("ssh_run"), "ssh_run is not listed")

  yield* narration.step("What is there?")
  const list = yield* show("ssh_list_hosts", {})
  yield* expect(list.content["count"] === DEMO_HOSTS.length, "the inventory is not the three hosts")
  yield* show("ssh_describe_host", { alias: "web-1" })

  yield* narration.step("What would the policy say? Nothing is connected to")
  const planFields = ["allowed", "commands", "normalized", "why", "hint", "denied_command"]
  const allowed = yield* show("ssh_plan", { alias: "web-1", command: "cat motd" }, planFields)
  yield* expect(allowed.content["allowed"] === true, "cat motd is not allowed")
  const refused = yield* show("ssh_plan", { alias: "web-1", command: "systemctl restart nginx" }, planFields)
  yield* expect(refused.content["allowed"] === false, "systemctl restart is not denied")

  yield* narration.step("Running a command, and one that the policy denies")
  const runFields = ["task_id", "status", "exit_code", "duration_ms", "output"]
  const ran = yield* show("ssh_run", { alias: "web-1", command: "cat motd" }, runFields)
  yield* expect(ran.content["status"] === "completed", "cat motd did not complete")
  const denied = yield* show("ssh_run", { alias: "web-1", command: "cat motd; reboot" })
  yield* expect(denied.content["status"] === "denied", "an added reboot was not denied")

  yield* narration.step("The same command on every host with a tag")
  const fanOut = { tag: "demo", command: "cat motd" }
  yield* narration.call("ssh_run_on_tag", fanOut)
  const fanned = yield* session.call("ssh_run_on_tag", fanOut)
  const results = Array.isArray(fanned.content["results"]) ? fanned.content["results"].filter(Predicate.isObject) : []
  yield* narration.answer({
    results: results.map((host) => pick({ ...host }, ["alias", "status", "exit_code", "output"])),
    summary: fanned.content["summary"]
  })
  yield* expect(!fanned.isError && results.length === DEMO_HOSTS.length, "the fan-out failed")

  yield* narration.step("A long command as a task, read while it runs")
  const counting = yield* show("ssh_run_async", { alias: "web-2", command: `${directory.count} 4` })
  yield* follow(session, narration, text(counting.content["task_id"]))

  yield* narration.step("Cancelling: the process on the host is gone when the answer comes")
  const sleeping = yield* show("ssh_run_async", { alias: "db-1", command: "sleep 25" }, ["task_id", "status"])
  const sleepId = text(sleeping.content["task_id"])
  yield* untilRunning(session, sleepId)
  yield* narration.remark(`process groups on the hosts: ${yield* fleet.running}`)
  const cancelled = yield* show("ssh_cancel_task", { task_id: sleepId })
  const left = yield* fleet.running
  yield* narration.remark(`process groups on the hosts: ${left}`)
  yield* expect(cancelled.content["remote_stopped"] === "confirmed", "the stop was not confirmed")
  yield* expect(left === 0, "a process was left on a host")

  yield* narration.step("A new host in servers.yml, and a reload")
  const [first] = fleet.hosts
  if (first !== undefined) yield* directory.addHost("web-3", first, fleet.hosts)
  const reloaded = yield* show("ssh_reload_config", {})
  yield* expect(reloaded.content["status"] === "reloaded", "the reload failed")

  yield* narration.step("What the server's log says: one audit record for every task")
  const closed = yield* session.close
  const audit = (yield* session.log).filter((record) => record["type"] === "audit")
  const auditFields = ["alias", "exit_code", "cancelled", "duration_ms", "bytes_out", "decision_rule", "client"]
  for (const record of audit) yield* narration.remark(JSON.stringify(pick(record, auditFields)))
  yield* expect(audit.length === 6, `${audit.length} audit records instead of 6`)
  yield* expect(closed, "the server is still running")
  yield* narration.remark(
    `The server has ended; process groups on the hosts: ${yield* fleet.running}. Nothing is left running.`
  )
}).pipe(Effect.scoped)

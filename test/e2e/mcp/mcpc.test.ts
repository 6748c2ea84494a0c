import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as fs from "node:fs"
import { eventually, makeHost } from "../Scenario.ts"
import { makeMcpc, type Ran } from "./Clients.ts"

const setUp = Effect.gen(function* () {
  const host = yield* makeHost()
  return { ...host, mcpc: yield* makeMcpc(host.config.environment) }
})

const structured = (ran: Ran): Record<string, unknown> => {
  assert.strictEqual(ran.code, 0, ran.stdout + ran.stderr)
  return Object(ran.json["structuredContent"])
}

/** The id of the task that a detached call answered with. */
const taskIdOf = (ran: Ran): string => {
  assert.strictEqual(ran.code, 0, ran.stdout + ran.stderr)
  const id = ran.json["taskId"] ?? Object(ran.json["task"]).taskId
  assert.isString(id, ran.stdout)
  return id
}

const runOf = (command: string): ReadonlyArray<string> => [
  "tools-call",
  "ssh_run",
  "alias:=web1",
  `command:="${command}"`
]

/** Each call of mcpc is a start of Node, so a test takes some seconds, and many on a busy machine. */
const WITHIN = 180_000

describe("mcpc", () => {
  it.live(
    "connects, lists and calls; resources and prompts answer",
    () =>
      Effect.gen(function* () {
        const { mcpc } = yield* setUp
        assert.strictEqual(mcpc.connected.code, 0, mcpc.connected.stdout)
        assert.containsAllKeys(Object(mcpc.connected.json["capabilities"]), ["tools", "resources", "prompts", "tasks"])
        assert.strictEqual((Object((yield* mcpc.run("tools-list")).json["list"]) as ReadonlyArray<unknown>).length, 13)
        assert.deepInclude(structured(yield* mcpc.run(...runOf("echo hello"))), {
          status: "completed",
          output: "hello\n"
        })
        assert.include((yield* mcpc.run("resources-list")).stdout, "ssh://hosts")
        assert.include((yield* mcpc.run("resources-templates-list")).stdout, "ssh://task/{task_id}/output")
        assert.include((yield* mcpc.run("resources-read", "ssh://hosts")).stdout, "web1")
        assert.include((yield* mcpc.run("prompts-list")).stdout, "ssh_policy_denied_guidance")
        assert.include((yield* mcpc.run("prompts-get", "ssh_orchestrator_usage")).stdout, "ssh_plan")
        assert.strictEqual((yield* mcpc.run("logging-set-level", "warning")).code, 0)
        assert.strictEqual((yield* mcpc.run("ping")).code, 0)
      }),
    WITHIN
  )

  it.live(
    "a call as a task gives the result of the plain call",
    () =>
      Effect.gen(function* () {
        const { command, mcpc } = yield* setUp
        const result = structured(yield* mcpc.run(...runOf(command("ticker", "5")), "--task"))
        assert.deepInclude(result, {
          status: "completed",
          exit_code: 0,
          output: "tick 1\ntick 2\ntick 3\ntick 4\ntick 5\n"
        })
      }),
    WITHIN
  )

  it.live(
    "a detached call is the same task to tasks/* and to the tools, and its result comes when it ends",
    () =>
      Effect.gen(function* () {
        const { command, config, mcpc, started } = yield* setUp
        config.program("args", "echo yes > started; while [ ! -e go ]; do sleep 0.05; done; echo gone")
        const id = taskIdOf(yield* mcpc.run(...runOf(command("args")), "--detach"))
        yield* started
        assert.deepInclude((yield* mcpc.run("tasks-get", id)).json, { taskId: id, status: "working" })
        assert.include((yield* mcpc.run("tasks-list")).stdout, id)
        const status = structured(yield* mcpc.run("tools-call", "ssh_get_task_status", `task_id:="${id}"`))
        assert.deepInclude(status, { task_id: id, status: "running", alias: "web1" })
        const waiting = yield* Effect.forkChild(mcpc.run("tasks-result", id))
        assert.strictEqual((yield* mcpc.run("ping")).code, 0, "others are answered while one waits")
        fs.writeFileSync(`${config.workDir}/go`, "")
        const result = structured(yield* Fiber.join(waiting))
        assert.deepInclude(result, { task_id: id, status: "completed", exit_code: 0, output: "gone\n" })
        assert.deepInclude((yield* mcpc.run("tasks-get", id)).json, { taskId: id, status: "completed" })
      }),
    WITHIN
  )

  it.live(
    "tasks-cancel returns when nothing of the command is left on the host",
    () =>
      Effect.gen(function* () {
        const { command, config, mcpc, started } = yield* setUp
        const id = taskIdOf(yield* mcpc.run(...runOf(command("family")), "--detach"))
        yield* started
        yield* eventually("its children", () => config.remoteProcesses().length >= 3)
        const cancelled = yield* mcpc.run("tasks-cancel", id)
        assert.deepStrictEqual(config.remoteProcesses(), [])
        assert.strictEqual(cancelled.code, 0, cancelled.stdout)
        assert.deepInclude((yield* mcpc.run("tasks-get", id)).json, { status: "cancelled" })
        assert.notStrictEqual((yield* mcpc.run("tasks-cancel", id)).code, 0, "a second time is an error")
      }),
    WITHIN
  )
})

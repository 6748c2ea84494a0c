import { assert, describe, it } from "@effect/vitest"
import { mcpTaskOf } from "../../../src/mcp/tasks/McpTaskOf.ts"
import { newestLine } from "../../../src/mcp/tasks/OrchestratorTasks.ts"
import type { TaskStatus } from "../../../src/task/Task.ts"
import { TASK_ID, TASK_REPORT } from "../ScriptedOrchestrator.ts"

const DETAIL = { ...TASK_REPORT, createdAt: 0, updatedAt: 1500, keptFor: 300_000, maxSeconds: 60 }

/** Every status, with what a report says beside it, and how MCP shows it. */
const SHOWN: ReadonlyArray<
  readonly [status: TaskStatus, more: { exit_code?: number; status_message?: string }, shown: string, message?: RegExp]
> = [
  ["pending", {}, "working", /not started yet/],
  ["running", {}, "working"],
  ["running", { status_message: "1 of 3 hosts finished" }, "working", /1 of 3 hosts/],
  ["completed", { exit_code: 0 }, "completed"],
  ["failed", { exit_code: 3 }, "failed", /exit code 3/],
  ["failed", { status_message: "SSH connection refused" }, "failed", /refused/],
  ["timeout", { status_message: "Stopped after 60 s" }, "failed", /60 s/],
  ["cancelled", { status_message: "Cancelled" }, "cancelled", /Cancelled/]
]

describe("a task as MCP shows it", () => {
  for (const [status, more, shown, message] of SHOWN) {
    it(`is ${shown} when it is ${status} ${JSON.stringify(more)}`, () => {
      const { statusMessage, ...task } = mcpTaskOf({ ...DETAIL, ...more, status })
      assert.deepStrictEqual<unknown>(task, {
        taskId: TASK_ID,
        status: shown,
        createdAt: "1970-01-01T00:00:00.000Z",
        lastUpdatedAt: "1970-01-01T00:00:01.500Z",
        ttl: 300_000,
        pollInterval: 1000
      })
      if (message === undefined) assert.isUndefined(statusMessage)
      else assert.match(statusMessage ?? "", message)
    })
  }
})

describe("the newest line", () => {
  const page = (output_lines: ReadonlyArray<string>, partial_line?: string) => ({
    task_id: TASK_ID,
    status: "running" as const,
    output_lines,
    total_lines: output_lines.length,
    has_more: false,
    next_cursor: "",
    dropped_lines: 0,
    ...(partial_line === undefined ? {} : { partial_line })
  })

  it("is the one being written, unless that is blank, then the last whole one", () => {
    assert.strictEqual(newestLine(page(["a", "b"], "c")), "c")
    assert.strictEqual(newestLine(page(["a", "b"], "  ")), "b")
    assert.strictEqual(newestLine(page(["a", "b"])), "b")
    assert.isUndefined(newestLine(page([])))
    assert.isUndefined(newestLine(page([""])))
  })

  it("is cut after 200 characters, and no character in two", () => {
    assert.strictEqual(newestLine(page(["x".repeat(200)])), "x".repeat(200))
    assert.strictEqual(newestLine(page(["x".repeat(201)])), `${"x".repeat(200)}…`)
    assert.strictEqual(newestLine(page([`${"x".repeat(199)}😀y`])), `${"x".repeat(199)}…`)
  })
})

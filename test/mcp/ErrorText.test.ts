import { assert, describe, it } from "@effect/vitest"
import { ConfigUnusable, HostNotFound } from "../../src/fleet/errors.ts"
import { argumentErrorText, errorText, INTERNAL_ERROR, type ToolError } from "../../src/mcp/ErrorText.ts"
import { InvalidCursor, TaskNotFound } from "../../src/task/errors.ts"

describe("errorText", () => {
  const cases: ReadonlyArray<readonly [string, ToolError, string, string]> = [
    [
      "an unknown host",
      new HostNotFound({ alias: "web9" }),
      "ssh_run",
      "Error: Host alias not found: web9. Call ssh_list_hosts to see the aliases."
    ],
    [
      "an unusable configuration",
      new ConfigUnusable({ problems: ["servers.yml:3:5: hosts[0].prot: unknown key (did you mean port?)"] }),
      "ssh_list_hosts",
      "Error: Configuration error: servers.yml:3:5: hosts[0].prot: unknown key (did you mean port?). Ask the operator to fix it (`mcp-ssh-orchestrator check` prints every problem), then call ssh_reload_config."
    ],
    [
      "an unknown task, asked for its state",
      new TaskNotFound({ taskId: "x" }),
      "ssh_get_task_status",
      "Error: Task not found: x. Call ssh_list_tasks to see the tasks that are still kept."
    ],
    [
      "an unknown task, asked for its output",
      new TaskNotFound({ taskId: "x" }),
      "ssh_get_task_output",
      "Error: Task not found or expired: x. Call ssh_list_tasks to see the tasks that are still kept."
    ],
    [
      "a cursor of another list",
      new InvalidCursor(),
      "ssh_list_hosts",
      "Error: cursor is not valid. Leave cursor out to start again, then pass next_cursor as it was returned."
    ]
  ]
  for (const [what, error, tool, text] of cases) {
    it(`says the text and the next step for ${what}`, () => {
      assert.strictEqual(errorText(error, tool), text)
    })
  }

  it("bounds the problems of a configuration", () => {
    const problems = Array.from({ length: 500 }, (_, line) => `servers.yml:${line}: ${"x".repeat(5000)}`)
    const text = errorText(new ConfigUnusable({ problems }), "ssh_run")
    assert.isBelow(text.length, 4000)
    assert.include(text, "and 490 more")
  })

  it("never repeats control characters or more than 200 characters of a task id", () => {
    const text = errorText(new TaskNotFound({ taskId: `\u001b[31m\u202e${"a".repeat(5000)}` }), "ssh_get_task_result")
    assert.match(text, /^[\x20-\x7e]+$/)
    assert.isBelow(text.length, 320)
  })

  it("names all argument problems and the tool to call again, up to ten", () => {
    assert.strictEqual(
      argumentErrorText(["alias is required", "command is required"], "ssh_run"),
      "Error: alias is required; command is required. Correct the arguments of ssh_run and call it again."
    )
    assert.include(
      argumentErrorText(
        Array.from({ length: 13 }, () => "x"),
        "ssh_run"
      ),
      "and 3 more"
    )
  })

  it("tells nothing of a defect", () => {
    assert.match(INTERNAL_ERROR, /^Error: Internal error\. The outcome is unknown/)
  })
})

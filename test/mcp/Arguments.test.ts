import { assert, describe, it } from "@effect/vitest"
import { Effect, Ref } from "effect"
import { findTool, TOOLS } from "../../src/mcp/ProductTools.ts"
import { recording, TASK_ID } from "./ScriptedOrchestrator.ts"

/** Calls a tool; what it answered and which members of the orchestrator it reached. */
const call = (name: string, args: unknown) =>
  Effect.gen(function* () {
    const reached = yield* Ref.make<ReadonlyArray<string>>([])
    const tool = findTool(name)
    assert.isDefined(tool, name)
    const result = yield* tool.call(args, { client: "mcp:test" }).pipe(Effect.provide(recording(reached)))
    return { result, reached: yield* Ref.get(reached) }
  })

/** The text of a call that must be refused before it reaches anything. */
const refusal = (name: string, args: unknown) =>
  Effect.map(call(name, args), ({ reached, result }) => {
    assert.deepStrictEqual(reached, [])
    if (result._tag !== "Rejected") return assert.fail(`answered ${JSON.stringify(result)}`)
    assert.match(result.text, /^[\x20-\x7e]+$/)
    assert.isBelow(result.text.length, 1500)
    return result.text
  })

/** Arguments that pass, for each tool. */
const GOOD: { readonly [tool: string]: { readonly [field: string]: unknown } } = {
  ssh_ping: { alias: "web1" },
  ssh_list_hosts: { tag: "web", cursor: "abc" },
  ssh_describe_host: { alias: "web1" },
  ssh_plan: { alias: "web1", command: "uptime" },
  ssh_run: { alias: "web1", command: "uptime", timeout_seconds: 5 },
  ssh_run_on_tag: {
    tag: "web",
    command: "uptime",
    timeout_seconds: 5,
    concurrency: 2,
    batch: [1, "10%", "100%"],
    max_failures: "10%",
    only: ["web1"]
  },
  ssh_run_async: { alias: "web1", command: "uptime", timeout_seconds: 5 },
  ssh_get_task_status: { task_id: TASK_ID },
  ssh_get_task_output: { task_id: TASK_ID, max_lines: 10, cursor: "abc" },
  ssh_get_task_result: { task_id: TASK_ID, wait_seconds: 0 },
  ssh_list_tasks: { status: "running", alias: "web1", cursor: "abc" },
  ssh_cancel_task: { task_id: TASK_ID },
  ssh_reload_config: {}
}

const INVALID_NAME = "contains invalid characters (only alphanumeric, dot, dash, underscore allowed)"
const CONTROL = "command contains invalid control characters"

/** Values that a field refuses, with the text. */
const BAD: { readonly [field: string]: ReadonlyArray<readonly [unknown, string]> } = {
  alias: [
    ["", "alias is required"],
    [" ", `alias ${INVALID_NAME}`],
    ["a".repeat(101), "alias too long (max 100 characters)"],
    ["a".repeat(1_000_000), "alias too long (max 100 characters)"],
    ["web1\n", `alias ${INVALID_NAME}`],
    ["\u001b[31mweb1", `alias ${INVALID_NAME}`],
    ["-oProxyCommand=id", `alias ${INVALID_NAME}`],
    [7, "alias must be a string"],
    [null, "alias must be a string"],
    [["web1"], "alias must be a string"],
    [{ $ne: 1 }, "alias must be a string"]
  ],
  tag: [
    ["", "tag is required"],
    ["t".repeat(51), "tag too long (max 50 characters)"],
    ["prod,dev", `tag ${INVALID_NAME}`],
    [42, "tag must be a string"],
    [null, "tag must be a string"]
  ],
  command: [
    ["", "command is required"],
    [" \n\t", "command is required"],
    ["x".repeat(10_001), "command too long (max 10000 characters)"],
    ["uptime\0", "command contains invalid characters (null bytes not allowed)"],
    ["uptime\u001b[2J", CONTROL],
    ["uptime\r; reboot", CONTROL],
    ["uptime \u202e", CONTROL],
    [7, "command must be a string"],
    [null, "command must be a string"],
    [["uptime"], "command must be a string"]
  ],
  task_id: [
    ["", "task_id is required"],
    [7, "task_id must be a string"],
    [null, "task_id must be a string"],
    [{}, "task_id must be a string"]
  ],
  timeout_seconds: [
    [0, "timeout_seconds must be between 1 and 2592000"],
    [-1, "timeout_seconds must be between 1 and 2592000"],
    [2 ** 31, "timeout_seconds must be between 1 and 2592000"],
    [1.5, "timeout_seconds must be an integer"],
    ["30", "timeout_seconds must be an integer (a JSON number)"],
    [null, "timeout_seconds must be an integer"]
  ],
  max_lines: [
    [0, "max_lines must be between 1 and 1000"],
    [1001, "max_lines must be between 1 and 1000"],
    [-5, "max_lines must be between 1 and 1000"],
    [1e300, "max_lines must be"],
    ["5", "max_lines must be an integer"]
  ],
  wait_seconds: [
    [-1, "wait_seconds must be between 0 and 55"],
    [56, "wait_seconds must be between 0 and 55"]
  ],
  concurrency: [
    [0, "concurrency must be between 1 and 256"],
    [257, "concurrency must be between 1 and 256"]
  ],
  batch: [
    [[], "batch must have 1 to 20 entries"],
    [Array.from({ length: 21 }, () => 1), "batch must have 1 to 20 entries"],
    ["10%", "batch must be a list (a JSON array)"],
    ['["10%"]', "batch must be a list (a JSON array)"],
    [["0%"], 'batch[0] must be a count (5) or a percentage ("10%")'],
    [[1, "101%"], "batch[1] must be a count"],
    [[0], "batch[0] must be a count"],
    [["1e3"], "batch[0] must be a count"]
  ],
  max_failures: [
    [-1, 'max_failures must be a count (5) or a percentage ("10%")'],
    ["200%", "max_failures must be a count"],
    [1.5, "max_failures must be a count"],
    [[], "max_failures must be a count"]
  ],
  only: [
    [[], "only must have 1 to 1000 aliases"],
    ["web1", "only must be a list"],
    [["web1", "-a"], `only[1]: alias ${INVALID_NAME}`],
    [["web1", 7], "only[1] must be a string"]
  ],
  status: [
    ["done", "status must be one of pending, running, completed, failed, cancelled, timeout"],
    [7, "status must be one of pending"]
  ],
  cursor: [
    ["", "cursor is not valid"],
    ["a b", "cursor is not valid"],
    ["c".repeat(501), "cursor is not valid"],
    [7, "cursor must be a string"]
  ]
}

const REQUIRED = new Set(["alias", "tag", "command", "task_id"])

describe("the arguments of every tool", () => {
  it("are covered by this table", () => {
    assert.deepStrictEqual(
      Object.keys(GOOD),
      TOOLS.map(({ name }) => name)
    )
    for (const fields of Object.values(GOOD)) for (const field of Object.keys(fields)) assert.property(BAD, field)
  })

  for (const [tool, good] of Object.entries(GOOD)) {
    it.effect(`${tool} refuses every bad value of every field before it reaches anything`, () =>
      Effect.gen(function* () {
        for (const field of Object.keys(good)) {
          for (const [value, text] of BAD[field] ?? []) {
            const said = yield* refusal(tool, { ...good, [field]: value })
            assert.include(said, `Error: ${text}`, `${field} = ${JSON.stringify(value).slice(0, 60)}`)
          }
        }
      })
    )

    it.effect(`${tool} refuses an argument that it does not know, and says which it knows`, () =>
      Effect.gen(function* () {
        for (const extra of ["policy_mode", "approved", "run_as", "env", "host"]) {
          assert.include(yield* refusal(tool, { ...good, [extra]: true }), `unknown argument ${extra} (`)
        }
        const hostile = yield* refusal(tool, { ...good, [`\u001b[31m${"k".repeat(10_000)}`]: 1 })
        assert.include(hostile, "unknown argument ?[31mkkk")
        assert.isBelow(hostile.length, 400)
      })
    )

    it.effect(`${tool} does not take inherited properties for arguments`, () =>
      Effect.gen(function* () {
        const own: unknown = JSON.parse(`{"__proto__":${JSON.stringify(good)}}`)
        const said = yield* refusal(tool, own)
        assert.include(said, "unknown argument __proto__")
        for (const field of Object.keys(good).filter((name) => REQUIRED.has(name) && isRequired(tool, name))) {
          assert.include(said, `${field} is required`)
        }
      })
    )

    it.effect(`${tool} names every required argument that is missing, in one text`, () =>
      Effect.gen(function* () {
        const missing = Object.keys(good).filter((name) => isRequired(tool, name))
        if (missing.length === 0) return
        const said = yield* refusal(tool, {})
        assert.strictEqual(
          said,
          `Error: ${missing.map((name) => `${name} is required`).join("; ")}. Correct the arguments of ${tool} and call it again.`
        )
      })
    )

    it.effect(`${tool} lets good arguments through`, () =>
      Effect.gen(function* () {
        if (tool === "ssh_reload_config" || tool === "ssh_get_task_output" || tool === "ssh_cancel_task") return
        const { reached } = yield* call(tool, good)
        assert.lengthOf(reached, 1)
      })
    )
  }

  it.effect("a malformed task id looks like an unknown one and reaches nothing", () =>
    Effect.gen(function* () {
      const malformed = ["0", "1", "*", "__proto__", "web1:abc123:1700000000", `${TASK_ID}\n`, "a".repeat(64), "\u0000"]
      for (const id of malformed) {
        const shown = id.replaceAll(/[^A-Za-z0-9._:-]/g, "?")
        assert.include(yield* refusal("ssh_get_task_status", { task_id: id }), `Error: Task not found: ${shown}. `)
        for (const tool of ["ssh_get_task_output", "ssh_get_task_result"]) {
          assert.include(yield* refusal(tool, { task_id: id }), `Error: Task not found or expired: ${shown}. `)
        }
        const { reached, result } = yield* call("ssh_cancel_task", { task_id: id })
        assert.deepStrictEqual(reached, [])
        assert.deepStrictEqual(result, {
          _tag: "Answered",
          isError: false,
          value: { task_id: shown, cancelled: false, message: "Task not found", remote_stopped: "not_started" }
        })
      }
    })
  )

  it.effect("a task id longer than 200 characters is cut where it is repeated", () =>
    Effect.gen(function* () {
      const said = yield* refusal("ssh_get_task_result", { task_id: "a".repeat(100_000) })
      assert.include(said, `Task not found or expired: ${"a".repeat(200)}. `)
    })
  )
})

const isRequired = (tool: string, field: string): boolean => {
  const required = findTool(tool)?.inputSchema()["required"]
  return Array.isArray(required) && required.includes(field)
}

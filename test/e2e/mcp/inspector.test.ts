import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeHost } from "../Scenario.ts"
import { makeInspector, type Ran } from "./Clients.ts"

const setUp = Effect.gen(function* () {
  const host = yield* makeHost()
  return { ...host, inspect: yield* makeInspector(host.config.environment) }
})

/** The list that an answer holds under a key. */
const listed = (ran: Ran, key: string): ReadonlyArray<Record<string, unknown>> => {
  assert.strictEqual(ran.code, 0, ran.stderr)
  const list = ran.json[key]
  assert.isArray(list, ran.stdout)
  return list as ReadonlyArray<Record<string, unknown>>
}

const INVALID_TOOL_CALL = 5

describe("the MCP Inspector's command line", () => {
  it.live("finds no tool schema that another client could not use", () =>
    Effect.gen(function* () {
      const { inspect } = yield* setUp
      const ran = yield* inspect("--method", "tools/list", "--strict")
      assert.strictEqual(listed(ran, "tools").length, 13)
      assert.notMatch(ran.stderr, /portability|schema (problem|warning|error)/i)
    })
  )

  it.live("runs a command, and is told of one that is denied", () =>
    Effect.gen(function* () {
      const { command, inspect } = yield* setUp
      const call = ["--method", "tools/call", "--tool-name", "ssh_run", "--tool-arg", "alias=web1", "--tool-arg"]
      const ran = yield* inspect(...call, `command=${command("exit3")}`)
      assert.deepInclude(Object(ran.json["structuredContent"]), {
        status: "failed",
        exit_code: 3,
        output: "out\nerr\n"
      })
      assert.strictEqual(ran.code, INVALID_TOOL_CALL)
      const fine = yield* inspect(...call, "command=echo hello")
      assert.strictEqual(fine.code, 0, fine.stderr)
      assert.deepInclude(Object(fine.json["structuredContent"]), { status: "completed", output: "hello\n" })
      const denied = yield* inspect(...call, `command=${command("forbidden")}`)
      assert.deepInclude(Object(denied.json["structuredContent"]), { status: "denied", reason: "policy" })
    })
  )

  it.live("lists and reads the resources", () =>
    Effect.gen(function* () {
      const { inspect } = yield* setUp
      const resources = listed(yield* inspect("--method", "resources/list"), "resources")
      assert.includeMembers(
        resources.map(({ uri }) => uri),
        ["ssh://hosts", "ssh://tasks"]
      )
      const templates = listed(yield* inspect("--method", "resources/templates/list"), "resourceTemplates")
      assert.sameMembers(
        templates.map(({ uriTemplate }) => uriTemplate),
        [
          "ssh://host/{alias}",
          "ssh://host/{alias}/tags",
          "ssh://host/{alias}/capabilities",
          "ssh://task/{task_id}/output"
        ]
      )
      const [hosts] = listed(yield* inspect("--method", "resources/read", "--uri", "ssh://hosts"), "contents")
      assert.deepInclude(hosts, { uri: "ssh://hosts", mimeType: "application/json" })
      assert.deepInclude(JSON.parse(String(hosts?.["text"])), { count: 1 })
      const unknown = yield* inspect("--method", "resources/read", "--uri", "ssh://host/nosuch")
      assert.notStrictEqual(unknown.code, 0)
    })
  )

  it.live("lists and gets the prompts", () =>
    Effect.gen(function* () {
      const { inspect } = yield* setUp
      const prompts = listed(yield* inspect("--method", "prompts/list"), "prompts")
      assert.deepStrictEqual(
        prompts.map(({ name }) => name),
        [
          "ssh_orchestrator_usage",
          "ssh_policy_denied_guidance",
          "ssh_network_denied_guidance",
          "ssh_missing_host_guidance",
          "ssh_missing_credentials_guidance",
          "ssh_config_change_workflow"
        ]
      )
      const got = yield* inspect("--method", "prompts/get", "--prompt-name", "ssh_orchestrator_usage")
      assert.isAbove(listed(got, "messages").length, 0)
      assert.include(got.stdout, "ssh_plan")
    })
  )
})

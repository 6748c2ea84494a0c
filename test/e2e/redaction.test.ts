import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { RunResult } from "../../src/task/RunResult.ts"
import { OutputPage } from "../../src/task/TaskReport.ts"
import { decodeAnswer } from "../support/McpClient.ts"
import { makeScenario } from "./Scenario.ts"

const PASSWORD = "correct-horse-battery"
const TOKEN = `ghp_${"a1B2".repeat(9)}`

/** Hosts `web1` and, with `redact_output` off, `raw1`; the server knows a password that is never needed. */
const scenario = makeScenario({
  hosts: [{ alias: "raw1" }],
  overrides: { aliases: { raw1: { redact_output: false } } },
  config: { secrets: { pw: PASSWORD } }
}).pipe(
  Effect.tap(({ client, config, sshd }) =>
    Effect.gen(function* () {
      yield* config.writeCredentials([
        { name: "key", username: sshd.user, key_path: "id_ed25519", password_secret: "pw" }
      ])
      yield* client.call("ssh_reload_config", {})
    })
  )
)

describe("secrets in output", () => {
  it.live("are masked in the result, its count, and the pages", () =>
    Effect.gen(function* () {
      const { client, command } = yield* scenario
      const run = decodeAnswer(
        RunResult,
        yield* client.call("ssh_run", { alias: "web1", command: command("args", `p=${PASSWORD}`, TOKEN, "plain") })
      )
      assert.deepInclude(run, {
        output: "<p=[redacted:known-secret]>\n<[redacted:token]>\n<plain>\n",
        redacted: 2,
        bytes_out: PASSWORD.length + TOKEN.length + 16
      })
      const page = decodeAnswer(OutputPage, yield* client.call("ssh_get_task_output", { task_id: run.task_id }))
      assert.deepStrictEqual(page.output_lines, ["<p=[redacted:known-secret]>", "<[redacted:token]>", "<plain>"])
    })
  )

  it.live("of the configuration are masked where redact_output is false, others are not", () =>
    Effect.gen(function* () {
      const { client, command } = yield* scenario
      const run = decodeAnswer(
        RunResult,
        yield* client.call("ssh_run", { alias: "raw1", command: command("args", PASSWORD, TOKEN) })
      )
      assert.deepInclude(run, { output: `<[redacted:known-secret]>\n<${TOKEN}>\n`, redacted: 1 })
    })
  )

  it.live("are masked for each host of a fan-out", () =>
    Effect.gen(function* () {
      const { client, command } = yield* scenario
      const answer = yield* client.call("ssh_run_on_tag", { tag: "web", command: command("args", PASSWORD) })
      const text = JSON.stringify(answer.json)
      assert.include(text, "[redacted:known-secret]")
      assert.notInclude(text.replaceAll(command("args", PASSWORD), ""), PASSWORD)
    })
  )
})

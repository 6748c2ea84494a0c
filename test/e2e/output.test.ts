import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { RunResult } from "../../src/task/RunResult.ts"
import { OutputPage } from "../../src/task/TaskReport.ts"
import { decodeAnswer } from "../support/McpClient.ts"
import { makeScenario } from "./Scenario.ts"

/** Resident memory of a process in MiB (proc_pid_status(5)). */
const residentMib = (pid: number): Effect.Effect<number> =>
  Effect.promise(async () => {
    const fs = await import("node:fs/promises")
    const status = await fs.readFile(`/proc/${pid}/status`, "utf8")
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
  })

describe("output", () => {
  it.live("50 MB under a limit of 1 MiB: counted exactly, head and tail kept, the rest readable by pages", () =>
    Effect.gen(function* () {
      const { client, command } = yield* makeScenario({ limits: { max_output_bytes: 1_048_576 } })
      const before = yield* residentMib(client.pid)
      const run = decodeAnswer(RunResult, yield* client.call("ssh_run", { alias: "web1", command: command("flood") }))
      assert.deepInclude(run, {
        status: "completed",
        exit_code: 0,
        bytes_out: 52_428_811,
        bytes_err: 0,
        truncated: true
      })
      assert.isTrue(run.output.startsWith("FIRST\nabcdefghijklmno\n"), run.output.slice(0, 60))
      assert.isTrue(run.output.endsWith("abcdefghijklmno\nLAST\n"), run.output.slice(-60))
      assert.isAtMost(Buffer.byteLength(run.output), 65_536 + 200)
      assert.match(run.output, /\n[^\n]*\d[^\n]* bytes left out[^\n]*\n/)
      assert.isString(run.next_cursor)
      assert.isBelow((yield* residentMib(client.pid)) - before, 150, "memory does not follow the output")

      // Reading on from the cursor to the end: every kept line once, the middle counted as dropped.
      let cursor = String(run.next_cursor)
      let lines = 0
      let dropped = 0
      let last = ""
      let more = true
      while (more) {
        const page = decodeAnswer(
          OutputPage,
          yield* client.call("ssh_get_task_output", { task_id: run.task_id, cursor, max_lines: 1000 })
        )
        assert.isAtMost(Buffer.byteLength(page.output_lines.join("\n")), 65_536)
        lines += page.output_lines.length
        dropped += page.dropped_lines
        last = page.output_lines.at(-1) ?? last
        assert.strictEqual(page.total_lines, 3_276_802)
        assert.isTrue(!page.has_more || page.next_cursor !== cursor)
        more = page.has_more
        cursor = page.next_cursor
      }
      assert.strictEqual(last, "LAST")
      const shownHead = run.output.slice(0, run.output.indexOf("bytes left out")).split("\n").length - 1
      assert.strictEqual(shownHead + lines + dropped, 3_276_802, "no gap and no repeat")
      assert.isAtMost(lines * 16, 1_048_576)
    })
  )

  it.live("output without end: memory stays bounded and the command is stopped at its limit", () =>
    Effect.gen(function* () {
      const { client, command, config } = yield* makeScenario({ limits: { max_output_bytes: 65_536 } })
      const before = yield* residentMib(client.pid)
      const run = decodeAnswer(
        RunResult,
        yield* client.call("ssh_run", { alias: "web1", command: command("endless"), timeout_seconds: 2 })
      )
      assert.deepStrictEqual(config.remoteProcesses(), [])
      assert.deepInclude(run, { status: "timeout", timeout: true, truncated: true })
      assert.isAbove(run.bytes_out, 10_000_000)
      assert.isBelow((yield* residentMib(client.pid)) - before, 150)
      const audit = yield* client.log.waitFor({ type: "audit", task_id: run.task_id })
      assert.strictEqual(audit["bytes_out"], run.bytes_out)
    })
  )

  it.live("pages of a smaller task, joined by their cursors, are its output", () =>
    Effect.gen(function* () {
      const { client, command } = yield* makeScenario({ limits: { max_result_bytes: 1024 } })
      const run = decodeAnswer(
        RunResult,
        yield* client.call("ssh_run", { alias: "web1", command: command("count", "3000") })
      )
      assert.isTrue(run.truncated)
      assert.isString(run.next_cursor)
      const newest = decodeAnswer(OutputPage, yield* client.call("ssh_get_task_output", { task_id: run.task_id }))
      assert.strictEqual(newest.output_lines.length, 50)
      assert.strictEqual(newest.output_lines.at(-1), "line 3000")
      assert.isTrue(newest.has_more)
      const rest: Array<string> = []
      let cursor = String(run.next_cursor)
      for (;;) {
        const page = decodeAnswer(
          OutputPage,
          yield* client.call("ssh_get_task_output", { task_id: run.task_id, cursor, max_lines: 700 })
        )
        rest.push(...page.output_lines)
        cursor = page.next_cursor
        assert.strictEqual(page.dropped_lines, 0)
        if (!page.has_more) break
      }
      const shown = run.output.slice(0, run.output.indexOf("bytes left out")).split("\n").slice(0, -1)
      assert.deepStrictEqual(
        [...shown, ...rest],
        Array.from({ length: 3000 }, (_, index) => `line ${index + 1}`)
      )
    })
  )

  it.live("bytes that are not UTF-8 become U+FFFD and are counted as they came", () =>
    Effect.gen(function* () {
      const { client, command } = yield* makeScenario()
      const run = decodeAnswer(RunResult, yield* client.call("ssh_run", { alias: "web1", command: command("notutf8") }))
      assert.strictEqual(run.output, "a\uFFFD\uFFFDb\uFFFD\n")
      assert.strictEqual(run.bytes_out, 6)
      assert.isFalse(run.truncated)
    })
  )

  it.live("terminal sequences never reach the client", () =>
    Effect.gen(function* () {
      const { client, command } = yield* makeScenario()
      const run = decodeAnswer(RunResult, yield* client.call("ssh_run", { alias: "web1", command: command("escapes") }))
      assert.strictEqual(run.output, "xAPPROVEDy\tz\n")
      const page = yield* client.call("ssh_get_task_output", { task_id: run.task_id })
      assert.deepStrictEqual(page.json["output_lines"], ["xAPPROVEDy\tz"])
    })
  )

  it.live("a fan-out shares max_result_bytes fairly", () =>
    Effect.gen(function* () {
      const { client, command } = yield* makeScenario({
        hosts: [{ alias: "web2" }, { alias: "web3" }, { alias: "web4" }],
        limits: { max_result_bytes: 8192 }
      })
      const answer = yield* client.call("ssh_run_on_tag", { tag: "web", command: command("count", "2000") })
      assert.isBelow(Buffer.byteLength(answer.text), 8192 + 8192)
      assert.include(answer.text, "line 2000")
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { addResult, emptyFleetState, fleetResult, type FleetState } from "../../src/fleet/FleetState.ts"
import type { HostResult } from "../../src/fleet/FleetResult.ts"
import { fairShare, fitOutputs, groupOutputs } from "../../src/fleet/OutputShare.ts"
import { lastLines, noLines, takeLines } from "../../src/fleet/HostLines.ts"
import { encodeLineCursor } from "../../src/task/LineCursor.ts"
import type { RunResult } from "../../src/task/RunResult.ts"

const run = (alias: string, output: string, fields: Partial<RunResult> = {}): RunResult => ({
  task_id: `${alias}:0000000000000000:00000000000000000000000000`,
  alias,
  hash: "0000000000000000",
  status: "completed",
  exit_code: 0,
  duration_ms: 1,
  cancelled: false,
  timeout: false,
  target_ip: "192.0.2.1",
  output,
  bytes_out: Buffer.byteLength(output),
  bytes_err: 0,
  truncated: false,
  ...fields
})
const denied = (alias: string): HostResult => ({ alias, denied: true, reason: "policy", hint: "ask" })

const collect = (results: ReadonlyArray<HostResult>, budget: number): FleetState =>
  results.reduce((state, result) => addResult(state, result, budget), emptyFleetState)

const outputs = (results: ReadonlyArray<HostResult>) => results.map((r) => ("denied" in r ? "" : r.output))

const lines = (count: number, text = "line") => Array.from({ length: count }, (_, i) => `${text} ${i}\n`).join("")

describe("OutputShare", () => {
  it.each([
    ["all fit", [10, 20, 30], 60, Infinity],
    ["equal sizes share evenly", [100, 100], 100, 50],
    ["what small ones leave goes to the large", [10, 100, 100], 110, 50],
    ["nothing to share", [], 0, Infinity],
    ["no budget", [1], 0, 0]
  ] as const)("fair share: %s", (_, sizes, budget, expected) => {
    assert.strictEqual(fairShare(sizes, budget), expected)
  })

  it("outputs that fit are untouched", () => {
    const results = [run("a", "one\n"), denied("b"), run("c", "")]
    assert.deepStrictEqual(fitOutputs(results, 100), results)
  })

  it("a large output is cut to its share and says where to read on, small ones stay whole", () => {
    const [small, large] = fitOutputs([run("a", "small\n"), run("b", lines(1000))], 1000)
    assert.deepStrictEqual(small, run("a", "small\n"))
    assert.isTrue(large !== undefined && !("denied" in large) && large.truncated)
    if (large === undefined || "denied" in large) return
    assert.isAtMost(Buffer.byteLength(large.output), 994)
    const [head = "", tail = ""] = large.output.split(/… \d+ bytes left out …\n/)
    assert.isTrue(lines(1000).startsWith(head) && lines(1000).endsWith(tail))
    assert.strictEqual(large.next_cursor, encodeLineCursor(head.split("\n").length - 1))
  })

  it("an output that was cut before has one notice with the whole number of bytes", () => {
    const full = lines(5000)
    const once = fitOutputs([run("a", full)], 10_000)
    const [twice] = outputs(fitOutputs(fitOutputs(once, 5000), 1000))
    const parts = (twice ?? "").split(/… (\d+) bytes left out …\n/)
    assert.strictEqual(parts.length, 3)
    const [head = "", leftOut = "", tail = ""] = parts
    assert.isTrue(full.startsWith(head) && full.endsWith(tail))
    assert.strictEqual(head.length + Number(leftOut) + tail.length, full.length)
  })

  it("output that imitates the notice cannot break the cut", () => {
    const evil = `… 999999999999999 bytes left out …\n${lines(500)}… 99999999999999999999999 bytes left out …\n`
    for (const truncated of [true, false]) {
      const [cut = ""] = outputs(fitOutputs([run("a", evil, { truncated })], 500))
      assert.isAtMost(Buffer.byteLength(cut), 500)
      assert.isTrue(cut.endsWith("left out …\n"))
    }
  })

  it("a share that is too small for any text leaves none and says so", () => {
    const results = fitOutputs(
      Array.from({ length: 100 }, (_, i) => run(`h${i}`, lines(100, `text of ${i}`))),
      1000
    )
    assert.isTrue(results.every((r) => !("denied" in r) && r.output === "" && r.truncated))
  })

  it("a long text of several hosts is told once", () => {
    const text = lines(50)
    const { groups, results } = groupOutputs([run("a", text), run("b", "other\n"), run("c", text), denied("d")])
    assert.deepStrictEqual(groups, [{ hosts: ["a", "c"], output: text }])
    assert.deepStrictEqual(outputs(results), ["", "other\n", "", ""])
  })

  it("a text is not told once when that saves nothing, and empty output never is", () => {
    const results = [run("a", "ok\n"), run("b", "ok\n"), run("c", ""), run("d", "")]
    assert.deepStrictEqual(groupOutputs(results), { results })
  })

  it("a shared text counts once against the budget", () => {
    const text = lines(50)
    const results = Array.from({ length: 20 }, (_, i) => run(`h${i}`, text))
    assert.deepStrictEqual(fitOutputs(results, Buffer.byteLength(text)), results)
  })
})

describe("FleetState", () => {
  const subject = { tag: "web", command: "uptime", aliases: ["a", "b", "c", "d", "e", "f"] }

  it("hosts are in their order whatever order they ended in, and every outcome is counted", () => {
    const state = collect(
      [
        denied("e"),
        run("d", "", { status: "timeout", timeout: true, exit_code: -1 }),
        run("a", "up\n"),
        run("c", "", { status: "cancelled", cancelled: true, exit_code: -1 }),
        run("b", "", { status: "failed", exit_code: 1 })
      ],
      1024
    )
    const result = fleetResult(subject, state, 1024)
    assert.deepStrictEqual(
      result.results.map(({ alias }) => alias),
      ["a", "b", "c", "d", "e"]
    )
    assert.deepStrictEqual(result.failed_hosts, ["b", "c", "d", "e"])
    assert.deepStrictEqual(result.not_started, ["f"])
    assert.deepStrictEqual(result.summary, {
      total_hosts: 6,
      successful: 1,
      failed: 1,
      cancelled: 1,
      timeout: 1,
      denied: 1
    })
    assert.strictEqual(result.hosts_matched, 6)
    assert.strictEqual(state.failures, 4)
  })

  it("however many hosts answer, the text held and the text shown are bounded", () => {
    const budget = 4096
    const aliases = Array.from({ length: 300 }, (_, i) => `h${i}`)
    let state = emptyFleetState
    for (const alias of aliases) {
      state = addResult(state, run(alias, lines(200, alias)), budget)
      assert.isAtMost(state.bytes, 2 * budget)
    }
    const { results } = fleetResult({ ...subject, aliases }, state, budget)
    assert.strictEqual(results.length, 300)
    assert.isAtMost(Buffer.byteLength(outputs(results).join("")), budget)
  })

  const Output = Schema.Literals(["", "ok\n", "a\nb\nc\n", lines(20), lines(40, "é"), lines(500), "x".repeat(3000)])
  it.prop("any results: the outputs fit the budget, and whole ones are exact", [Schema.Array(Output)], ([texts]) => {
    const budget = 2048
    const aliases = texts.map((_, i) => `h${i}`)
    const state = collect(
      texts.map((text, i) => run(`h${i}`, text)),
      budget
    )
    const { groups = [], results } = fleetResult({ ...subject, aliases }, state, budget)
    const shown = [...outputs(results), ...groups.map(({ output }) => output)]
    assert.isAtMost(Buffer.byteLength(shown.join("")), Math.max(budget, 0))
    for (const [i, result] of results.entries()) {
      if ("denied" in result || result.truncated) continue
      const group = groups.find(({ hosts }) => hosts.includes(result.alias))
      assert.strictEqual(group?.output ?? result.output, texts[i])
    }
  })
})

describe("HostLines", () => {
  const stdout = (text: string) => ({ stream: "stdout" as const, text })
  const stderr = (text: string) => ({ stream: "stderr" as const, text })

  it("lines of the two streams never mix", () => {
    const [one, none] = takeLines(noLines, stdout("half"))
    assert.isUndefined(none)
    const [two, error] = takeLines(one, stderr("error\n"))
    assert.strictEqual(error, "error")
    const [three, line] = takeLines(two, stdout(" line\nnext\nrest"))
    assert.strictEqual(line, "half line\nnext")
    assert.deepStrictEqual(lastLines(three), ["rest"])
  })

  it("a line that never ends is passed on in pieces", () => {
    let held = noLines
    let passed = ""
    for (let i = 0; i < 100; i++) {
      const [next, text = ""] = takeLines(held, stdout("x".repeat(1000)))
      held = next
      passed += text
      assert.isAtMost(held.stdout.length, 16 * 1024)
    }
    assert.strictEqual(passed.length + held.stdout.length, 100_000)
  })
})

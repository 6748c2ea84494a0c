import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeLineSplitter } from "../../src/cli/LineSplitter.ts"
import { explain } from "../../src/cli/PlanCommand.ts"
import { table } from "../../src/cli/Table.ts"
import { describeCancel } from "../../src/cli/CancelOnInterrupt.ts"
import { wrap } from "../../src/cli/demo/Narration.ts"
import type { Plan } from "../../src/policy/Plan.ts"

const limits = {
  max_seconds: 60,
  max_output_bytes: 1048576,
  task_result_ttl: 300,
  task_progress_interval: 5,
  sync_wait_seconds: 45,
  max_result_bytes: 65536
}

describe("table", () => {
  it("aligns columns and leaves no trailing blanks", () => {
    assert.deepStrictEqual(
      table(
        ["A", "LONG"],
        [
          ["aaa", "b"],
          ["c", ""]
        ]
      ),
      ["A    LONG", "aaa  b", "c"]
    )
  })

  it("counts a wide character as the two columns that it takes", () => {
    assert.deepStrictEqual(table(["A", "B"], [["日", "x"]]), ["A   B", "日  x"])
  })

  it("shows a control character of a cell as a question mark", () => {
    assert.deepStrictEqual(table(["A"], [["x\u001b[31my"]]), ["A", "x?[31my"])
  })
})

describe("LineSplitter", () => {
  it("holds an unfinished line until it ends", () => {
    const lines = makeLineSplitter()
    assert.deepStrictEqual(lines.push("a\nb"), ["a"])
    assert.deepStrictEqual(lines.push("c\n\n"), ["bc", ""])
    assert.deepStrictEqual(lines.push("d"), [])
    assert.deepStrictEqual(lines.flush(), ["d"])
    assert.deepStrictEqual(lines.flush(), [])
  })

  it("holds back at most 16 Ki characters of a line without an end", () => {
    const lines = makeLineSplitter()
    assert.deepStrictEqual(
      lines.push("x".repeat(40_000)).map((line) => line.length),
      [16_384, 16_384]
    )
    assert.deepStrictEqual(
      lines.flush().map((line) => line.length),
      [40_000 - 2 * 16_384]
    )
  })

  it.prop(
    "however the text is cut, the lines are the same",
    [Schema.Array(Schema.Literals(["a", "\n", "bc\nd", "é"]))],
    ([pieces]) => {
      const lines = makeLineSplitter()
      const seen = [...pieces.flatMap((piece) => lines.push(piece)), ...lines.flush()]
      const whole = pieces.join("").split("\n")
      assert.deepStrictEqual(seen, whole.at(-1) === "" ? whole.slice(0, -1) : whole)
    }
  )
})

describe("wrap", () => {
  it("breaks after a blank and keeps every character", () => {
    const words = "word ".repeat(40).trimEnd()
    const lines = wrap(words)
    assert.isTrue(lines.every((line) => line.length <= 110))
    assert.strictEqual(lines.join(" "), words)
  })

  it("cuts what is more than eight lines and says so with a mark", () => {
    const lines = wrap("x".repeat(5000))
    assert.strictEqual(lines.length, 8)
    assert.match(lines.at(-1) ?? "", /^x{109}…$/)
  })
})

describe("explain", () => {
  const allowed: Plan = {
    alias: "web-1",
    command: "df  -h",
    hash: "0123456789abcdef",
    allowed: true,
    commands: [{ text: "df -h", argv: ["df", "-h"], allowed: true, rule: "disk", pattern: "df -h*" }],
    normalized: "df -h",
    network: { allowed: true, addresses: ["10.0.0.1"] },
    limits
  }

  it("says what runs, by which rule, where, and within which limits", () => {
    assert.deepStrictEqual(explain(allowed), [
      "ALLOWED on web-1: df  -h",
      "Would run as: df -h",
      "Commands:",
      "  allow  df -h",
      "         rule disk, pattern df -h*",
      "Network: allowed (10.0.0.1)",
      "Limits: 60 s, 1048576 bytes of output"
    ])
  })

  it("is a denial when only the network says no", () => {
    const denied = explain({ ...allowed, network: { allowed: false, addresses: [], reason: "DNS resolution failed" } })
    assert.strictEqual(denied[0], "DENIED on web-1: df  -h")
    assert.include(denied, "Network: denied: DNS resolution failed")
  })

  it("does not pass a control character of the command on to the terminal", () => {
    assert.strictEqual(explain({ ...allowed, command: "a\u001b]0;x" })[0], "ALLOWED on web-1: a?]0;x")
  })
})

describe("describeCancel", () => {
  const report = { task_id: "t", cancelled: true, message: "Cancelled" }

  it("tells a confirmed stop from one that is not", () => {
    assert.include(describeCancel("a", { ...report, remote_stopped: "confirmed" }), "confirmed stopped")
    assert.include(describeCancel("a", { ...report, remote_stopped: "unconfirmed" }), "NOT confirmed")
    assert.include(describeCancel("a", { ...report, remote_stopped: "not_started" }), "before the command started")
  })

  it("passes on why nothing was cancelled", () => {
    const gone = { task_id: "t", cancelled: false, message: "Task not found", remote_stopped: "not_started" } as const
    assert.strictEqual(describeCancel("a", gone), "a: Task not found")
  })
})

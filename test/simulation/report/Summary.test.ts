import { assert, describe, it } from "@effect/vitest"
import { FAULT_STAGES, FaultKind } from "../../../src/simulation/hosts/Faults.ts"
import type { SimulationReport } from "../../../src/simulation/Simulation.ts"
import {
  coverageMarkdown,
  coverageOf,
  coverageTable,
  summaryLines,
  summaryOf
} from "../../../src/simulation/report/Summary.ts"

const REPORT: SimulationReport = {
  seed: 10,
  runs: 2_000,
  failures: [],
  tasks: 45_678,
  hosts: 9_000,
  faults: [
    { kind: "dns-failure", stage: "dns", count: 3 },
    { kind: "slow-answer", stage: "tcp", count: 20 },
    { kind: "slow-answer", stage: "auth", count: 1 }
  ],
  virtualSeconds: 7_200.4,
  events: 1,
  logSha256: "abc"
}

describe("the summary of a simulation", () => {
  it("has exactly the keys that scripts read", () => {
    assert.deepStrictEqual(summaryOf(REPORT, 12_345.6), {
      seed: 10,
      runs: 2_000,
      failures: 0,
      tasks: 45_678,
      hosts: 9_000,
      faults: { "dns-failure": 3, "slow-answer": 21 },
      virtual_seconds: 7_200,
      real_ms: 12_346,
      log_sha256: "abc"
    })
  })

  it("tells a person what was run, how fast, and what came of it", () => {
    assert.deepStrictEqual(summaryLines(summaryOf(REPORT, 10_000), coverageOf(REPORT)), [
      "2,000 runs (seeds 10 to 2009): all invariants held",
      "45,678 tasks on 9,000 hosts, 2 h of virtual time in 10.0 s, 4,568 tasks a second",
      `24 faults, 3 of ${coverageOf(REPORT).cells} kinds and stages`,
      "log abc"
    ])
  })
})

describe("the coverage of a simulation", () => {
  it("has a cell for each stage at which a fault can strike, and no other", () => {
    const { cells, rows, struck } = coverageOf(REPORT)
    assert.strictEqual(cells, Object.values(FAULT_STAGES).flat().length)
    assert.strictEqual(struck, 3)
    assert.deepStrictEqual(
      rows.map(({ kind }) => kind),
      [...FaultKind.literals]
    )
  })

  it("is a table with zeros where nothing struck and blanks where nothing can", () => {
    const lines = coverageTable(coverageOf(REPORT))
    const header = lines[0]?.split(/\s+/)
    const slow = lines.find((line) => line.startsWith("slow-answer"))
    assert.deepStrictEqual(header?.slice(0, 3), ["fault", "dns", "tcp"])
    assert.deepStrictEqual(slow?.split(/\s+/), ["slow-answer", "0", "20", "0", "1", "0", "0", "0"])
    assert.include(coverageMarkdown(coverageOf(REPORT)), "| slow-answer | 0 | 20 | 0 |  | 1 | 0 | 0 |  | 0 |  |")
  })
})

import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { PolicyDocument } from "../../src/policy/PolicyDocument.ts"
import { policyFromYaml, type Rehearsal, rehearse, rehearsalScenario } from "../../src/simulation/Rehearsal.ts"

const EXAMPLE = new URL("example/", import.meta.url).pathname
const ROOT = new URL("../..", import.meta.url).pathname

const POLICY: PolicyDocument = {
  version: 3,
  known_hosts_path: "/nowhere/known_hosts",
  network: { block_cidrs: ["192.0.2.0/24"] },
  rules: [
    { action: "allow", commands: ["uptime"] },
    { action: "deny", tags: ["db"], commands: ["uptime"] }
  ]
}

const REHEARSAL: Rehearsal = {
  seed: 1,
  policy: POLICY,
  hosts: [
    { alias: "gate" },
    { alias: "web-1", tags: ["web"], jump: "gate" },
    { alias: "web-2", tags: ["web"] },
    { alias: "web-3", tags: ["web"], address: "192.0.2.7" },
    { alias: "db-1", tags: ["web", "db"] }
  ],
  commands: [
    { tag: "web", command: "uptime" },
    { alias: "web-2", command: " uptime" },
    { alias: "gate", command: "id" }
  ]
}

describe("a rehearsal", () => {
  it("says what became of each command on the hosts that it was meant for, and why not", () => {
    const { commands, outcome } = rehearse(REHEARSAL)
    assert.deepStrictEqual(outcome.violations, [])
    assert.deepStrictEqual(
      commands.map((one) => ({ ...one, seconds: 0 })),
      [
        {
          command: "uptime",
          completed: 3,
          failed: 0,
          timeout: 0,
          cancelled: 0,
          denied: 2,
          seconds: 0,
          reasons: { "rule-deny": 1, "No resolved IPs allowed by policy.network": 1 }
        },
        {
          command: "id",
          completed: 0,
          failed: 0,
          timeout: 0,
          cancelled: 0,
          denied: 1,
          seconds: 0,
          reasons: { "no-rule": 1 }
        }
      ]
    )
    assert.isAbove(commands[0]?.seconds ?? 0, 0)
  })

  it("comes out the same whenever it is held, and otherwise under another seed", () => {
    const hashOf = (rehearsal: Rehearsal) => rehearse(rehearsal).outcome.sha256
    assert.strictEqual(hashOf(REHEARSAL), hashOf(REHEARSAL))
    assert.notStrictEqual(hashOf(REHEARSAL), hashOf({ ...REHEARSAL, seed: 2 }))
  })

  it("draws faults as often as it is told to", () => {
    const planned = (faults: Rehearsal["faults"]) =>
      rehearsalScenario({
        ...REHEARSAL,
        hosts: Array.from({ length: 200 }, (_, n) => ({ alias: `h${n}` })),
        ...(faults === undefined ? {} : { faults })
      }).hosts.filter((host) => host.faults.length > 0).length
    assert.strictEqual(planned(undefined), 0)
    assert.isAbove(planned("low"), 0)
    assert.isAbove(planned("high"), planned("low"))
  })
})

describe("the policy of a rehearsal", () => {
  it.effect("is checked as the server checks it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* policyFromYaml("version: 3\nrules: []"), { version: 3, rules: [] })
      const problems = yield* Effect.flip(policyFromYaml("rules:\n  - {action: allow, comands: [uptime]}"))
      assert.match(problems.join("\n"), /policy\.yml:2:\d+: rules\[0\].*did you mean commands/)
      assert.match((yield* Effect.flip(policyFromYaml("rules: [")))[0] ?? "", /policy\.yml:1/)
    })
  )

  it("decides by regular expressions too", () => {
    const policy = Effect.runSync(policyFromYaml('rules:\n  - {action: allow, commands_regex: ["ls( -[al]+)?"]}'))
    const commands = ["ls -la", "ls --zzz"].map((command) => ({ alias: "web-2", command }))
    const report = rehearse({ ...REHEARSAL, policy, commands })
    assert.deepStrictEqual(
      report.commands.map(({ completed, denied }) => [completed, denied]),
      [
        [1, 0],
        [0, 1]
      ]
    )
    assert.deepStrictEqual(report.outcome.violations, [])
  })
})

describe("the example of the README", () => {
  const source = readFileSync(`${EXAMPLE}ownPolicy.ts`, "utf8")

  it("is the file that is run here, but for where it imports from", () => {
    const readme = readFileSync(`${ROOT}README.md`, "utf8")
    assert.include(readme, source.replace("../../../src/simulation/index.ts", "mcp-ssh-orchestrator/simulation"))
  })

  it.live(
    "simulates a policy on a thousand hosts",
    () =>
      Effect.gen(function* () {
        const { stdout } = yield* Effect.promise((signal) =>
          promisify(execFile)(process.execPath, ["ownPolicy.ts"], { cwd: EXAMPLE, signal })
        )
        const lines = stdout.trim().split("\n")
        assert.deepStrictEqual(
          lines.map((line) => line.slice(0, line.indexOf(":"))),
          ["uptime", "systemctl restart nginx", "df -h / | sort -k 5", "systemctl stop nginx"]
        )
        assert.match(lines[3] ?? "", /: 0 completed, 0 failed, 750 denied/)
        const counts = lines.map((line) => [...line.slice(line.indexOf(":")).matchAll(/(\d+) [a-z]+,/g)])
        assert.deepStrictEqual(
          counts.map((all) => all.reduce((sum, [, count]) => sum + Number(count), 0)),
          [1_000, 1_000, 250, 750]
        )
      }),
    120_000
  )
})

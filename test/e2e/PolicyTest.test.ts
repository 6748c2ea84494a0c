import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { runCli } from "../support/CliProcess.ts"
import { makeConfigFixture } from "../support/ConfigFixture.ts"

describe("policy test of the binary", () => {
  it.live("decides a file of cases without a host: 0 as expected, 1 otherwise, 2 for a wrong file", () =>
    Effect.gen(function* () {
      const config = yield* makeConfigFixture({
        hosts: "hots: nonsense\n",
        policy: {
          version: 3,
          rules: [{ id: "logs", action: "allow", commands: ["tail *", "grep *"], commands_regex: ["uptime( -[ps])?"] }]
        }
      })
      const write = (...cases: ReadonlyArray<object>): string => {
        const file = `${config.root}/cases.jsonl`
        writeFileSync(file, cases.map((each) => `${JSON.stringify(each)}\n`).join(""))
        return file
      }
      const good = write(
        { alias: "web-1", command: "tail -n 5 /var/log/syslog | grep -c error", expect: "allow" },
        { alias: "web-1", command: "uptime -p", expect: "allow" },
        { alias: "web-1", command: "uptime -p now", expect: "deny" },
        { alias: "web-1", command: "tail -n 5 /var/log/syslog | sh", expect: "deny" }
      )
      const decided = yield* runCli(["policy", "test", good, "--json"], config.environment)
      assert.strictEqual(decided.code, 0, decided.stdout + decided.stderr)
      assert.deepStrictEqual(
        decided.stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line).commands),
        [
          [{ argv: ["tail", "-n", "5", "/var/log/syslog"] }, { argv: ["grep", "-c", "error"] }],
          [{ argv: ["uptime", "-p"] }],
          [{ argv: ["uptime", "-p", "now"] }],
          [{ argv: ["tail", "-n", "5", "/var/log/syslog"] }, { argv: ["sh"] }]
        ]
      )
      const wrong = write({ id: "pipe", alias: "web-1", command: "grep x | sh", expect: "allow" })
      const mismatch = yield* runCli(["policy", "test", wrong], config.environment)
      assert.strictEqual(mismatch.code, 1)
      assert.include(mismatch.stdout, `${wrong}:1: pipe: expected allow, got deny (no-rule)`)
      assert.strictEqual((yield* runCli(["policy", "test"], config.environment)).code, 2)
      assert.strictEqual((yield* runCli(["policy", "test", `${config.root}/none`], config.environment)).code, 2)
      assert.strictEqual((yield* runCli(["policy"], config.environment)).code, 0)
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { parseCases } from "../../src/cli/PolicyTestCases.ts"
import { formatProblem } from "../../src/config/Problem.ts"
import { invoke } from "./CliHarness.ts"

const files = {
  "policy.yml": `version: 3
rules:
  - id: look
    action: allow
    aliases: ["web-*"]
    commands: ["uptime", "systemctl status *", "sudo systemctl status nginx"]
  - id: tagged
    action: allow
    tags: [lab]
    commands: ["reboot"]
  - id: no-restart
    action: deny
    commands: ["systemctl restart *"]
`
}

const lines = (...cases: ReadonlyArray<object | string>): string =>
  cases.map((each) => `${typeof each === "string" ? each : JSON.stringify(each)}\n`).join("")

const policyTest = (stdin: string, over: Readonly<Record<string, string>> = files, ...flags: ReadonlyArray<string>) =>
  invoke(["policy", "test", ...flags, "-"], { files: over, stdin })

const Printed = Schema.Struct({
  id: Schema.String,
  decision: Schema.Literals(["allow", "deny"]),
  code: Schema.optionalKey(Schema.String),
  rule: Schema.optionalKey(Schema.String),
  normalized: Schema.optionalKey(Schema.String),
  commands: Schema.Array(Schema.Struct({ argv: Schema.Array(Schema.String) }))
})

const decodeLine = Schema.decodeUnknownSync(Schema.fromJsonString(Printed), { onExcessProperty: "error" })

const printed = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => decodeLine(line))

const allow = { alias: "web-1", command: "uptime", expect: "allow" }

describe("policy test", () => {
  it.effect("is content, and says nothing on stdout, when every decision is as expected", () =>
    Effect.gen(function* () {
      const outcome = yield* policyTest(
        lines(
          allow,
          "",
          { alias: "db-1", command: "uptime", expect: "deny", why: "no rule for db-*" },
          { alias: "any", tags: ["lab"], command: "reboot", expect: "allow" },
          { alias: "any", tags: ["web"], command: "reboot", expect: "deny" }
        )
      )
      assert.deepStrictEqual(
        [outcome.exitCode, outcome.stdout, outcome.stderr],
        [0, "", "policy test: 4 cases, 0 mismatches\n"]
      )
    })
  )

  it.effect("prints each mismatch with its place, what was expected and what decided, and ends with 1", () =>
    Effect.gen(function* () {
      const outcome = yield* policyTest(
        lines(
          allow,
          "",
          { id: "r", alias: "web-1", tags: ["prod"], command: "systemctl restart nginx", expect: "allow" },
          { alias: "web-1", command: "systemctl status nginx", expect: "deny" },
          { alias: "web-1", command: "systemctl stop nginx", expect: "allow" }
        )
      )
      assert.strictEqual(outcome.exitCode, 1)
      assert.strictEqual(outcome.stderr, "policy test: 4 cases, 3 mismatches\n")
      const [first = "", ...rest] = outcome.stdout.split(/^(?=stdin:)/m)
      assert.match(first, /^stdin:3: r: expected allow, got deny \(rule-deny, rule no-restart\)\n/)
      assert.include(
        first,
        "\n  host     web-1 [prod]\n  command  systemctl restart nginx\n  denied   systemctl restart"
      )
      assert.match(rest[0] ?? "", /^stdin:4: expected deny, got allow \(rule look\)\n/)
      assert.include(rest[0], "\n  allowed  systemctl status nginx  (rule look, pattern systemctl status *)\n")
      assert.match(rest[1] ?? "", /^stdin:5: expected allow, got deny \(no-rule\)\n/)
      assert.include(rest[1], "\n  nearest  look: systemctl status *\n")
    })
  )

  it.effect("prints every decision with --json, mismatches apart on stderr", () =>
    Effect.gen(function* () {
      const outcome = yield* policyTest(
        lines(
          allow,
          { id: "quoted", alias: "web-1", command: "systemctl 'status'  'my unit'", expect: "deny" },
          { id: "wrapped", alias: "web-1", command: "sudo systemctl status nginx", expect: "allow" },
          { id: "no", alias: "web-1", command: "systemctl restart nginx", expect: "deny" },
          { id: "cut", alias: "web-1", command: "uptime '", expect: "deny" }
        ),
        files,
        "--json"
      )
      assert.strictEqual(outcome.exitCode, 1)
      assert.match(outcome.stderr, /^stdin:2: quoted: expected deny, got allow/)
      assert.deepStrictEqual(printed(outcome.stdout), [
        { id: "1", decision: "allow", rule: "look", normalized: "uptime", commands: [{ argv: ["uptime"] }] },
        {
          id: "quoted",
          decision: "allow",
          rule: "look",
          normalized: "systemctl status 'my unit'",
          commands: [{ argv: ["systemctl", "status", "my unit"] }]
        },
        {
          id: "wrapped",
          decision: "allow",
          rule: "look",
          normalized: "sudo systemctl status nginx",
          commands: [{ argv: ["sudo", "systemctl", "status", "nginx"] }, { argv: ["systemctl", "status", "nginx"] }]
        },
        {
          id: "no",
          decision: "deny",
          code: "rule-deny",
          rule: "no-restart",
          normalized: "systemctl restart nginx",
          commands: [{ argv: ["systemctl", "restart", "nginx"] }]
        },
        { id: "cut", decision: "deny", code: "parse", commands: [] }
      ])
    })
  )

  it.effect("lists every simple command of a text with --json, the one that is denied too", () =>
    Effect.gen(function* () {
      const { exitCode, stdout } = yield* policyTest(
        lines({ alias: "web-1", command: "uptime && poweroff now | uptime", expect: "deny" }),
        files,
        "--json"
      )
      const [only] = printed(stdout)
      assert.strictEqual(exitCode, 0)
      assert.deepInclude(only, { decision: "deny", code: "no-rule" })
      assert.deepStrictEqual(only?.commands, [
        { argv: ["uptime"] },
        { argv: ["poweroff", "now"] },
        { argv: ["uptime"] }
      ])
    })
  )

  it.effect("decides commands that no tool would take", () =>
    Effect.gen(function* () {
      const hostile = ["", "\u0000", "uptime\u202e", `uptime ${"x".repeat(10_000)}`, "'", "$(".repeat(65)]
      const cases = hostile.map((command) => ({ alias: "web-1", command, expect: "deny" }))
      const outcome = yield* policyTest(lines(...cases))
      assert.deepStrictEqual([outcome.exitCode, outcome.stdout], [0, ""])
    })
  )

  it.effect("shows control characters of a command harmlessly, on one line", () =>
    Effect.gen(function* () {
      const { stdout } = yield* policyTest(lines({ alias: "web-1", command: "a\u001b[2J\nb", expect: "allow" }))
      assert.include(stdout, "\n  command  a?[2J\\nb\n")
    })
  )

  it.effect("decides 1,200 cases, more than one portion", () =>
    Effect.gen(function* () {
      const outcome = yield* policyTest(lines(...Array.from({ length: 1_200 }, () => allow)), files, "--json")
      assert.strictEqual(outcome.exitCode, 0)
      assert.deepStrictEqual(
        printed(outcome.stdout).map(({ id }) => id),
        Array.from({ length: 1_200 }, (_, index) => String(index + 1))
      )
    })
  )

  it.effect("does not mind what is wrong with the other files", () =>
    Effect.gen(function* () {
      const broken = { ...files, "servers.yml": "hots: []\n", "credentials.yml": "entries: [{name: 3}]\n" }
      const outcome = yield* policyTest(lines(allow), broken)
      assert.deepStrictEqual([outcome.exitCode, outcome.stderr], [0, "policy test: 1 case, 0 mismatches\n"])
    })
  )

  it.effect("ends with 1 and the problems of policy.yml when that cannot be used", () =>
    Effect.gen(function* () {
      const outcome = yield* policyTest(lines(allow), { "policy.yml": "rulez: []\n" })
      assert.deepStrictEqual([outcome.exitCode, outcome.stdout], [1, ""])
      assert.match(outcome.stderr, /^policy\.yml:1:1: rulez: .*did you mean rules\?/m)
    })
  )

  it.effect("says that a missing policy denies everything", () =>
    Effect.gen(function* () {
      const outcome = yield* policyTest(lines({ ...allow, expect: "deny" }), {})
      assert.strictEqual(outcome.exitCode, 0)
      assert.match(outcome.stderr, /^The policy has no rules: it denies everything\.\n/)
    })
  )

  it.effect("ends with 2 and decides nothing when a line is wrong", () =>
    Effect.gen(function* () {
      const outcome = yield* policyTest(lines(allow, "nope", { ...allow, expect: "maybe" }))
      assert.deepStrictEqual([outcome.exitCode, outcome.stdout], [2, ""])
      assert.strictEqual(outcome.stderr, 'stdin:2:1: is not valid JSON\nstdin:3:1: expect: must be "allow" or "deny"\n')
    })
  )

  it.effect("ends with 2 without a file, with one that cannot be read, and with one that holds no case", () =>
    Effect.gen(function* () {
      const absent = yield* invoke(["policy", "test", "/nowhere/cases.jsonl"], { files })
      assert.deepStrictEqual([absent.exitCode, absent.stderr], [2, "/nowhere/cases.jsonl: cannot be read: NotFound\n"])
      const empty = yield* policyTest("\n \n")
      assert.deepStrictEqual([empty.exitCode, empty.stderr], [2, "stdin:1:1: holds no case\n"])
      const none = yield* invoke(["policy", "test"], { files })
      assert.strictEqual(none.exitCode, 2)
      assert.include(none.stderr, "Missing required argument: FILE")
    })
  )

  it.effect("shows its help, with an example, also for policy alone", () =>
    Effect.gen(function* () {
      const alone = yield* invoke(["policy"])
      assert.deepStrictEqual([alone.exitCode, alone.stderr], [0, ""])
      assert.match(alone.stdout, /^ +test +Decide commands/m)
      const help = yield* invoke(["policy", "test", "--help"])
      assert.strictEqual(help.exitCode, 0)
      assert.include(help.stdout, "mcp-ssh-orchestrator policy test cases.jsonl")
      assert.include(help.stdout, '"expect": "deny"')
    })
  )
})

describe("parseCases", () => {
  const problems = (text: string): ReadonlyArray<string> => {
    const parsed = parseCases("f", text)
    return Result.isFailure(parsed) ? parsed.failure.map(formatProblem) : []
  }

  it("names the line and the field of whatever is wrong", () => {
    const wrong: ReadonlyArray<readonly [line: string, problem: string]> = [
      ["[]", "f:1:1: must be a mapping"],
      ["3", "f:1:1: must be a mapping"],
      ['{"command":"x","expect":"deny"}', "f:1:1: alias: alias is required"],
      ['{"alias":"a","expect":"deny"}', "f:1:1: command: command is required"],
      ['{"alias":"a","command":"x"}', "f:1:1: expect: expect is required"],
      ['{"alias":"a","command":["x"],"expect":"deny"}', "f:1:1: command: must be text (put it in quotes)"],
      ['{"alias":"a","command":"x","expect":"deny","tag":[]}', "f:1:1: tag: unknown key (did you mean tags?)"],
      ['{"alias":"a","command":"x","expect":"deny","tags":"t"}', "f:1:1: tags: must be a list"],
      ['{"alias":"a","command":"x","expect":"deny","id":3}', "f:1:1: id: must be text (put it in quotes)"],
      ['{"alias":"a","command":"x","expect":"deny","__proto__":{}}', "f:1:1: __proto__: unknown key"]
    ]
    for (const [line, problem] of wrong) assert.deepStrictEqual(problems(`${line}\n`), [problem], line)
  })

  it("takes lines ended by \\r\\n and the last line without an end", () => {
    const parsed = parseCases("f", `${JSON.stringify(allow)}\r\n\r\n${JSON.stringify(allow)}`)
    assert.deepStrictEqual(
      Result.isSuccess(parsed) ? parsed.success.map(({ id, line }) => [id, line]) : parsed.failure,
      [
        ["1", 1],
        ["3", 3]
      ]
    )
  })

  it("tells twenty problems of a file that is something else", () => {
    assert.strictEqual(problems("x\n".repeat(1_000)).length, 20)
  })
})

import { assert, describe, it } from "@effect/vitest"
import { allowProblems, hasProblems, problemsOf } from "./Problems.ts"

describe("examples of a rule", () => {
  const rule = { commands: ["systemctl status *", "grep *"] }
  const told = (keys: object, ...expected: ReadonlyArray<RegExp>): void =>
    hasProblems(allowProblems({ ...rule, ...keys }), expected)

  it("are whole texts of which every command is matched", () => {
    told({ match: ["systemctl status x", "systemctl status x | grep y", "grep a b; grep c d && grep e f"] })
    told(
      { match: ["systemctl stop x"] },
      /^error rules\.0\.match\.0: rules\[0\] does not match its example "systemctl stop x"$/
    )
    told({ match: ["grep a b", "grep a b | wc -l"] }, /^error rules\.0\.match\.1: .*: not "wc -l"$/)
  })

  it("that must not match may be no command at all", () => {
    told({
      not_match: ["systemctl stop x", "grep a b | wc -l", "grep $(reboot)", "grep 'a", ""].filter((text) => text !== "")
    })
    told({ not_match: ["grep a b"] }, /^error rules\.0\.not_match\.0: rules\[0\] matches its example "grep a b"$/)
  })

  it("that cannot be read say why", () => told({ match: ["grep 'a"] }, /does not match its example "grep 'a": ./))

  it("need the rule's own permission for a redirection", () => {
    const write = { match: ["grep a b > /tmp/report-1"] }
    told(write, /does not match/)
    told({ ...write, redirect_write: ["/tmp/report-*"] })
    told({ ...write, redirect_read: ["/tmp/report-*"] }, /does not match/)
    told({ match: ["grep a < /srv/x"], redirect_read: ["/srv/x"] })
    told({ match: ["grep a b 2>/dev/null", "grep a b 2>&1"] })
    told({ not_match: ["grep a b > /tmp/../etc/x"], redirect_write: ["/tmp/*"] })
  })

  it("need the rule's own permission for a variable", () => {
    told({ match: ["LC_ALL=C grep a b"] })
    told({ match: ["RAILS_ENV=x grep a b"] }, /does not match/)
    told({ match: ["RAILS_ENV=x grep a b"], env: ["RAILS_*"] })
    told({ not_match: ["PATH=/tmp grep a b"], env: ["*"] })
  })

  it("of a regular expression are matched as others", () => {
    hasProblems(
      allowProblems({
        commands_regex: ["tail -n [0-9]+ /srv/x"],
        match: ["tail  -n 5 /srv/x"],
        not_match: ["tail -n x /srv/x"]
      }),
      []
    )
  })

  it("of a rule that denies match when any command of the text is denied", () => {
    const denied = { action: "deny", commands: ["rm*"] }
    hasProblems(allowProblems({ ...denied, match: ["rm x", "ls; rm x", "/bin/rm x > /y"], not_match: ["ls x"] }), [])
    hasProblems(allowProblems({ ...denied, not_match: ["ls; rm x"] }), [/^error rules\.0\.not_match\.0: .* matches/])
    hasProblems(allowProblems({ ...denied, match: ["ls x"] }), [/^error rules\.0\.match\.0: .* does not match/])
  })
})

describe("a list in a rule", () => {
  it("that says something twice is told once, at the second place", () => {
    for (const key of ["aliases", "tags", "commands", "env"]) {
      hasProblems(allowProblems({ commands: ["x"], [key]: ["a", "b", "a", "b"] }), [
        new RegExp(`^warning rules\\.0\\.${key}\\.2: "a" is in the list already$`)
      ])
    }
    hasProblems(allowProblems({ simple_binaries: ["a", "a"] }), [/^warning rules\.0\.simple_binaries\.1: /])
  })
})

describe("patterns that never match", () => {
  it("are told, whatever the version", () => {
    const never = /^warning rules\.0\.commands\.0: never matches/
    for (const pattern of ["mk?s x", "*ctl status", "[ab]c x", "./run", "../x y", "/usr//bin/x", "/usr/./x"]) {
      hasProblems(allowProblems({ commands: [pattern] }), [never])
    }
    hasProblems(allowProblems({ commands: ["/usr/bin/x", "x.y", "..x"] }), [])
  })

  it("are told for the words of the newer language", () => {
    hasProblems(allowProblems({ binary: "df" }), [/^warning rules\.0\.binary: never matches alone/])
    hasProblems(allowProblems({ simple_binaries: ["/bin/df"] }), [/^warning rules\.0: \/bin\/df never matches/])
    hasProblems(allowProblems({ arg_prefix: ["x"], commands: ["y"] }), [/have no effect without binary/])
    hasProblems(allowProblems({}), [/^warning rules\.0: rules\[0\] never matches: it names no commands/])
  })
})

describe("the lints together", () => {
  it("take bounded time for 10,000 rules of either language", () => {
    const patterns = Array.from({ length: 10_000 }, (_, index) => ({
      action: index % 3 === 0 ? "deny" : "allow",
      aliases: [`host-${index}-*`],
      commands: [`program${index} *`, `systemctl status unit${index}*`, "sudo *"],
      match: [`program${index} x`]
    }))
    const words = Array.from({ length: 10_000 }, (_, index) => ({
      action: index % 3 === 0 ? "deny" : "allow",
      simple_binaries: [`program${index}`, "awk"],
      binary: "systemctl",
      arg_prefix: [`${index}`]
    }))
    for (const rules of [patterns, words]) {
      const started = performance.now()
      assert.isNotEmpty(problemsOf({ version: 1, rules }))
      assert.isBelow(performance.now() - started, 10_000)
    }
  }, 30_000)
})

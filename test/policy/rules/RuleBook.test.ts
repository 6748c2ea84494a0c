import { assert, describe, it } from "@effect/vitest"
import * as library from "re2js"
import { makeRegexEngine } from "../../../src/policy/rules/Re2.ts"
import type { Rule } from "../../../src/policy/rules/Rule.ts"
import { findAllows, findDeny, makeRuleBook, nearestRules } from "../../../src/policy/rules/RuleBook.ts"
import { staticWord, unknownWord, type Words } from "../../../src/policy/shell/Word.ts"
import { staticWords, wordsOf } from "./words.ts"

const host = { alias: "web-1", tags: ["prod"] }
const allow = (id: string, ...commands: ReadonlyArray<string>): Rule => ({ id, action: "allow", commands })

const allowedBy = (rules: ReadonlyArray<Rule>, command: string): ReadonlyArray<string> =>
  findAllows(makeRuleBook(rules), host, wordsOf(command)).map(({ rule }) => rule.name)

describe("findAllows", () => {
  it("gives the rules with the most literal words first, then in file order", () => {
    const rules = [allow("any", "*"), allow("wide", "df *"), allow("close", "df -h *"), allow("wide2", "df*")]
    assert.deepStrictEqual(allowedBy(rules, "df -h /"), ["close", "wide", "wide2", "any"])
    assert.deepStrictEqual(allowedBy(rules, "df -k /"), ["wide", "wide2", "any"])
    assert.deepStrictEqual(allowedBy(rules, "df -h $x"), ["close", "wide", "wide2", "any"])
    assert.deepStrictEqual(allowedBy(rules, "/bin/df -h /"), [])
    assert.deepStrictEqual(allowedBy(rules, "$x -h /"), [])
  })

  it("gives at most 8, and none of a rule for other hosts", () => {
    const many = Array.from({ length: 20 }, (_, index) => allow(`r${index}`, "df*"))
    assert.deepStrictEqual(allowedBy(many, "df"), ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"])
    const others = [
      { ...allow("alias", "df"), aliases: ["db-*"] },
      { ...allow("tag", "df"), tags: ["lab"] },
      { ...allow("this", "df"), aliases: ["web-*"], tags: ["prod", "lab"] }
    ]
    assert.deepStrictEqual(allowedBy(others, "df"), ["this"])
  })

  it("looks at every language of a rule", () => {
    const simple: Rule = { id: "simple", action: "allow", simple_binaries: ["uname", "/bin/df"], simple_max_args: 1 }
    const named: Rule = { id: "named", action: "allow", binary: "df", arg_prefix: ["-h"], allow_extra_args: false }
    const path: Rule = {
      id: "path",
      action: "allow",
      binary: "cat",
      path_args: { indices: [2], patterns: ["/etc/os-release", "/etc/*release", "/srv/*"] },
      allow_extra_args: true
    }
    const rules = [simple, named, path]
    for (const [command, name] of [
      ["uname", "simple"],
      ["uname -a", "simple"],
      ['uname "$x"', "simple"],
      ["df -h", "named"],
      ["cat -n /etc/os-release", "path"],
      ["cat -n /etc/lsb-release $x", "path"],
      ["cat -n /etc/*release", "path"],
      ["cat -n /srv/*", "path"]
    ] as const) {
      assert.deepStrictEqual(allowedBy(rules, command), [name], command)
    }
    for (const command of [
      "uname -a b",
      "uname $x",
      "uname *",
      "/bin/df",
      "df",
      "df -h /",
      "df -h $x",
      'df "$x"',
      "cat -n",
      "cat /etc/os-release",
      "cat -n /etc/../shadow-release",
      "cat -n /srv/* b",
      'cat "$x" /etc/os-release',
      "cat $x /etc/os-release",
      "cat -n $x",
      "cat -n /etc/*"
    ]) {
      assert.deepStrictEqual(allowedBy(rules, command), [], command)
    }
    assert.deepStrictEqual(allowedBy([{ ...simple, simple_max_args: 9 }], "uname $x"), [])
    const { simple_max_args: _, ...unlimited } = simple
    assert.deepStrictEqual(allowedBy([unlimited], "uname $x"), ["simple"])
    const coverage = (command: string) => findAllows(makeRuleBook(rules), host, wordsOf(command))[0]?.coverage
    assert.deepStrictEqual(coverage("cat -n /etc/os-release x"), [true, false, true, false])
    assert.deepStrictEqual(coverage("cat -n /srv/x"), [true, false, false])
    assert.deepStrictEqual(coverage("df -h"), [true, true])
  })

  it("uses regular expressions when there is an engine", () => {
    const rules: ReadonlyArray<Rule> = [{ id: "re", action: "allow", commands_regex: ["df (-h|-k)"] }]
    const found = findAllows(makeRuleBook(rules, makeRegexEngine(library)), host, wordsOf("df -k"))
    assert.deepStrictEqual(
      found.map(({ matcher }) => matcher.source),
      ["df (-h|-k)"]
    )
    assert.deepStrictEqual(allowedBy(rules, "df -k"), [])
  })

  it("knows what its rules permit besides", () => {
    const rule: Rule = {
      ...allow("a", "df"),
      redirect_write: ["/w"],
      redirect_read: ["/r"],
      env: ["E"],
      unsafe_args: true
    }
    const found = findAllows(makeRuleBook([rule, allow("b", "df")]), host, wordsOf("df"))
    assert.deepInclude(found[0]?.rule, { redirectWrite: ["/w"], redirectRead: ["/r"], env: ["E"], unsafeArgs: true })
    assert.deepInclude(found[1]?.rule, { redirectWrite: [], redirectRead: [], env: [], unsafeArgs: false })
  })
})

describe("findDeny", () => {
  const deniedBy = (rules: ReadonlyArray<Rule>, command: string): string | undefined =>
    findDeny(makeRuleBook(rules), host, wordsOf(command))?.name

  it("gives a deny rule that may match, by base name and of this host", () => {
    const rules: ReadonlyArray<Rule> = [
      { id: "rm", commands: ["rm *"] },
      { id: "mkfs", action: "deny", commands: ["mkfs*"] }
    ]
    assert.strictEqual(deniedBy(rules, "/bin/rm x"), "rm")
    assert.strictEqual(deniedBy(rules, "mkfs.ext4 x"), "mkfs")
    assert.strictEqual(deniedBy(rules, "$x"), "rm")
    assert.strictEqual(deniedBy(rules, "ls rm"), undefined)
    assert.strictEqual(deniedBy([{ commands: ["rm *"], aliases: ["db-*"] }], "rm x"), undefined)
  })

  it("looks up regular expressions by base name, and denies all by one that cannot be tested", () => {
    const book = makeRuleBook([{ id: "re", commands_regex: ["rm .*", "/opt/x .*"] }], makeRegexEngine(library))
    assert.strictEqual(findDeny(book, host, wordsOf("/bin/rm x"))?.name, "re")
    assert.strictEqual(findDeny(book, host, wordsOf("/opt/x y"))?.name, "re")
    assert.isUndefined(findDeny(book, host, wordsOf("ls x")))
    assert.strictEqual(deniedBy([{ id: "re", commands_regex: ["rm .*"] }], "ls x"), "re")
  })
})

describe("nearestRules", () => {
  it("gives rules of the program, or of one that is an edit away, with the most words in common first", () => {
    const book = makeRuleBook([
      allow("a", "systemctl status *", "systemctl list-units*"),
      allow("b", "systemctl show nginx"),
      allow("c", "systemctl restart *"),
      { ...allow("d", "systemctl *"), aliases: ["db-*"] },
      { id: "e", commands: ["systemctl stop*"] }
    ])
    const near = (command: string) => nearestRules(book, host, wordsOf(command)).map(({ pattern }) => pattern)
    assert.deepStrictEqual(near("systemctl show $x"), [
      "systemctl show nginx",
      "systemctl status *",
      "systemctl list-units*"
    ])
    assert.strictEqual(near("/bin/systemctl show").length, 3)
    assert.strictEqual(near("sytemctl show").length, 3)
    assert.deepStrictEqual(near("uptime"), [])
    assert.deepStrictEqual(near("$x"), [])
  })
})

describe("a thousand patterns on the longest command", () => {
  const words = (count: number, word: string): Words =>
    staticWords(["systemctl", ...Array.from({ length: count }, () => word)])
  const patterns = (shape: (index: number) => string): ReadonlyArray<string> =>
    Array.from({ length: 1000 }, (_, index) => shape(index))
  const dynamic: Words = [staticWord("systemctl"), ...Array.from({ length: 2400 }, () => unknownWord('"$x"', "one"))]
  const commands = [words(4990, "a"), words(3300, "-a"), words(1, "ab".repeat(4990)), dynamic]

  it("take few steps", () => {
    const deny = makeRuleBook([
      { commands: patterns((index) => `systemctl a stop${index}`) },
      { commands: patterns((index) => `systemctl --vacuum${index}* b`) },
      { commands: patterns((index) => `*a*b*stop${index}*`) },
      { commands: patterns((index) => `mk${index}*`) }
    ])
    const allows = makeRuleBook([
      allow("a", ...patterns((index) => `systemctl a a stop${index} *`)),
      allow("b", ...patterns(() => "systemctl *"))
    ])
    for (const each of commands) {
      assert.isAtMost(findAllows(allows, host, each).length, 8)
      findDeny(deny, host, each)
    }
    assert.isUndefined(findDeny(deny, host, words(4990, "a")))
  })
})

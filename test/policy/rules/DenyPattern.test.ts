import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { matchesGlob } from "../../../src/policy/Glob.ts"
import { compileRule } from "../../../src/policy/rules/CompiledRule.ts"
import { baseName, compileDenyPattern, mayMatchDenyPattern } from "../../../src/policy/rules/DenyPattern.ts"
import type { Rule } from "../../../src/policy/rules/Rule.ts"
import { dynamic, expanded, Part, PATTERN_PIECES, Simple, staticWords, TEXTS, wordsOf } from "./words.ts"
import type { Words } from "../../../src/policy/shell/Word.ts"

const mayDeny = (source: string, words: Words): boolean => {
  const pattern = compileDenyPattern(source)
  return pattern !== undefined && mayMatchDenyPattern(pattern, words)
}

type Row = readonly [pattern: string, fires: ReadonlyArray<string>, not: ReadonlyArray<string>]

const STATIC: ReadonlyArray<Row> = [
  ["rm*", ["rm", "rm -rf x", "/bin/rm x", "rmdir x"], ["echo rm", "ls rm"]],
  ["dd *", ["dd if=x", "/usr/bin/dd x"], ["dd", "add x"]],
  ["/usr/bin/rm *", ["rm x", "/bin/rm x"], ["rmdir x"]],
  ["systemctl stop*", ["systemctl stop x", "systemctl --no-block stop x", "systemctl -q stop"], ["systemctl status x"]],
  [
    "journalctl --vacuum*",
    ["journalctl -u x --vacuum-size=1", "journalctl --vac=1K", "journalctl --vacuum"],
    ["journalctl -u x"]
  ],
  [
    "cat /etc/shadow",
    ["cat /etc/shadow", "cat /etc//shadow", "cat /x/../etc/./shadow", "cat -n /etc/shadow"],
    ["cat /etc/passwd"]
  ],
  ["* /etc/shadow*", ["cat -n /etc/shadow", "head /etc/shadow-"], ["cat /etc/passwd"]],
  ["mkfs*", ["mkfs.ext4 /dev/sda", "/sbin/mkfs x"], ["ls mkfs"]],
  ["uptime", ["uptime"], ["uptime -s"]],
  ["[ -w*", ["[ -w x ]", "/usr/bin/[ -wx"], ["[ -f x ]"]]
]

const DYNAMIC: ReadonlyArray<Row> = [
  [
    "docker rm*",
    ["docker $x", 'docker "$x"', "docker $x a", "docker -v $x", "docker r*"],
    ["docker ps $x", 'docker ps "$x"']
  ],
  [
    "systemctl stop*",
    ["systemctl $x", 'systemctl "$x" nginx', "systemctl --now $x", "systemctl s* nginx"],
    ["systemctl status $x", 'systemctl status "$x"', "systemctl list* $x", "ls *", "ls $x"]
  ],
  ["systemctl stop nginx", ['systemctl stop "$x"', "systemctl stop n*", "systemctl $x"], ["systemctl stop a b $x"]],
  [
    "journalctl --vacuum*",
    ['journalctl "$x"', 'journalctl -u a --va="$x"', "journalctl -u $x", "journalctl --vac$x", 'journalctl -u "$x"'],
    ["journalctl -u /a/$x/b", 'journalctl --since="$x"', "journalctl /var/*"]
  ],
  [
    "cat /etc/shadow",
    [
      'cat "$x"',
      "cat $x",
      "cat /etc/*",
      "cat /etc/sh*",
      "cat /x/../etc/$x",
      'cat /var/"$x"',
      "cat -n $x",
      "cat /etc//*"
    ],
    ["cat /var/*", "cat /etc/*.conf", 'cat /etc/passwd "$x"', "cat ~/a"]
  ],
  ["* /etc/shadow", ["head $x", 'head -n "$x"', "head /etc/*"], ["head /var/*.log", 'head -n "$x" /etc/passwd']],
  [
    "cat ~/.ssh/*",
    ["cat ~/.ssh/id", "cat ~/a/../.ssh/id", 'cat "$x"/.ssh/id', "cat ~/.ssh/*"],
    ["cat ~/a", "cat ~/ssh/*"]
  ],
  ["docker rm a", ["docker -v $x", 'docker -v "$x" rm a', 'docker -v rm "$x"', "docker -v rm$x"], ["docker -v ps $x"]],
  ["cat a b", ["cat -n *", "cat -n $x", "cat -n a$x"], ['cat -n "$x"', "cat -n a*"]],
  ["uptime", ["uptime $x", "uptime"], ['uptime "$x"', "uptime *", "uptime a$x"]],
  ["rm*", ["$x a", '"$x"', "rm $x"], ["ls $x"]],
  ["mkfs*", ["mkfs.ext4 $x"], ["mk $x"]]
]

const check = (rows: ReadonlyArray<Row>, wordsOfText: (text: string) => Words): void => {
  for (const [pattern, fires, not] of rows) {
    for (const command of fires) assert.isTrue(mayDeny(pattern, wordsOfText(command)), `${pattern} on ${command}`)
    for (const command of not) assert.isFalse(mayDeny(pattern, wordsOfText(command)), `${pattern} on ${command}`)
  }
}

const denies = (rule: Rule, words: Words): boolean =>
  compileRule(rule, 0).matchers.some((matcher) => matcher.match(words) !== undefined)

const Expected = Schema.Array(Schema.Literals(["a", "b", "-x", "--long", "/p/q"])).check(Schema.isMaxLength(2))

describe("a deny pattern", () => {
  it("covers whatever it may mean", () => {
    check(STATIC, (text) => staticWords(text.split(" ")))
  })

  it("covers a command that may become what it means", () => {
    check(DYNAMIC, wordsOf)
  })

  it("takes a value that is no option for operands only", () => {
    const value = dynamic({ mayBeOption: false })
    const [name, status] = wordsOf("journalctl -u")
    assert.isFalse(mayDeny("journalctl --vacuum*", [name, ...(status === undefined ? [] : [status]), value]))
    assert.isTrue(mayDeny("journalctl -u secret", [name, ...(status === undefined ? [] : [status]), value]))
  })

  it("covers a command of too many values to follow", () => {
    const words = wordsOf(`systemctl status ${'"$x" '.repeat(40).trim()}`)
    assert.isFalse(mayDeny("systemctl stop", words))
    assert.isTrue(mayDeny("systemctl nginx stop", wordsOf(`systemctl ${'"$x" '.repeat(40)}stop`)))
  })

  it("gives the base name of a program", () => {
    assert.strictEqual(baseName("/usr/bin/rm"), "rm")
    assert.strictEqual(baseName("rm"), "rm")
  })

  it.prop(
    "covers all that the original's match of the whole text covers",
    [Schema.Array(Schema.Literals(PATTERN_PIECES)), Schema.Array(Schema.Literals(TEXTS))],
    ([pieces, args]) => {
      const source = ["a", ...pieces].join(" ")
      return !matchesGlob(source, ["a", ...args].join(" ")) || mayDeny(source, staticWords(["a", ...args]))
    },
    { arbitrary: { runs: 5000, seed: "deny" } }
  )

  it.prop(
    "covers a command when it covers anything that the command may become",
    [Schema.Literals(["a", "a*", "*", "/bin/a"]), Schema.Array(Schema.Literals(PATTERN_PIECES)), Schema.Array(Part)],
    ([name, pieces, parts]) => {
      const source = [name, ...pieces].join(" ")
      const { texts, words } = expanded(parts)
      const may = mayDeny(source, staticWords(texts)) || matchesGlob(source, texts.join(" "))
      return !may || mayDeny(source, words)
    },
    { arbitrary: { runs: 6000, seed: "deny dynamic" } }
  )

  it.prop(
    "does so also word by word, with options in other places",
    [
      Schema.Array(Schema.Literals(["a", "b", "-x", "--long", "b*", "/p/q"])),
      Schema.Array(Schema.Union([Schema.Literals(["a", "b", "-z", "/p/q"]), Simple]))
    ],
    ([pieces, parts]) => {
      const { texts, words } = expanded(["-z", ...parts])
      const source = ["a", ...pieces].join(" ")
      return !mayDeny(source, staticWords(texts)) || mayDeny(source, words)
    },
    { arbitrary: { runs: 6000, seed: "deny word by word" } }
  )
})

describe("a deny rule of exact words", () => {
  const rule: Rule = { binary: "systemctl", arg_prefix: ["stop"], allow_extra_args: true }

  it("covers the program under any path, with options in any place, and what values may become", () => {
    for (const command of [
      "systemctl stop a",
      "/bin/systemctl -q stop",
      "systemctl $x",
      'systemctl "$x"',
      "systemctl s* a"
    ]) {
      assert.isTrue(denies(rule, wordsOf(command)), command)
    }
    for (const command of ["systemctl status $x", "systemctl", "ls $x", "systemctl st?p"]) {
      assert.isFalse(denies(rule, wordsOf(command)), command)
    }
    assert.isTrue(denies({ simple_binaries: ["rm"] }, wordsOf("/bin/rm $x")))
    assert.isTrue(denies({ simple_binaries: ["rm"], simple_max_args: 1 }, wordsOf('rm "$x" $x a')))
    assert.isFalse(denies({ simple_binaries: ["rm"], simple_max_args: 1 }, wordsOf("rm a b $x")))
    const shadow: Rule = { binary: "cat", path_args: { indices: [1], patterns: ["/etc/shadow*"] } }
    for (const command of ["cat /x/../etc/shadow", "cat -n /etc/shadow", 'cat "$x"', "cat /etc/*", 'cat /var/"$x"']) {
      assert.isTrue(denies(shadow, wordsOf(command)), command)
    }
    for (const command of ["cat /var/*", "cat", "cat /var/log/x $x"]) {
      assert.isFalse(denies(shadow, wordsOf(command)), command)
    }
  })

  it.prop(
    "covers a command when it covers anything that the command may become",
    [
      Expected,
      Schema.Literals(["none", "a*", "/p/*", "*.c"]),
      Schema.Literals([1, 2, 3]),
      Schema.Boolean,
      Schema.Array(Part)
    ],
    ([prefix, pattern, index, extra, parts]) => {
      const { texts, words } = expanded(parts)
      const static_ = staticWords(texts)
      const named: Rule = {
        binary: "a",
        arg_prefix: prefix,
        allow_extra_args: extra,
        ...(pattern === "none" ? {} : { path_args: { indices: [index], patterns: [pattern] } })
      }
      const simple: Rule = { simple_binaries: ["a"], simple_max_args: index }
      return [named, simple].every((each) => !denies(each, static_) || denies(each, words))
    },
    { arbitrary: { runs: 5000, seed: "deny words" } }
  )
})

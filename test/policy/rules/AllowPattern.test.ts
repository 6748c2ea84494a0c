import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { matchesGlob } from "../../../src/policy/Glob.ts"
import { compileAllowPattern, matchAllowPattern } from "../../../src/policy/rules/AllowPattern.ts"
import { hasTraversal } from "../../../src/policy/rules/WordGlob.ts"
import type { Words } from "../../../src/policy/shell/Word.ts"
import { dynamic, expanded, Part, PATTERN_PIECES, staticWords, TEXTS, wordsOf } from "./words.ts"

const allows = (source: string, words: Words): boolean => {
  const pattern = compileAllowPattern(source)
  return pattern !== undefined && matchAllowPattern(pattern, words) !== undefined
}

/** A pattern, commands that it covers, and commands that it does not. */
type Row = readonly [pattern: string, covers: ReadonlyArray<string>, not: ReadonlyArray<string>]

const STATIC: ReadonlyArray<Row> = [
  ["uptime", ["uptime"], ["uptime -p", "uptimectl", "/usr/bin/uptime", "Uptime"]],
  ["uptime*", ["uptime", "uptime -p -s"], ["uptimectl", "/bin/uptime", "uptime ../x"]],
  ["hostname *", ["hostname -f", "hostname a b"], ["hostname", "hostnamectl set"]],
  ["df -h*", ["df -h", "df -hT", "df -h /var /srv"], ["df", "df -k", "df /var -h"]],
  ["ls *", ["ls x", "ls -la /srv a..b"], ["ls", "ls ..", "ls ../x", "ls a/../b", "ls --x=../y", "ls x /a/.."]],
  [
    "cat /var/log/*",
    ["cat /var/log/x", "cat /var/log/a/b", "cat /var/log/"],
    ["cat /var/log/x /etc/shadow", "cat /var/log/../x", "cat -n /var/log/x"]
  ],
  ["grep * /var/log/*", ["grep x /var/log/y", "grep -v /var/log/y"], ["grep x y /var/log/z", "grep /var/log/y"]],
  ["systemctl list-units*", ["systemctl list-units", "systemctl list-units --failed a"], ["systemctl list-unit"]],
  [
    "git -C /srv/app log *",
    ["git -C /srv/app log -1"],
    ["git -C /srv/app log", "git log -1", "git -c x -C /srv/app log -1"]
  ],
  ["*", ["x", "x y z"], ["/bin/x", "x ../y"]],
  ["* status", ["x status"], ["x", "x y status"]],
  ["ls *.log", ["ls a.log"], ["ls a.log b.log", "ls a.txt"]],
  ["ls app-[0-9]", ["ls app-3"], ["ls app-x", "ls app-33"]],
  ["/usr/bin/df *", ["/usr/bin/df -h"], ["df -h", "/bin/df -h"]],
  ["mk?s", [], ["mkfs", "mk?s"]],
  ["[ -f * ]", ["[ -f x ]"], ["[ -f x", "[ -e x ]", "[ -f x y ]", "test -f x ]"]],
  ["[ *", ["[ -f x ]"], ["["]],
  ["[a]b", [], ["ab", "[a]b"]],
  ["  ", [], ["x"]]
]

const DYNAMIC: ReadonlyArray<Row> = [
  ["uptime", [], ["uptime $x", 'uptime "$x"', "$x"]],
  ["*", ["ls $x", 'ls "$x" *.log', "ls ~"], ["$x", '"$x"', "ls /a/../*", "ls $x/../b"]],
  ["ls *", ['ls "$x"', "ls $x", "ls *", "ls -l $x b", "ls ~/a"], ["ls"]],
  ["ls -l *", ['ls -l "$x"'], ['ls "$x" -l', "ls $x b", 'ls "$x" b']],
  ["df -h*", ["df -h $x", "df -hT *", "df -h*"], ["df $x", 'df "$x"', 'df -h"$x"', "df *"]],
  ["grep * /var/log/*", ['grep "$x" /var/log/a'], ["grep $x /var/log/a", "grep * /var/log/a", 'grep a "$x"']],
  ["systemctl status *", ['systemctl status "$x"'], ['systemctl "$x" a', "systemctl $x a", "systemctl s* a"]],
  [
    "cat /var/log/*",
    ["cat /var/log/*", "cat /var/log/nginx/*.log", "cat /var/log/a*"],
    ["cat /var/*", "cat /var/log/* /etc/shadow", "cat /var/log/$x", 'cat /var/log/"$x"', "cat /var/log/../*", "cat *"]
  ],
  ["cat /var/log/*.log", ["cat /var/log/*.log", "cat /var/log/a*b.log"], ["cat /var/log/*", "cat /var/log/*.gz"]],
  ["cat /var/*/x/*", [], ["cat /var/a/x/*", "cat /var/*/x/b"]],
  ["head /var/log/* -n", [], ["head /var/log/* -n"]],
  ["cat /var/log/?*", [], ["cat /var/log/*"]],
  ["cat /var/log/a", [], ["cat /var/log/*", "cat /var/log/a*", 'cat "$x"']],
  ["du ~/logs/*", ["du ~/logs/a", "du ~/logs/a/b"], ["du ~/x", "du ~/logs/../x", "du ~", "du /logs/a", "du $x/logs/a"]],
  ["du ~/logs", ["du ~/logs"], ["du ~", "du ~/logs/a", "du ~/log*"]],
  ["du ~", ["du ~"], ["du ~/a"]],
  ["~/bin/x *", [], ["~/bin/x a", "x a"]],
  ["ls /*", ["ls ~/a", "ls /a"], ["ls a"]]
]

describe("an allow pattern", () => {
  const check = (rows: ReadonlyArray<Row>, wordsOfText: (text: string) => Words): void => {
    for (const [pattern, covers, not] of rows) {
      for (const command of covers) assert.isTrue(allows(pattern, wordsOfText(command)), `${pattern} on ${command}`)
      for (const command of not) assert.isFalse(allows(pattern, wordsOfText(command)), `${pattern} on ${command}`)
    }
  }

  it("covers only what it certainly means", () => {
    check(STATIC, (text) => staticWords(text.split(" ")))
  })

  it("covers a dynamic word only where nothing that it becomes lies outside", () => {
    check(DYNAMIC, wordsOf)
  })

  it("takes a value that is known to stay below a prefix, in any place", () => {
    const below = dynamic({ prefix: "/srv/", suffix: ".log", mayTraverse: false })
    const [cat, a] = wordsOf("cat a")
    assert.isTrue(allows("cat /srv/*", [cat, below]))
    assert.isTrue(allows("cat /srv/* a", [cat, below, ...(a === undefined ? [] : [a])]))
    // A value may be `/srv/.log`, in which prefix and suffix could overlap.
    assert.isFalse(allows("cat /srv/*.log", [cat, below]))
    assert.isFalse(allows("cat /srv/a*", [cat, below]))
  })

  it("takes a word with blanks as one word", () => {
    assert.isTrue(allows("grep * /var/log/*", staticWords(["grep", "two words", "/var/log/x"])))
    assert.isFalse(allows("head -n 5", staticWords(["head", "-n 5"])))
    assert.isTrue(allows("echo 'two words'", staticWords(["echo", "two words"])))
    assert.isFalse(allows("echo 'two words'", staticWords(["echo", "two", "words"])))
  })

  it("takes quoted wildcards and a quoted ~ for themselves", () => {
    assert.isTrue(allows("echo 'a*'", staticWords(["echo", "a*"])))
    assert.isFalse(allows("echo 'a*'", staticWords(["echo", "ab"])))
    assert.isTrue(allows("'a*' *", staticWords(["a*", "b"])))
    assert.isTrue(allows("du '~/a'", staticWords(["du", "~/a"])))
    assert.isFalse(allows("du '~/a'", wordsOf("du ~/a")))
    assert.isFalse(allows("du ~/a", staticWords(["du", "~/a"])))
  })

  it("tells which words it names literally", () => {
    const coverage = (source: string, words: Words) => {
      const pattern = compileAllowPattern(source)
      return pattern && matchAllowPattern(pattern, words)
    }
    const words = wordsOf("sudo systemctl status nginx $x")
    assert.deepStrictEqual(coverage("sudo systemctl status *", words), [true, true, true, false, false])
    assert.deepStrictEqual(coverage("* *", wordsOf("a b")), [false, false])
    assert.deepStrictEqual(coverage("echo 'a*' ~/b ~/*", wordsOf("echo a* ~/b ~/c")), undefined)
    assert.deepStrictEqual(coverage("echo 'a*' ~/b ~/*", [...staticWords(["echo", "a*"]), ...wordsOf("~/b ~/c")]), [
      true,
      true,
      true,
      false
    ])
  })

  it.prop(
    "is never looser than the original's match of the whole text",
    [Schema.Array(Schema.Literals(PATTERN_PIECES)), Schema.Array(Schema.Literals(TEXTS))],
    ([pieces, args]) => {
      const source = ["a", ...pieces].join(" ")
      return !allows(source, staticWords(["a", ...args])) || matchesGlob(source, ["a", ...args].join(" "))
    },
    { arbitrary: { runs: 5000, seed: "allow" } }
  )

  it.prop(
    "covers all that a command may become when it covers the command",
    [Schema.Array(Schema.Literals(PATTERN_PIECES)), Schema.Array(Part)],
    ([pieces, parts]) => {
      const source = ["a", ...pieces].join(" ")
      // One path of an expansion at a time: that several stand in one place is said above.
      const single = parts.map((part) =>
        typeof part === "string"
          ? part
          : { ...part, values: part.count === "each" ? part.values.slice(0, 1) : part.values }
      )
      const { texts, words } = expanded(single)
      const vanished = single.some(
        (part) => typeof part !== "string" && part.count === "any" && part.values.length === 0
      )
      if (vanished || texts.some(hasTraversal) || !allows(source, words)) return true
      return allows(source, staticWords(texts))
    },
    { arbitrary: { runs: 5000, seed: "allow dynamic" } }
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { matchesGlob } from "../../../src/policy/Glob.ts"
import {
  type Argv,
  compileAllowPattern,
  compileDenyPattern,
  matchAllowPattern,
  mayMatchDenyPattern
} from "../../../src/policy/rules/Pattern.ts"

const argvOf = (command: string): Argv => {
  const [name = "", ...args] = command.split(" ")
  return [name, ...args]
}

const allows = (source: string, argv: Argv): boolean => {
  const pattern = compileAllowPattern(source)
  return pattern !== undefined && matchAllowPattern(pattern, argv) !== undefined
}

const mayDeny = (source: string, argv: Argv): boolean => {
  const pattern = compileDenyPattern(source)
  return pattern !== undefined && mayMatchDenyPattern(pattern, argv)
}

/** A pattern, commands that it covers, and commands that it does not. */
const ALLOW: ReadonlyArray<readonly [pattern: string, covers: ReadonlyArray<string>, not: ReadonlyArray<string>]> = [
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
  ["echo 'a*'", ["echo a*"], ["echo ab"]],
  ["/usr/bin/df *", ["/usr/bin/df -h"], ["df -h", "/bin/df -h"]],
  ["mk?s", [], ["mkfs", "mk?s"]],
  ["  ", [], ["x"]]
]

const DENY: ReadonlyArray<readonly [pattern: string, covers: ReadonlyArray<string>, not: ReadonlyArray<string>]> = [
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
  ["uptime", ["uptime"], ["uptime -s"]]
]

describe("an allow pattern", () => {
  it("covers only what it certainly means", () => {
    for (const [pattern, covers, not] of ALLOW) {
      for (const command of covers) assert.isTrue(allows(pattern, argvOf(command)), `${pattern} on ${command}`)
      for (const command of not) assert.isFalse(allows(pattern, argvOf(command)), `${pattern} on ${command}`)
    }
  })

  it("takes a word with blanks as one word", () => {
    assert.isTrue(allows("grep * /var/log/*", ["grep", "two words", "/var/log/x"]))
    assert.isFalse(allows("head -n 5", ["head", "-n 5"]))
    assert.isTrue(allows("echo 'two words'", ["echo", "two words"]))
    assert.isFalse(allows("echo 'two words'", ["echo", "two", "words"]))
  })

  it("tells which words it names literally", () => {
    const pattern = compileAllowPattern("sudo systemctl status *")
    assert.deepStrictEqual(pattern && matchAllowPattern(pattern, ["sudo", "systemctl", "status", "nginx", "-l"]), [
      true,
      true,
      true,
      false,
      false
    ])
  })
})

describe("a deny pattern", () => {
  it("covers whatever it may mean", () => {
    for (const [pattern, covers, not] of DENY) {
      for (const command of covers) assert.isTrue(mayDeny(pattern, argvOf(command)), `${pattern} on ${command}`)
      for (const command of not) assert.isFalse(mayDeny(pattern, argvOf(command)), `${pattern} on ${command}`)
    }
  })
})

const PIECES = [
  "a",
  "ab",
  "*",
  "a*",
  "-x*",
  "-x",
  "/p/*",
  "/p/q",
  "*.c",
  "?",
  "[ab]",
  "..",
  "../p",
  "/p/../q",
  "b.c",
  "=",
  ""
]
const Places = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: PIECES.length - 1 })))
const wordsOf = (places: ReadonlyArray<number>): ReadonlyArray<string> => places.map((place) => PIECES[place] ?? "")

describe("both", () => {
  it.prop(
    "are never looser than the original's match of the whole text",
    [Places, Places],
    ([left, right]) => {
      const source = ["a", ...wordsOf(left)].filter((word) => word !== "").join(" ")
      const argv: Argv = ["a", ...wordsOf(right)]
      const original = matchesGlob(source, argv.join(" "))
      return (!allows(source, argv) || original) && (!original || mayDeny(source, argv))
    },
    { arbitrary: { runs: 3000, seed: "patterns" } }
  )
})

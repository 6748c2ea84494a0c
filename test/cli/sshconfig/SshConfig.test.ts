import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { isSelected, matchesPattern } from "../../../src/cli/sshconfig/HostPattern.ts"
import { concreteNames, settingsFor } from "../../../src/cli/sshconfig/HostSettings.ts"
import { parseLine, splitWords } from "../../../src/cli/sshconfig/Line.ts"
import { parseProxyJump } from "../../../src/cli/sshconfig/ProxyJump.ts"
import { expandPath, expandTokens } from "../../../src/cli/sshconfig/Tokens.ts"
import { type Item, parseFile } from "../../../src/cli/sshconfig/Tree.ts"

const itemsOf = (text: string): ReadonlyArray<Item> =>
  parseFile("config", text).lines.map((line): Item => ({ _tag: "Line", line }))

describe("a line of ssh_config", () => {
  it.each([
    ["Host web", ["host", "web"]],
    ["\t  HoSt  web db ", ["host", "web", "db"]],
    ["Port=22", ["port", "22"]],
    ["Port = 22", ["port", "22"]],
    ["Port==22", ["port", "=22"]],
    ['User "a b"', ["user", "a b"]],
    ["User 'a \"b'", ["user", 'a "b']],
    ["User a\\ b", ["user", "a b"]],
    ["User a\\b", ["user", "a\\b"]],
    ['IdentityFile ~/"my key"', ["identityfile", "~/my key"]],
    ["Host a # b", ["host", "a"]],
    ["Host a#b", ["host", "a#b"]],
    ["Port 22\r", ["port", "22"]],
    ["Port 22 \f", ["port", "22"]]
  ])("%j is read as OpenSSH reads it", (text, [keyword, ...words]) => {
    const line = Result.getOrThrow(parseLine(text))
    assert.deepStrictEqual([line?.keyword, line?.words], [keyword, words])
  })

  it.each(["", "   ", "# Host a", "\t#a"])("%j says nothing", (text) => {
    assert.deepStrictEqual(parseLine(text), Result.succeed(undefined))
  })

  it.each(["Host", "Host # a", 'User "a', "= 22", "User 'a\""])("%j is refused", (text) => {
    assert.isTrue(Result.isFailure(parseLine(text)))
  })

  it.prop("is read or refused, whatever it is", [Schema.String], ([text]) => {
    const line = parseLine(text)
    assert.isTrue(Result.isFailure(line) || line.success === undefined || line.success.words.length > 0)
    const words = splitWords(text)
    assert.isTrue(Result.isFailure(words) || words.success.join("").length <= text.length)
  })
})

describe("a pattern of Host", () => {
  it.each([
    ["web", "web", true],
    ["web", "Web", false],
    ["web-1", "web-?", true],
    ["web-", "web-?", false],
    ["a.b.example.com", "*.example.com", true],
    ["example.com", "*.example.com", false],
    ["", "*", true],
    ["aaab", "*a*b", true],
    ["a", "[a]", false]
  ])("%j against %j is %j", (text, pattern, expected) => {
    assert.strictEqual(matchesPattern(text, pattern), expected)
  })

  it("takes time in proportion to its length", () => {
    assert.isFalse(matchesPattern("a".repeat(5_000), `${"*a".repeat(2_000)}b`))
  })

  it("that is negated excludes what another one selects, wherever it stands", () => {
    assert.isTrue(isSelected("web-2", ["web-*", "!web-1"]))
    assert.isFalse(isSelected("web-1", ["web-*", "!web-1"]))
    assert.isFalse(isSelected("web-1", ["!web-1", "web-*"]))
    assert.isFalse(isSelected("db", ["!web-1"]))
  })
})

describe("the settings of a name", () => {
  const value = (text: string, name: string, keyword: string) =>
    settingsFor(itemsOf(text), name).values.get(keyword)?.words[0]

  it("are the first that are obtained, also those before the first Host", () => {
    assert.strictEqual(value("User first\nHost *\n User second", "a", "user"), "first")
    assert.strictEqual(value("Host a\n User one\nHost *\n User two", "a", "user"), "one")
    assert.strictEqual(value("Host *\n User two\nHost a\n User one", "a", "user"), "two")
    assert.strictEqual(value("Host b\n User one", "a", "user"), undefined)
  })

  it("are those of ProxyJump or of ProxyCommand, whichever comes first", () => {
    const text = "Host a\n ProxyCommand nc %h %p\nHost *\n ProxyJump b"
    assert.isFalse(settingsFor(itemsOf(text), "a").values.has("proxyjump"))
    assert.isFalse(settingsFor(itemsOf(text), "c").values.has("proxycommand"))
  })

  it("leave Match blocks out, but for Match all", () => {
    assert.strictEqual(value("Match host a\n User one\nHost a\n User two", "a", "user"), "two")
    assert.strictEqual(value("Match all\n User one\nHost a\n User two", "a", "user"), "one")
  })

  it("add up where ssh adds them up", () => {
    const { lists } = settingsFor(itemsOf("IdentityFile ~/a\nHost a\n IdentityFile ~/b"), "a")
    assert.deepStrictEqual(
      lists.get("identityfile")?.map(({ words }) => words[0]),
      ["~/a", "~/b"]
    )
  })

  it("come from an included file only where the block that includes it holds, which goes on after it", () => {
    const [line] = parseFile("config", "Include x").lines
    assert.isDefined(line)
    if (line === undefined) return
    const included = itemsOf("User included\nHost b\n Port 2")
    const items: ReadonlyArray<Item> = [
      ...itemsOf("Host a"),
      { _tag: "Include", line, files: [included] },
      ...itemsOf("Compression yes")
    ]
    assert.strictEqual(settingsFor(items, "a").values.get("user")?.words[0], "included")
    assert.isTrue(settingsFor(items, "a").values.has("compression"))
    const other = settingsFor(items, "b")
    assert.deepStrictEqual([other.named, other.values.size], [false, 0])
  })

  it("are for the names that are written out, each once", () => {
    assert.deepStrictEqual(concreteNames(itemsOf("Host a b* !c d\nHost d a e?")), ["a", "d"])
  })
})

describe("ProxyJump", () => {
  it.each([
    ["bastion", [{ host: "bastion" }]],
    ["none", []],
    ["me@bastion:2222", [{ host: "bastion", user: "me", port: 2222 }]],
    ["a,b@c", [{ host: "a" }, { host: "c", user: "b" }]],
    ["ssh://me@bastion:22/", [{ host: "bastion", user: "me", port: 22 }]],
    ["[2001:db8::1]:22", [{ host: "2001:db8::1", port: 22 }]],
    ["me@corp@bastion", [{ host: "bastion", user: "me@corp" }]]
  ])("%j is its hops in order", (text, hops) => {
    assert.deepStrictEqual(parseProxyJump(text), Result.succeed(hops))
  })

  it.each(["", "a,", "a:0", "a:65536", "2001:db8::1", "@a", "a/b", "a:b"])("%j is refused", (text) => {
    assert.isTrue(Result.isFailure(parseProxyJump(text)))
  })
})

describe("a path of ssh_config", () => {
  const tokens = { h: "web.example.com", n: "web", p: "22", r: "ubuntu", u: "me", d: "/home/me" }
  it.each([
    ["~/.ssh/id", "/home/me/.ssh/id"],
    ["%d/.ssh/%r@%h", "/home/me/.ssh/ubuntu@web.example.com"],
    ["/keys/%n-%p-%u", "/keys/web-22-me"],
    ["/keys/100%%", "/keys/100%"],
    ["/keys//./a/../b", "/keys/b"],
    ["${HOME}/id", "/home/me/id"]
  ])("%j is %j", (text, path) => {
    assert.deepStrictEqual(expandPath(text, "/home/me", tokens), Result.succeed(path))
  })

  it.each(["id", "~other/id", "${KEYS}/id", "/keys/%C", "/keys/%"])("%j cannot be known", (text) => {
    assert.isTrue(Result.isFailure(expandPath(text, "/home/me", tokens)))
  })

  it("has no token that the host name could add", () => {
    assert.deepStrictEqual(expandTokens("%h", { h: "%p", p: "22" }), Result.succeed("%p"))
  })
})

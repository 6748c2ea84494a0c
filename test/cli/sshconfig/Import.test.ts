import { assert, describe, it } from "@effect/vitest"
import { importInventory, pathsToLookAt } from "../../../src/cli/sshconfig/Import.ts"
import { type Item, parseFile } from "../../../src/cli/sshconfig/Tree.ts"

const itemsOf = (text: string): ReadonlyArray<Item> =>
  parseFile("config", text).lines.map((line): Item => ({ _tag: "Line", line }))

const HOME = "/home/me"

const carry = (text: string, existing: ReadonlyArray<string> = [`${HOME}/.ssh/id_ed25519`]) =>
  importInventory(itemsOf(text), {
    home: HOME,
    user: "me",
    keysDirectory: "/etc/fleet/keys",
    existing: new Set(existing)
  })

const hostsOf = (text: string) => carry(text).hosts.map(({ alias, host, jump, port }) => ({ alias, host, port, jump }))
const remarksOf = (text: string) => carry(text).remarks.map(({ hosts, message }) => [message, ...hosts])

const host = (alias: string, over: Partial<{ host: string; port: number; jump: ReadonlyArray<string> }> = {}) => ({
  alias,
  host: alias,
  port: 22,
  jump: [],
  ...over
})

describe("hosts carried over from ssh_config", () => {
  it("are the names that Host lines write out, with what the patterns add", () => {
    assert.deepStrictEqual(hostsOf("Host web db\n Port 2222\nHost *.corp\n User x\nHost *\n HostName %h.example.com"), [
      host("web", { host: "web.example.com", port: 2222 }),
      host("db", { host: "db.example.com", port: 2222 })
    ])
  })

  it("go through the hosts that ProxyJump names, which become hosts too", () => {
    assert.deepStrictEqual(
      hostsOf(
        "Host web\n ProxyJump gate\nHost gate\n HostName gate.example.com\nHost db\n ProxyJump ops@gate:2222,inner\nHost *.x\n Port 1"
      ),
      [
        host("web", { jump: ["gate"] }),
        host("gate", { host: "gate.example.com" }),
        host("db", { jump: ["ops-gate-2222", "inner"] }),
        host("ops-gate-2222", { host: "gate.example.com", port: 2222 }),
        host("inner")
      ]
    )
  })

  it("make no second host of a hop that only repeats what is configured", () => {
    assert.deepStrictEqual(hostsOf("Host web\n ProxyJump ops@gate:2222\nHost gate\n User ops\n Port 2222"), [
      host("web", { jump: ["gate"] }),
      host("gate", { port: 2222 })
    ])
  })

  it("keep the own ProxyJump of a hop, of which only the first one's counts on a route, as with ssh -J", () => {
    assert.deepStrictEqual(
      hostsOf("Host web\n ProxyJump one,two\nHost one two\n ProxyJump zero\nHost zero\n User z").map(
        ({ alias, jump }) => [alias, ...jump]
      ),
      [["web", "one", "two"], ["one", "zero"], ["two", "zero"], ["zero"]]
    )
  })

  it("are left out when ssh reaches them by a ProxyCommand, with those behind them", () => {
    const text = "Host a\n ProxyCommand nc %h %p\nHost b\n ProxyJump a\nHost c\n ProxyCommand none"
    assert.deepStrictEqual(hostsOf(text), [host("c")])
    assert.deepStrictEqual(
      remarksOf(text).map(([message = "", ...names]) => [message.slice(0, 22), ...names]),
      [
        ["left out: ProxyCommand", "a"],
        ["left out: a host on th", "b"]
      ]
    )
  })

  it("are left out when their jumps lead back to them", () => {
    assert.deepStrictEqual(hostsOf("Host a\n ProxyJump b\nHost b\n ProxyJump a\nHost c\n ProxyJump c\nHost d"), [
      host("d")
    ])
  })

  it("are left out behind more jump hosts than a route may have", () => {
    const chain = Array.from({ length: 10 }, (_, at) => `Host h${at}\n${at === 0 ? "" : ` ProxyJump h${at - 1}`}`)
    assert.deepStrictEqual(
      hostsOf(chain.join("\n")).map(({ alias }) => alias),
      [0, 1, 2, 3, 4, 5, 6, 7, 8].map((at) => `h${at}`)
    )
  })

  it.each([
    ["Host a/b", "an alias has only"],
    ["Host a\n HostName a..b", "not a host name"],
    ["Host a\n HostName %p.b", "%p is not known"],
    ["Host a\n Port ssh", "Port is not a number"],
    ["Host a\n Port 70000", "Port is not a number"],
    ["Host a\n User \u001b[2J", "User is too long or has control characters"],
    ["Host a\n ProxyJump a:b", "ProxyJump: a:b is not"],
    ["Host a\n ProxyJump %C", "ProxyJump: %C"]
  ])("are left out when they are wrong: %j", (text, message) => {
    assert.deepStrictEqual(hostsOf(text), [])
    assert.isTrue(remarksOf(text).some(([remark = ""]) => remark.startsWith("left out: ") && remark.includes(message)))
  })

  it("come with a remark for each line that means something and is lost, once for all its hosts", () => {
    assert.deepStrictEqual(
      carry(
        "Host a b\n LocalForward 1 a:2\n LocalForward 3 a:4\n ForwardAgent no\nHost *\n ServerAliveInterval 5\nMatch exec x\n User y"
      ).remarks,
      [
        { place: "config:2", message: "LocalForward: forwarding is not supported", hosts: ["a", "b"] },
        { place: "config:7", message: "Match exec x: Match blocks are not evaluated", hosts: [] },
        { place: "", message: "of no use here: ServerAliveInterval", hosts: [] }
      ]
    )
  })
})

describe("logins carried over from ssh_config", () => {
  const key = (name: string) => `${HOME}/.ssh/${name}`
  const logins = (text: string, existing: ReadonlyArray<string>) => {
    const { credentials, files } = carry(text, existing)
    return {
      credentials: credentials.map(({ agent, certificatePath, keyPath, name, username }) =>
        [name, username, keyPath ?? "", certificatePath ?? "", ...(agent ? ["agent"] : [])].join(" ")
      ),
      files: files.map(({ name, secret, source }) => `${source} ${name}${secret ? " secret" : ""}`)
    }
  }

  it("are one for each user and key", () => {
    assert.deepStrictEqual(logins("Host a b\n IdentityFile ~/.ssh/x\nHost b c\n User ops", [key("x"), key("id_rsa")]), {
      credentials: ["me-x me x ", "ops-x ops x ", "ops-id_rsa ops id_rsa "],
      files: [`${key("x")} x secret`, `${key("id_rsa")} id_rsa secret`]
    })
  })

  it("have the first key that exists, and name the others", () => {
    const text = "Host a\n IdentityFile ~/.ssh/x\n IdentityFile ~/.ssh/%n\n IdentityFile /keys/c"
    assert.deepStrictEqual(logins(text, [key("a"), "/keys/c"]).credentials, ["me-a me a "])
    const remarks = carry(text, [key("a"), "/keys/c"]).remarks
    assert.deepStrictEqual(
      remarks.map(({ message }) => message),
      ["an entry has one key; /keys/c is not carried over"]
    )
    assert.deepStrictEqual(logins(text, []).credentials, ["me-x me x "])
  })

  it("use the agent when there is no key, when a public key is named, and when an agent is", () => {
    assert.deepStrictEqual(logins("Host a", []).credentials, ["me-agent me   agent"])
    assert.deepStrictEqual(logins("Host a\n IdentityFile ~/.ssh/hw.pub", [key("hw.pub")]), {
      credentials: ["me-hw me hw  agent"],
      files: [`${key("hw.pub")} hw.pub`]
    })
    assert.deepStrictEqual(logins("Host a\n IdentityAgent SSH_AUTH_SOCK", [key("id_rsa")]).credentials, [
      "me-id_rsa me id_rsa  agent"
    ])
    assert.deepStrictEqual(logins("Host a\n IdentityAgent none", [key("id_rsa")]).credentials, ["me-id_rsa me id_rsa "])
  })

  it("have the certificate that is named, or the one beside the key", () => {
    assert.deepStrictEqual(logins("Host a\n CertificateFile ~/c.pub\n IdentityFile ~/.ssh/x", [key("x")]), {
      credentials: ["me-x me x c.pub"],
      files: [`${key("x")} x secret`, `${HOME}/c.pub c.pub`]
    })
    assert.deepStrictEqual(logins("Host a\n IdentityFile ~/.ssh/x", [key("x"), key("x-cert.pub")]).credentials, [
      "me-x me x x-cert.pub"
    ])
  })

  it("name keys apart that are called alike, and leave those in the keys directory where they are", () => {
    const text = "Host a\n IdentityFile /w/id\nHost b\n IdentityFile /v/id\nHost c\n IdentityFile /etc/fleet/keys/p/id"
    assert.deepStrictEqual(logins(text, ["/w/id", "/v/id", "/etc/fleet/keys/p/id"]), {
      credentials: ["me-id me id ", "me-id-2 me v-id ", "me-id-3 me p/id "],
      files: ["/w/id id secret", "/v/id v-id secret"]
    })
  })

  it("ask for the existence of every file that could count", () => {
    const asked = pathsToLookAt(itemsOf("Host a\n IdentityFile ~/.ssh/%n\nHost b"), HOME, "me")
    for (const path of [key("a"), key("a-cert.pub"), key("id_rsa"), key("id_ed25519")]) assert.include(asked, path)
  })
})

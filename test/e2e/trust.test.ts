import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { type Cause, Effect, Exit, Layer, Queue, Ref, Sink, Stdio, Terminal } from "effect"
import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import { CliFailure } from "../../src/cli/CliFailure.ts"
import { trustHost, type TrustRequest } from "../../src/cli/TrustHost.ts"
import { ConfigDirectory } from "../../src/config/ConfigDirectory.ts"
import { Directories } from "../../src/config/Directories.ts"
import { DnsLookup } from "../../src/ssh/address/DnsLookup.ts"
import { HostResolver } from "../../src/ssh/address/HostResolver.ts"
import { Ssh2HostKeyScan } from "../../src/ssh/ssh2/Ssh2HostKeyScan.ts"
import { Ssh2Transport } from "../../src/ssh/ssh2/Ssh2Transport.ts"
import { binaryPath } from "../support/Binary.ts"
import { runCli } from "../support/CliProcess.ts"
import { type ConfigFixture, makeConfigFixture } from "../support/ConfigFixture.ts"
import { openSilentPort } from "../support/SilentPort.ts"
import * as Sshd from "../support/Sshd.ts"

const makeHost = Effect.fnUntraced(function* (
  options: {
    readonly hostKeys?: ReadonlyArray<Sshd.KeyType>
    readonly knownHosts?: string
    readonly policy?: Record<string, unknown>
    readonly jump?: string
  } = {}
) {
  const sshd = yield* Sshd.start({ hostKeys: options.hostKeys ?? ["ed25519"] })
  const config = yield* makeConfigFixture({
    hosts: [
      { alias: "web1", host: sshd.address, port: sshd.port, credentials: "test" },
      { alias: "inner", host: sshd.address, port: sshd.port, credentials: "test", jump: "web1" }
    ],
    credentials: [{ name: "test", username: sshd.user, key_path: "id_ed25519" }],
    policy: options.policy ?? { rules: [{ id: "t", action: "allow", aliases: ["*"], commands: ["true"] }] },
    keys: { id_ed25519: sshd.key.pem },
    ...(options.knownHosts === undefined ? {} : { knownHosts: options.knownHosts })
  })
  const file = `${config.keysDir}/known_hosts`
  const keyLines = (yield* sshd.knownHosts).split("\n")
  const fingerprintOf = (line: string): string =>
    execFileSync("ssh-keygen", ["-lf", "-"], { input: line.slice(line.indexOf(" ") + 1), encoding: "utf8" }).split(
      " "
    )[1] ?? ""
  return {
    sshd,
    config,
    file,
    keyLines,
    fingerprints: keyLines.map(fingerprintOf),
    knownHosts: () => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined)
  }
})

/** `trust` with a person at the terminal who gives these answers; without any there is no terminal. */
const trust = Effect.fnUntraced(function* (
  config: ConfigFixture,
  request: Partial<TrustRequest> = {},
  answers?: ReadonlyArray<string>
) {
  const printed = yield* Ref.make("")
  const left = [...(answers ?? [])]
  const sink = () =>
    Sink.forEach((chunk: string | Uint8Array) =>
      Ref.update(printed, (text) => text + (typeof chunk === "string" ? chunk : Buffer.from(chunk).toString()))
    )
  const terminal = Terminal.make({
    columns: Effect.succeed(80),
    rows: Effect.succeed(24),
    size: Queue.make<Terminal.Size, Cause.Done>(),
    readInput: Queue.make<Terminal.UserInput, Cause.Done>(),
    readLine: Effect.suspend(() => {
      const answer = left.shift()
      return answer === undefined ? Effect.fail(new Terminal.QuitError({})) : Effect.succeed(answer)
    }),
    display: () => Effect.void
  })
  const exit = yield* Effect.exit(
    trustHost({ alias: "web1", fingerprints: [], ...request }).pipe(
      Effect.provide(
        Layer.mergeAll(
          ConfigDirectory.layer.pipe(
            Layer.provideMerge(Directories.layer({ configDir: config.configDir, keysDir: config.keysDir })),
            Layer.provide(NodeServices.layer)
          ),
          HostResolver.layer.pipe(Layer.provide(DnsLookup.layer)),
          Ssh2HostKeyScan.layer,
          Ssh2Transport.layer.pipe(Layer.provide(NodeServices.layer)),
          Layer.succeed(Terminal.Terminal, terminal),
          Stdio.layerTest({
            stdout: sink,
            stderr: sink,
            stdinIsTerminal: Effect.succeed(answers !== undefined),
            stderrIsTerminal: Effect.succeed(answers !== undefined)
          })
        ).pipe(Layer.provideMerge(NodeServices.layer))
      )
    )
  )
  const failure = Exit.findErrorOption(exit)
  return {
    code: Exit.isSuccess(exit)
      ? 0
      : failure._tag === "Some" && failure.value instanceof CliFailure
        ? failure.value.exitCode
        : -1,
    text: (yield* Ref.get(printed)) + (failure._tag === "Some" ? failure.value.message : ""),
    asked: (answers ?? []).length - left.length
  }
})

/** Runs the binary on a terminal of its own, made by script(1), and types once the question stands there. */
const onTerminal = (
  args: ReadonlyArray<string>,
  environment: Record<string, string>,
  question: string,
  typed: string
): Effect.Effect<{ readonly code: number | null; readonly printed: string }> =>
  Effect.callback((resume) => {
    const command = [process.execPath, binaryPath(), ...args].map((word) => `'${word}'`).join(" ")
    const child = spawn("script", ["-qec", command, "/dev/null"], {
      env: { PATH: process.env["PATH"] ?? "", SHELL: "/bin/sh", TERM: "dumb", ...environment },
      stdio: ["pipe", "pipe", "ignore"]
    })
    let printed = ""
    let asked = false
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text
      if (asked || !printed.includes(question)) return
      asked = true
      child.stdin.write(typed)
    })
    child.on("close", (code) => resume(Effect.succeed({ code, printed })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const connects = (config: ConfigFixture) =>
  Effect.map(runCli(["run", "web1", "true"], config.environment), ({ code, stderr }) => (code === 0 ? "ok" : stderr))

describe("trust", () => {
  it.live("shows every key of the host and adds them when the person says yes", () =>
    Effect.gen(function* () {
      const { config, file, fingerprints, keyLines, knownHosts, sshd } = yield* makeHost({
        hostKeys: ["ed25519", "rsa", "ecdsa"]
      })
      const answer = yield* trust(config, {}, ["YES"])
      assert.strictEqual(answer.code, 0, answer.text)
      for (const each of fingerprints) assert.include(answer.text, each)
      assert.sameMembers((knownHosts() ?? "").trim().split("\n"), keyLines)
      assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
      assert.sameMembers(fs.readdirSync(config.keysDir), ["id_ed25519", "known_hosts"], "nothing else is left there")
      assert.notInclude(yield* sshd.log, "Accepted")
      assert.notInclude(yield* sshd.log, "Invalid user", "no user name was sent")
      const again = yield* trust(config, {}, [])
      assert.deepInclude(again, { code: 0, asked: 0 })
      assert.include(again.text, "Nothing to add")
    })
  )

  it.live("adds nothing when the person says anything else, or nothing", () =>
    Effect.gen(function* () {
      const { config, knownHosts } = yield* makeHost()
      for (const answers of [["no"], ["y"], [""], []]) {
        const answer = yield* trust(config, {}, answers)
        assert.strictEqual(answer.code, 1, answer.text)
        assert.isUndefined(knownHosts())
      }
    })
  )

  it.live("asks nobody without a terminal, and says how to name the key", () =>
    Effect.gen(function* () {
      const { config, knownHosts } = yield* makeHost()
      const answer = yield* trust(config)
      assert.strictEqual(answer.code, 1)
      assert.include(answer.text, "--fingerprint")
      assert.isUndefined(knownHosts())
    })
  )

  it.live("adds exactly the keys whose fingerprint is given, and none for a wrong one", () =>
    Effect.gen(function* () {
      const { config, fingerprints, keyLines, knownHosts } = yield* makeHost({
        hostKeys: ["ed25519", "rsa"],
        knownHosts: ""
      })
      const wrong = `SHA256:${"A".repeat(43)}`
      const none = yield* trust(config, { fingerprints: [wrong] })
      assert.strictEqual(none.code, 1, none.text)
      assert.strictEqual(knownHosts(), "")
      const one = yield* trust(config, { fingerprints: [wrong, fingerprints[1] ?? ""] })
      assert.strictEqual(one.code, 0, one.text)
      assert.include(one.text, wrong, "says that nothing has the other")
      assert.strictEqual(knownHosts(), `${keyLines[1]}\n`)
      assert.strictEqual((yield* trust(config, { fingerprints: [fingerprints[1] ?? ""] })).code, 0)
      assert.strictEqual(knownHosts(), `${keyLines[1]}\n`, "once")
    })
  )

  it.live("never replaces a changed key, and names the line to remove", () =>
    Effect.gen(function* () {
      const { config, knownHosts, sshd } = yield* makeHost({ knownHosts: "# first\n" })
      assert.strictEqual((yield* trust(config, {}, ["yes"])).code, 0)
      const before = knownHosts()
      const old = (yield* sshd.knownHosts).split(" ")[2] ?? ""
      yield* sshd.restart({ newHostKeys: true })
      const current = yield* sshd.knownHosts
      const fingerprint =
        execFileSync("ssh-keygen", ["-lf", "-"], {
          input: current.slice(current.indexOf(" ") + 1),
          encoding: "utf8"
        }).split(" ")[1] ?? ""
      for (const fingerprints of [[], [fingerprint]]) {
        const answer = yield* trust(config, { fingerprints }, ["yes"])
        assert.deepInclude(answer, { code: 1, asked: 0 }, answer.text)
        assert.include(answer.text, "CHANGED")
        assert.match(answer.text, /remove line 2 of .*known_hosts/)
        assert.strictEqual(knownHosts(), before)
      }
      assert.include(before, old)
      yield* config.writeKnownHosts("# first\n")
      assert.strictEqual((yield* trust(config, { fingerprints: [fingerprint] })).code, 0)
      assert.strictEqual(knownHosts(), `# first\n${current}\n`)
    })
  )

  it.live("adds no revoked key", () =>
    Effect.gen(function* () {
      const { config, fingerprints, keyLines, knownHosts } = yield* makeHost()
      const revoked = `@revoked * ${keyLines[0]?.split(" ").slice(1).join(" ")}\n`
      yield* config.writeKnownHosts(revoked)
      const answer = yield* trust(config, { fingerprints }, ["yes"])
      assert.strictEqual(answer.code, 1)
      assert.include(answer.text, "REVOKED")
      assert.strictEqual(knownHosts(), revoked)
    })
  )

  it.live("keeps every other byte, the mode and a symbolic link, and hashes the name where names are hashed", () =>
    Effect.gen(function* () {
      const { config, file, sshd } = yield* makeHost()
      const other = (yield* sshd.makeKey("other")).publicKey.split(" ").slice(0, 2).join(" ")
      const real = `${config.root}/real_known_hosts`
      fs.writeFileSync(real, `elsewhere ${other}\n`)
      execFileSync("ssh-keygen", ["-q", "-H", "-f", real], { stdio: "ignore" })
      const before = Buffer.concat([fs.readFileSync(real), Buffer.from([0x23, 0x20, 0xff, 0xfe, 0x0d, 0x0a, 0x78])])
      fs.writeFileSync(real, before)
      fs.chmodSync(real, 0o644)
      fs.symlinkSync(real, file)
      assert.strictEqual((yield* trust(config, {}, ["yes"])).code, 0)
      const after = fs.readFileSync(real)
      assert.isTrue(after.subarray(0, before.length + 1).equals(Buffer.concat([before, Buffer.from("\n")])))
      assert.match(after.subarray(before.length + 1).toString(), /^\|1\|\S+\|\S+ ssh-ed25519 \S+\n$/)
      assert.strictEqual(fs.statSync(real).mode & 0o777, 0o644)
      assert.isTrue(fs.lstatSync(file).isSymbolicLink())
      const found = execFileSync("ssh-keygen", ["-F", `[${sshd.address}]:${sshd.port}`, "-f", file], {
        encoding: "utf8"
      })
      assert.include(found, "found: line 4")
      assert.include((yield* trust(config, {}, [])).text, "Nothing to add")
    })
  )

  it.live("two at once both add their keys", () =>
    Effect.gen(function* () {
      const { config, fingerprints, keyLines, knownHosts } = yield* makeHost({
        hostKeys: ["ed25519", "rsa", "ecdsa"],
        knownHosts: ""
      })
      const answers = yield* Effect.forEach(fingerprints, (each) => trust(config, { fingerprints: [each] }), {
        concurrency: 3
      })
      for (const { code, text } of answers) assert.strictEqual(code, 0, text)
      assert.sameMembers((knownHosts() ?? "").trim().split("\n"), keyLines)
    })
  )

  it.live("asks the network policy, for jump hosts as well", () =>
    Effect.gen(function* () {
      const { config, sshd } = yield* makeHost({ policy: { network: { block_cidrs: ["127.0.0.0/8"] } } })
      for (const alias of ["web1", "inner"]) {
        const blocked = yield* trust(config, { alias }, ["yes"])
        assert.strictEqual(blocked.code, 1)
        assert.include(blocked.text, "Denied (network): web1")
      }
      assert.include((yield* trust(config, { alias: "nosuch" })).text, "Host alias not found: nosuch")
      assert.notInclude(yield* sshd.log, "Connection from")
    })
  )

  it.live("goes through the jump host, which has to be trusted before", () =>
    Effect.gen(function* () {
      const { config, keyLines, knownHosts, sshd } = yield* makeHost()
      const inner = yield* Sshd.start({ address: "127.0.0.7" })
      yield* config.writeHosts([
        { alias: "web1", host: sshd.address, port: sshd.port, credentials: "test" },
        { alias: "inner", host: inner.address, port: inner.port, credentials: "test", jump: "web1" }
      ])
      const early = yield* trust(config, { alias: "inner" }, ["yes"])
      assert.strictEqual(early.code, 1)
      assert.match(early.text, /jump host web1 cannot be used[^]*HostKeyUnknown/)
      assert.notInclude(yield* inner.log, "Connection from")
      yield* config.writeKnownHosts(`${keyLines[0]}\n`)
      const answer = yield* trust(config, { alias: "inner" }, ["yes"])
      assert.strictEqual(answer.code, 0, answer.text)
      assert.include(answer.text, "through web1")
      assert.strictEqual(knownHosts(), `${keyLines[0]}\n${yield* inner.knownHosts}\n`)
      assert.include(yield* inner.log, "Connection from")
      assert.notInclude(yield* inner.log, "Accepted")
    })
  )

  it.live("says what went wrong when the host does not answer", () =>
    Effect.gen(function* () {
      const { config, knownHosts, sshd } = yield* makeHost({ policy: { limits: { connect_timeout_seconds: 1 } } })
      yield* sshd.kill
      assert.include((yield* trust(config, {}, ["yes"])).text, "ConnectionRefused")
      const silent = yield* openSilentPort
      yield* config.writeHosts([{ alias: "web1", host: "127.0.0.1", port: silent.port }])
      assert.include((yield* trust(config, {}, ["yes"])).text, "ConnectTimeout")
      assert.isUndefined(knownHosts())
    })
  )
})

describe("the binary", () => {
  it.live("trusts a key by its fingerprint, and only then a command runs; usage and help as for every command", () =>
    Effect.gen(function* () {
      const { config, fingerprints } = yield* makeHost()
      assert.include(yield* connects(config), "SSH host key not found")
      const trusted = yield* runCli(["trust", "web1", "--fingerprint", fingerprints[0] ?? ""], config.environment)
      assert.strictEqual(trusted.code, 0, trusted.stderr)
      assert.strictEqual(yield* connects(config), "ok")
      assert.strictEqual((yield* runCli(["trust", "web1", "--fingerprint", "MD5:00"], config.environment)).code, 2)
      assert.strictEqual((yield* runCli(["trust"], config.environment)).code, 2)
      const help = yield* runCli(["trust", "--help"], config.environment)
      assert.strictEqual(help.code, 0)
      assert.include(help.stdout, "trust web-1 --fingerprint")
    })
  )

  it.live("asks on a real terminal, where Ctrl-C and Ctrl-D are no", () =>
    Effect.gen(function* () {
      const { config, knownHosts } = yield* makeHost()
      for (const [typed, code] of [
        ["\u0004", 1],
        // 130 when it comes as a signal, before the terminal is read key by key.
        ["\u0003", undefined],
        ["no\r", 1],
        ["yes\r", 0]
      ] as const) {
        const ended = yield* onTerminal(["trust", "web1"], config.environment, "Type yes to add", typed)
        if (code === undefined) assert.include([1, 130], ended.code)
        else assert.strictEqual(ended.code, code, JSON.stringify([typed, ended.printed]))
        assert.strictEqual(knownHosts() !== undefined, code === 0, ended.printed)
      }
    })
  )

  it.live("writes known_hosts in no other way, whatever the host presents and the policy asks for", () =>
    Effect.gen(function* () {
      const { config, file, keyLines, sshd } = yield* makeHost({
        policy: {
          limits: { host_key_auto_add: true, require_known_host: false },
          rules: [{ id: "t", action: "allow", aliases: ["*"], commands: ["true"] }]
        }
      })
      assert.include(yield* connects(config), "SSH host key not found")
      assert.isFalse(fs.existsSync(file))
      yield* config.writeKnownHosts(`${keyLines[0]}\n`)
      const stamp = () =>
        JSON.stringify([fs.readFileSync(file, "latin1"), fs.statSync(file).mtimeMs, fs.statSync(file).ino])
      const before = stamp()
      assert.strictEqual(yield* connects(config), "ok")
      yield* sshd.restart({ newHostKeys: true })
      assert.include(yield* connects(config), "Host key mismatch")
      assert.strictEqual((yield* runCli(["check"], config.environment)).code, 0)
      assert.strictEqual(stamp(), before)
      assert.deepStrictEqual(fs.readdirSync(config.keysDir).toSorted(), ["id_ed25519", "known_hosts"])
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { copyFileSync, writeFileSync } from "node:fs"
import { runCli } from "../support/CliProcess.ts"
import type { ConfigFixture } from "../support/ConfigFixture.ts"
import { openSilentPort } from "../support/SilentPort.ts"
import { certify, startAgent } from "../support/SshAgent.ts"
import * as Sshd from "../support/Sshd.ts"
import { makeHost } from "./Scenario.ts"

interface Step {
  readonly step: string
  readonly hop?: string
  readonly status: string
  readonly ms?: number
  readonly detail: string
  readonly fix?: string
}

/** What `doctor --json` says. */
interface Report {
  readonly problems: ReadonlyArray<string>
  readonly hosts: ReadonlyArray<{ readonly alias: string; readonly ok: boolean; readonly steps: ReadonlyArray<Step> }>
  readonly not_examined: number
}

const examine = Effect.fnUntraced(function* (
  config: Pick<ConfigFixture, "environment">,
  ...args: ReadonlyArray<string>
) {
  const { code, stderr, stdout } = yield* runCli(["doctor", "--json", ...args], config.environment)
  assert.notStrictEqual(stdout, "", stderr)
  return { code, report: JSON.parse(stdout) as Report }
})

/** The step that failed, of the only host. */
const failure = ({ hosts }: Report): Step | undefined => hosts[0]?.steps.find(({ status }) => status === "failed")

const stepsOf = ({ hosts }: Report): ReadonlyArray<Step> => hosts[0]?.steps ?? []

/** The names of the steps of the only host, in order, after that of the jump host that they are about. */
const names = (report: Report): ReadonlyArray<string> =>
  stepsOf(report).map(({ hop = "", step }) => `${hop} ${step}`.trim())

/** What is waited for, up to a command; each has a time of its own. */
const CONNECT = ["resolve", "connect", "key exchange", "host key", "log in"]
const PROBE = ["channel", "login shell", "stop", "clock"]

/** Every step up to the one that failed was waited for, and says how long. */
const assertTimes = (report: Report) => {
  for (const { ms, step } of stepsOf(report)) {
    if (["login shell", "stop", "clock"].includes(step)) continue
    assert.isNumber(ms, step)
    assert.isAtLeast(ms ?? -1, 0, step)
  }
}

/** The fingerprint of a host key as ssh-keygen prints it. */
const fingerprintOf = (sshd: Sshd.Sshd): string =>
  execFileSync("ssh-keygen", ["-l", "-f", `${sshd.directory}/host_ed25519.pub`], { encoding: "utf8" }).split(" ")[1] ??
  ""

describe("doctor", () => {
  it.live("goes through every step of a host that is well, and exits with 0", () =>
    Effect.gen(function* () {
      const { config, sshd } = yield* makeHost()
      const { code, report } = yield* examine(config, "web1")
      assert.strictEqual(code, 0, JSON.stringify(report))
      assert.deepStrictEqual(names(report), [...CONNECT, ...PROBE])
      const detail = (name: string) => stepsOf(report).find(({ step }) => step === name)?.detail ?? ""
      assert.strictEqual(detail("connect"), `127.0.0.1:${sshd.port}`)
      assert.match(detail("key exchange"), /^with OpenSSH_\d/)
      assert.strictEqual(
        detail("host key"),
        `ssh-ed25519 ${fingerprintOf(sshd)}, as in ${config.keysDir}/known_hosts:1`
      )
      assert.strictEqual(detail("log in"), `as ${sshd.user} by key`)
      assert.match(detail("login shell"), /^[a-z0-9]+ \(commands run in/)
      assert.match(detail("stop"), /\/proc, kill/)
      assert.strictEqual(detail("clock"), "as here")
      assertTimes(report)
      const text = yield* runCli(["doctor"], config.environment)
      assert.strictEqual(text.code, 0, text.stderr)
      assert.match(text.stdout, /^web1\n {2}ok {4}resolve +\d+\.\d ms {2}127\.0\.0\.1, allowed/m)
      assert.include(text.stderr, "1 of 1 hosts are fine")
    })
  )

  it.live("names the method that let it in", () =>
    Effect.gen(function* () {
      const other = yield* Sshd.start()
      const authority = yield* other.makeKey("authority")
      const { config, sshd } = yield* makeHost({ sshd: { config: [`TrustedUserCAKeys ${authority.path}.pub`] } })
      const certified = yield* sshd.makeKey("certified")
      certify(authority.path, certified.path, { principals: sshd.user })
      const agent = yield* startAgent(sshd.directory)
      const environment = { ...config.environment, SSH_AUTH_SOCK: agent.socket }
      const login = (entry: Record<string, unknown>) =>
        Effect.gen(function* () {
          yield* config.writeCredentials([{ name: "key", username: sshd.user, ...entry }])
          const { report } = yield* examine({ environment })
          return stepsOf(report).find(({ step }) => step === "log in")?.detail
        })
      writeFileSync(`${config.keysDir}/certified`, certified.pem, { mode: 0o600 })
      copyFileSync(`${certified.path}-cert.pub`, `${config.keysDir}/certified-cert.pub`)
      assert.strictEqual(
        yield* login({ key_path: "certified", certificate_path: "certified-cert.pub" }),
        `as ${sshd.user} by certificate`
      )
      yield* agent.add(certified.path)
      assert.strictEqual(yield* login({ agent: true }), `as ${sshd.user} by agent's certificate`)
      yield* agent.clear
      yield* agent.add(sshd.privateKeyPath)
      assert.strictEqual(yield* login({ agent: true }), `as ${sshd.user} by agent's key`)
      assert.strictEqual(
        yield* login({ agent: true, key_path: "certified", password: "wrong" }),
        `as ${sshd.user} by agent's key`,
        "not the one that was refused before it"
      )
    })
  )

  it.live("says how far it came, the cause and the fix, with the time of each step, and looks no further", () =>
    Effect.gen(function* () {
      const { config, sshd } = yield* makeHost()
      const trusted = yield* sshd.knownHosts
      const failsAt = Effect.fnUntraced(function* (steps: ReadonlyArray<string>, cause: string, fix: string) {
        const { code, report } = yield* examine(config, "web1")
        assert.strictEqual(code, 1)
        assert.deepStrictEqual(names(report), steps, JSON.stringify(report))
        assert.strictEqual(failure(report)?.step, steps.at(-1))
        assert.include(failure(report)?.detail, cause)
        assert.include(failure(report)?.fix, fix)
        assertTimes(report)
      })

      yield* config.writeKnownHosts("")
      yield* failsAt(CONNECT.slice(0, 4), "HostKeyUnknown", "trust web1")
      const [, type = "", key = ""] = (yield* (yield* Sshd.start()).knownHosts).split(" ")
      yield* config.writeKnownHosts(`[127.0.0.1]:${sshd.port} ${type} ${key}\n`)
      yield* failsAt(CONNECT.slice(0, 4), `but ${config.keysDir}/known_hosts:1 has ${type} SHA256:`, "trust web1")

      yield* config.writeKnownHosts(`${trusted}\n`)
      const stranger = yield* sshd.makeKey("stranger")
      writeFileSync(`${config.keysDir}/stranger`, stranger.pem, { mode: 0o600 })
      yield* config.writeCredentials([{ name: "key", username: sshd.user, key_path: "stranger" }])
      yield* failsAt(CONNECT, "AuthenticationFailed", "credentials.yml")
      const locked = yield* sshd.makeKey("locked", { passphrase: "open sesame" })
      writeFileSync(`${config.keysDir}/locked`, locked.pem, { mode: 0o600 })
      yield* config.writeCredentials([{ name: "key", username: sshd.user, key_path: "locked" }])
      yield* failsAt(["resolve", "log in"], "KeyPassphraseRequired", "key_passphrase_secret")

      yield* config.writePolicy({ network: { block_cidrs: ["127.0.0.0/8"] }, rules: [] })
      yield* failsAt(["resolve"], "127.0.0.1", "network in policy.yml")

      const silent = yield* openSilentPort
      yield* config.writeCredentials([{ name: "key", username: sshd.user, key_path: "id_ed25519" }])
      yield* config.writePolicy({ limits: { connect_timeout_seconds: 1 }, rules: [] })
      yield* config.writeHosts([{ alias: "web1", host: "127.0.0.1", port: silent.port, credentials: "key" }])
      yield* failsAt(CONNECT.slice(0, 3), "ConnectTimeout", "does not speak SSH")

      yield* config.writeHosts([{ alias: "web1", host: "127.0.0.1", port: sshd.port, credentials: "key" }])
      yield* sshd.kill
      yield* failsAt(CONNECT.slice(0, 2), "ConnectionRefused", "check that sshd runs")
      const text = yield* runCli(["doctor", "web1"], config.environment)
      assert.strictEqual(text.code, 1)
      assert.match(text.stdout, /FAIL {2}connect .*ConnectionRefused.*\n +fix: check that sshd runs/)
    })
  )

  it.live("connects to nothing with a key file that is not there", () =>
    Effect.gen(function* () {
      const { config, sshd } = yield* makeHost()
      yield* config.writeCredentials([{ name: "key", username: sshd.user, key_path: "nosuch" }])
      const { code, report } = yield* examine(config)
      assert.strictEqual(code, 1)
      assert.deepStrictEqual(names(report), ["configuration"])
      assert.isAtLeast(report.problems.length, 1)
    })
  )

  it.live("tells an account that does not run what it is sent", () =>
    Effect.gen(function* () {
      const { config } = yield* makeHost({ sshd: { config: ["ForceCommand echo welcome"] } })
      const { code, report } = yield* examine(config, "web1")
      assert.strictEqual(code, 1)
      assert.deepInclude(failure(report), { step: "login shell" })
      assert.include(failure(report)?.fix, "forced command")
    })
  )

  it.live("examines the jump host first, and says that it is the one that fails", () =>
    Effect.gen(function* () {
      const inner = yield* Sshd.start()
      const { config, sshd } = yield* makeHost({
        hosts: [{ alias: "behind", host: inner.address, port: inner.port, credentials: "inner", jump: "web1" }],
        config: {
          keys: { inner: inner.key.pem },
          credentials: [
            { name: "key", username: inner.user, key_path: "id_ed25519" },
            { name: "inner", username: inner.user, key_path: "inner" }
          ]
        }
      })
      yield* config.writeKnownHosts(`${yield* sshd.knownHosts}\n${yield* inner.knownHosts}\n`)
      const { code, report } = yield* examine(config, "behind")
      assert.strictEqual(code, 0, JSON.stringify(report))
      const hop = CONNECT.map((step) => `web1 ${step}`)
      assert.deepStrictEqual(names(report), [...hop, ...CONNECT, ...PROBE])
      assertTimes(report)

      yield* inner.kill
      const dead = yield* examine(config, "behind")
      assert.deepStrictEqual(names(dead.report), [...hop, "resolve", "connect"])
      assert.include(failure(dead.report)?.detail, "ConnectionRefused: web1: ")

      yield* config.writeKnownHosts(`${yield* inner.knownHosts}\n`)
      const wrong = yield* examine(config, "behind")
      assert.deepInclude(failure(wrong.report), { step: "host key", hop: "web1" })
      assert.include(failure(wrong.report)?.fix, "trust web1")

      yield* sshd.kill
      const deadHop = yield* examine(config, "behind")
      assert.deepStrictEqual(names(deadHop.report), ["web1 resolve", "web1 connect"])
      assert.include(failure(deadHop.report)?.detail, "ConnectionRefused")
      assertTimes(deadHop.report)
    })
  )

  it.live("prints the problems of a configuration that cannot be used, and is wrong usage with --all and a host", () =>
    Effect.gen(function* () {
      const { config } = yield* makeHost()
      assert.strictEqual((yield* runCli(["doctor", "web1", "--all"], config.environment)).code, 2)
      assert.strictEqual((yield* runCli(["doctor", "nosuch"], config.environment)).code, 1)
      yield* config.writeHosts("hosts:\n  - alias: web1\n    hots: 10.0.0.1\n")
      const broken = yield* runCli(["doctor"], config.environment)
      assert.strictEqual(broken.code, 1)
      assert.match(broken.stdout, /servers\.yml:3:5: .*did you mean host\b/)
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { runCli } from "../support/CliProcess.ts"
import type { ConfigFixture } from "../support/ConfigFixture.ts"
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

const examine = Effect.fnUntraced(function* (config: ConfigFixture, ...args: ReadonlyArray<string>) {
  const { code, stderr, stdout } = yield* runCli(["doctor", "--json", ...args], config.environment)
  assert.notStrictEqual(stdout, "", stderr)
  return { code, report: JSON.parse(stdout) as Report }
})

/** The step that failed, of the only host. */
const failure = ({ hosts }: Report): Step | undefined => hosts[0]?.steps.find(({ status }) => status === "failed")

describe("doctor", () => {
  it.live("goes through every step of a host that is well, and exits with 0", () =>
    Effect.gen(function* () {
      const { config, sshd } = yield* makeHost()
      const { code, report } = yield* examine(config, "web1")
      const steps = report.hosts[0]?.steps ?? []
      assert.strictEqual(code, 0, JSON.stringify(steps))
      assert.deepStrictEqual(
        steps.map(({ step }) => step),
        ["resolve", "connect", "host key", "log in", "channel", "login shell", "stop", "clock"]
      )
      const detail = (name: string) => steps.find(({ step }) => step === name)?.detail ?? ""
      assert.strictEqual(detail("log in"), `127.0.0.1:${sshd.port} as ${sshd.user} by key`)
      assert.match(detail("login shell"), /^[a-z0-9]+ \(commands run in/)
      assert.match(detail("stop"), /\/proc, kill/)
      assert.strictEqual(detail("clock"), "as here")
      for (const name of ["resolve", "log in", "channel"]) {
        assert.isNumber(steps.find(({ step }) => step === name)?.ms, name)
      }
      const text = yield* runCli(["doctor"], config.environment)
      assert.strictEqual(text.code, 0, text.stderr)
      assert.match(text.stdout, /^web1\n {2}ok {4}resolve +\d+ ms {2}127\.0\.0\.1, allowed/m)
      assert.include(text.stderr, "1 of 1 hosts are fine")
    })
  )

  it.live("names the step that fails, the cause and the fix, and looks no further", () =>
    Effect.gen(function* () {
      const { config, sshd } = yield* makeHost()
      const trusted = yield* sshd.knownHosts

      yield* config.writeKnownHosts("")
      const unknown = yield* examine(config)
      assert.strictEqual(unknown.code, 1)
      assert.deepInclude(failure(unknown.report), { step: "host key" })
      assert.include(failure(unknown.report)?.detail, "HostKeyUnknown")
      assert.include(failure(unknown.report)?.fix, "trust web1")
      assert.strictEqual(unknown.report.hosts[0]?.steps.at(-1)?.step, "host key")

      yield* config.writeKnownHosts(`${trusted}\n`)
      yield* config.writeCredentials([{ name: "key", username: sshd.user, key_path: "nosuch" }])
      const noKey = yield* examine(config)
      assert.strictEqual(noKey.code, 1)
      assert.deepInclude(failure(noKey.report), { step: "configuration" })
      assert.isAtLeast(noKey.report.problems.length, 1)

      yield* config.writeCredentials([{ name: "key", username: sshd.user, password: "wrong" }])
      const refused = yield* examine(config)
      assert.deepInclude(failure(refused.report), { step: "log in" })
      assert.include(failure(refused.report)?.detail, "AuthenticationFailed")
      assert.include(failure(refused.report)?.fix, "credentials.yml")

      yield* config.writePolicy({ network: { block_cidrs: ["127.0.0.0/8"] }, rules: [] })
      const blocked = yield* examine(config)
      assert.deepInclude(failure(blocked.report), { step: "resolve" })
      assert.include(failure(blocked.report)?.detail, "127.0.0.1")

      yield* config.writePolicy({ rules: [] })
      yield* sshd.kill
      const down = yield* examine(config)
      assert.deepInclude(failure(down.report), { step: "connect" })
      assert.include(failure(down.report)?.detail, "ConnectionRefused")
      const text = yield* runCli(["doctor", "web1"], config.environment)
      assert.strictEqual(text.code, 1)
      assert.match(text.stdout, /FAIL {2}connect .*ConnectionRefused.*\n +fix: check that sshd runs/)
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
      assert.deepStrictEqual(
        report.hosts[0]?.steps.map(({ hop = "", step }) => `${hop} ${step}`.trim()),
        [
          "web1 resolve",
          "web1 connect",
          "web1 host key",
          "web1 log in",
          "resolve",
          "connect",
          "host key",
          "log in",
          "channel",
          "login shell",
          "stop",
          "clock"
        ]
      )
      yield* config.writeKnownHosts(`${yield* inner.knownHosts}\n`)
      const wrong = yield* examine(config, "behind")
      assert.deepInclude(failure(wrong.report), { step: "host key", hop: "web1" })
      assert.include(failure(wrong.report)?.fix, "trust web1")
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

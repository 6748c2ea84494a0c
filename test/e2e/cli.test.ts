import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { runCli } from "../support/CliProcess.ts"
import { eventually, makeHost } from "./Scenario.ts"

describe("the command line of the binary", () => {
  it.live("check is content with a good directory and names each problem of a bad one", () =>
    Effect.gen(function* () {
      const { config } = yield* makeHost()
      const good = yield* runCli(["check"], config.environment)
      assert.strictEqual(good.code, 0, good.stderr)
      yield* config.writeHosts("hosts:\n  - alias: web1\n    hots: 10.0.0.1\n")
      const bad = yield* runCli(["check"], config.environment)
      assert.strictEqual(bad.code, 1)
      assert.match(`${bad.stdout}${bad.stderr}`, /servers\.yml:3:5: .*did you mean host\b/)
      const flags = yield* runCli(["check", "--config-dir", `${config.root}/nowhere`], config.environment)
      assert.strictEqual(flags.code, 1, "flags beat the environment")
    })
  )

  it.live("hosts prints the inventory on stdout", () =>
    Effect.gen(function* () {
      const { config } = yield* makeHost({ hosts: [{ alias: "db1", tags: ["db"] }] })
      const all = yield* runCli(["hosts"], config.environment)
      assert.strictEqual(all.code, 0)
      assert.match(all.stdout, /web1[\s\S]*db1/)
      const tagged = yield* runCli(["hosts", "--tag", "db"], config.environment)
      assert.include(tagged.stdout, "db1")
      assert.notInclude(tagged.stdout, "web1")
    })
  )

  it.live("plan exits 0 for an allowed command and 1 for a denied one", () =>
    Effect.gen(function* () {
      const { config, command, sshd } = yield* makeHost()
      assert.strictEqual((yield* runCli(["plan", "web1", "true"], config.environment)).code, 0)
      const denied = yield* runCli(["plan", "web1", command("forbidden")], config.environment)
      assert.strictEqual(denied.code, 1)
      assert.include(denied.stdout, "Hint: Use ssh_plan")
      assert.notInclude(yield* sshd.log, "Connection from")
    })
  )

  it.live("run passes output and exit code on, 126 for a denial, 255 for its own failure, 2 for wrong usage", () =>
    Effect.gen(function* () {
      const { config, command, sshd } = yield* makeHost()
      const ok = yield* runCli(["run", "web1", "echo hello"], config.environment)
      assert.deepInclude(ok, { code: 0, stdout: "hello\n" })
      const exit3 = yield* runCli(["run", "web1", command("exit3")], config.environment)
      assert.strictEqual(exit3.code, 3)
      assert.strictEqual(exit3.stdout, "out\n")
      assert.include(exit3.stderr, "err\n")
      const denied = yield* runCli(["run", "web1", command("forbidden")], config.environment)
      assert.strictEqual(denied.code, 126)
      assert.strictEqual(denied.stdout, "")
      assert.strictEqual(config.left("reached"), "")
      assert.strictEqual((yield* runCli(["run", "nosuch", "true"], config.environment)).code, 255)
      assert.strictEqual((yield* runCli(["run"], config.environment)).code, 2)
      assert.strictEqual((yield* runCli(["nosuch"], config.environment)).code, 2)
      assert.strictEqual((yield* runCli(["check", "--nosuch"], config.environment)).code, 2)
      yield* sshd.kill
      const refused = yield* runCli(["run", "web1", "true"], config.environment)
      assert.strictEqual(refused.code, 255)
      assert.include(refused.stderr, "SSH connection refused")
    })
  )

  it.live("run --tag prefixes lines with the host and fails when a host does", () =>
    Effect.gen(function* () {
      const { config, command } = yield* makeHost({ hosts: [{ alias: "web2" }] })
      const ok = yield* runCli(["run", "--tag", "web", "echo hi"], config.environment)
      assert.strictEqual(ok.code, 0, ok.stderr)
      assert.deepStrictEqual(
        ok.stdout
          .split("\n")
          .filter((line) => line.includes(": "))
          .toSorted(),
        ["web1: hi", "web2: hi"]
      )
      const bad = yield* runCli(["run", "--tag", "web", command("exit3")], config.environment)
      assert.strictEqual(bad.code, 1)
    })
  )

  it.live("output streams while the command runs, and Ctrl-C stops it on the host", () =>
    Effect.gen(function* () {
      const { config, command, started } = yield* makeHost()
      const seen: Array<string> = []
      const run = yield* Effect.forkChild(
        runCli(["run", "web1", command("ticker", "1000")], config.environment, (text) => seen.push(text))
      )
      yield* started
      yield* eventually("the third line", () => seen.join("").includes("tick 3"))
      yield* Fiber.interrupt(run)
      assert.deepStrictEqual(config.remoteProcesses(), [])
    })
  )

  it.live("help and version go to a person without a configuration", () =>
    Effect.gen(function* () {
      const version = yield* runCli(["--version"], {})
      assert.strictEqual(version.code, 0)
      assert.include(version.stdout, "2.0.0")
      const help = yield* runCli(["--help"], {})
      assert.strictEqual(help.code, 0)
      for (const command of ["serve", "check", "hosts", "plan", "run", "policy", "demo"])
        assert.include(help.stdout, command)
    })
  )

  it.live("demo walks through the main job, exits 0 and leaves nothing running", () =>
    Effect.gen(function* () {
      const { config } = yield* makeHost()
      const demo = yield* runCli(["demo"], { HOME: config.environment["HOME"] ?? "" })
      const text = `${demo.stdout}${demo.stderr}`
      assert.strictEqual(demo.code, 0, text)
      for (const word of ["ssh_plan", "ssh_run", "ssh_run_on_tag", "confirmed", "audit"]) assert.include(text, word)
    })
  )
})

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as re2js from "re2js"
import { Effect, type Scope } from "effect"
import { parse } from "yaml"
import { starterFiles } from "../../src/cli/InitFiles.ts"
import { checkPolicyDocument } from "../../src/policy/PolicyDocument.ts"
import { makeRegexEngine } from "../../src/policy/rules/Re2.ts"
import { decodeDocument } from "../policy/corpus.ts"
import { invoke } from "./CliHarness.ts"

const SSH_CONFIG = `
Host web-1
  HostName 10.0.0.11
  ProxyJump ops@gate
Host gate
  Port 2222
Host yes
  User "a: b"
  IdentityFile /nowhere/key
Host *
  User ubuntu
  ForwardAgent yes
`

const scratch: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "init-test-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

const read = (directory: string, name: string): unknown => parse(readFileSync(join(directory, name), "utf8"))

/** A file with the examples in its comments in force: what stands above them is the head. */
const withExamples = (text: string): string => {
  const lines = text.split("\n")
  const start = lines.findIndex((line) => /^# (?:hosts|entries|rules):$/.test(line))
  return lines
    .slice(start)
    .map((line) => line.replace(/^# ?/, ""))
    .join("\n")
}

describe("init", () => {
  it.effect("writes three files that check has nothing against, readable by their owner only", () =>
    Effect.gen(function* () {
      const config = join(yield* scratch, "new")
      const outcome = yield* invoke(["init", "--config-dir", config])
      assert.strictEqual(outcome.exitCode, 0, outcome.stderr)
      assert.deepStrictEqual(readdirSync(config).sort(), ["credentials.yml", "keys", "policy.yml", "servers.yml"])
      for (const name of readdirSync(config)) assert.strictEqual(statSync(join(config, name)).mode & 0o077, 0, name)
      const checked = yield* invoke(["check", "--config-dir", config])
      assert.include(checked.stdout, "0 errors")
      assert.include(checked.stdout, "0 hosts, 0 rules")
    })
  )

  it.effect("shows examples in comments that load", () =>
    Effect.gen(function* () {
      const config = yield* scratch
      for (const { name, text } of starterFiles) writeFileSync(join(config, name), withExamples(text))
      const { stdout } = yield* invoke(["check", "--config-dir", config])
      assert.include(stdout, "2 hosts, 3 rules")
      // The keys and secrets of the examples are nobody's.
      const errors = stdout.split("\n").filter((line) => /^[a-z]+\.yml:/.test(line) && !line.includes("warning:"))
      for (const line of errors) assert.match(line, /SSH key file not found|secret|is disabled/)
    })
  )

  it("has rules in its examples that do as their own examples say", () => {
    const text = withExamples(starterFiles.find(({ name }) => name === "policy.yml")?.text ?? "")
    const document = decodeDocument({ version: 3, ...parse(text) })
    assert.strictEqual(document.rules?.length, 3)
    assert.deepStrictEqual(checkPolicyDocument(document, makeRegexEngine(re2js)), [])
  })

  it.effect("overwrites nothing without --force, and then keeps what was there", () =>
    Effect.gen(function* () {
      const config = yield* scratch
      writeFileSync(join(config, "policy.yml"), "rules: [] # mine\n")
      const refused = yield* invoke(["init", "--config-dir", config])
      assert.strictEqual(refused.exitCode, 1)
      assert.include(refused.stderr, "policy.yml exists in")
      assert.deepStrictEqual(readdirSync(config), ["policy.yml"])
      for (const copy of ["policy.yml.bak", "policy.yml.bak.1"]) {
        const before = readFileSync(join(config, "policy.yml"), "utf8")
        const forced = yield* invoke(["init", "--force", "--config-dir", config])
        assert.strictEqual(forced.exitCode, 0, forced.stderr)
        assert.strictEqual(readFileSync(join(config, copy), "utf8"), before)
      }
      assert.include(readFileSync(join(config, "policy.yml.bak"), "utf8"), "mine")
    })
  )

  it.effect(
    "carries the hosts of ssh_config over into files that check finds nothing wrong with but missing keys",
    () =>
      Effect.gen(function* () {
        const directory = yield* scratch
        const [config, source] = [join(directory, "config"), join(directory, "ssh_config")]
        writeFileSync(source, SSH_CONFIG)
        const outcome = yield* invoke(["init", "--from-ssh-config", source, "--config-dir", config])
        assert.strictEqual(outcome.exitCode, 0, outcome.stderr)
        const { hosts } = read(config, "servers.yml") as { readonly hosts: ReadonlyArray<Record<string, unknown>> }
        assert.deepStrictEqual(
          hosts.map(({ alias, host, jump, port }) => [alias, host, port, jump]),
          [
            ["web-1", "10.0.0.11", undefined, ["ops-gate"]],
            ["gate", "gate", 2222, undefined],
            ["yes", "yes", undefined, undefined],
            ["ops-gate", "gate", 2222, undefined]
          ]
        )
        assert.include(outcome.stdout, "ForwardAgent: agent forwarding is not supported (web-1, gate, yes, ops-gate)")
        assert.include(outcome.stdout, `install -m 600 /nowhere/key ${config}/keys/key`)
        const { stdout } = yield* invoke(["check", "--config-dir", config])
        assert.include(stdout, "4 hosts, 0 rules")
        const errors = stdout.split("\n").filter((line) => /^[a-z]+\.yml:/.test(line) && !line.includes("warning:"))
        assert.isAtLeast(errors.length, 1)
        for (const line of errors) assert.include(line, "SSH key file not found")
      })
  )

  it.effect("writes nothing with --dry-run: the files on stdout, the review on stderr", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const [config, source] = [join(directory, "config"), join(directory, "ssh_config")]
      writeFileSync(source, SSH_CONFIG)
      const outcome = yield* invoke(["init", "--from-ssh-config", source, "--dry-run", "--config-dir", config])
      assert.strictEqual(outcome.exitCode, 0, outcome.stderr)
      assert.deepStrictEqual(readdirSync(directory), ["ssh_config"])
      assert.include(outcome.stdout, "# ---- servers.yml\n")
      assert.include(outcome.stderr, "ForwardAgent")
      assert.deepStrictEqual(Object.keys(parse(outcome.stdout.split("# ---- policy.yml")[1] ?? "")), [
        "version",
        "rules"
      ])
    })
  )

  it.effect("cannot be led to print control characters by a file", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const source = join(directory, "ssh_config")
      writeFileSync(
        source,
        "Host a\n LocalForward \u001b[31m\n IdentityFile ~/x\u001b[2J\nMatch host \u001b]0;x\u0007\n"
      )
      const outcome = yield* invoke(["init", "--from-ssh-config", source, "--dry-run", "--config-dir", directory])
      assert.strictEqual(outcome.exitCode, 0, outcome.stderr)
      assert.notMatch(outcome.stdout + outcome.stderr, /[\u0000-\u0009\u000b-\u001f]/)
    })
  )

  it.effect("is wrong usage with a file but without --from-ssh-config, and fails on a file that is not there", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* invoke(["init", "somefile"])).exitCode, 2)
      const missing = yield* invoke(["init", "--from-ssh-config", "/nowhere/config"])
      assert.strictEqual(missing.exitCode, 1)
      assert.include(missing.stderr, "/nowhere/config cannot be read: not found")
    })
  )
})

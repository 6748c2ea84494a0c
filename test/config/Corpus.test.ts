import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option, Result, Schema } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { readFileSync } from "node:fs"
import { findHost } from "../../src/config/Inventory.ts"
import { type Files, loadAt, loadFiles, services, writeFiles } from "./ConfigFiles.ts"

const Line = Schema.Struct({
  id: Schema.String,
  surface: Schema.String,
  input: Schema.optionalKey(Schema.Unknown),
  input_gen: Schema.optionalKey(
    Schema.Struct({
      prefix: Schema.optionalKey(Schema.String),
      repeat: Schema.optionalKey(Schema.String),
      times: Schema.optionalKey(Schema.Int),
      suffix: Schema.optionalKey(Schema.String),
      yaml_rules: Schema.optionalKey(Schema.Int),
      bytes: Schema.optionalKey(Schema.Int),
      raw_base64: Schema.optionalKey(Schema.String)
    })
  ),
  setup: Schema.optionalKey(Schema.String),
  expect: Schema.String
})
type Line = typeof Line.Type

const decodeLine = Schema.decodeUnknownSync(Schema.fromJsonString(Line))
const corpus = readFileSync(new URL("../corpus/bad-inputs.jsonl", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => decodeLine(line))
const of = (surface: string) =>
  corpus.filter((line) => line.surface === surface).map((line) => [line.id, line] as const)

/** Lines that the contract decides otherwise: 0 seconds is no limit, a block in `*_ips` means what it says, "" is unset. */
const CONTRACT: Readonly<Record<string, string>> = {
  "config-policy-021": "accept",
  "config-policy-040": "accept",
  "path-secret-005": "accept"
}
const expected = (line: Line): string => CONTRACT[line.id] ?? line.expect

const bytesOf = ({ input, input_gen: made }: Line): Uint8Array => {
  if (made === undefined) return new TextEncoder().encode(String(input))
  if (made.raw_base64 !== undefined) return Buffer.from(made.raw_base64, "base64")
  if (made.bytes !== undefined) return new Uint8Array(made.bytes).fill(0x23)
  if (made.yaml_rules !== undefined) {
    return new TextEncoder().encode(`rules:\n${"  - {action: allow, commands: [uptime]}\n".repeat(made.yaml_rules)}`)
  }
  return new TextEncoder().encode(
    `${made.prefix ?? ""}${(made.repeat ?? "").repeat(made.times ?? 0)}${made.suffix ?? ""}`
  )
}

describe("bad policy files", () => {
  it.effect.each(of("config.policy"))(
    "%s",
    ([, line]) =>
      Effect.gen(function* () {
        const { problems, snapshot } = yield* loadFiles({ "config/policy.yml": bytesOf(line) })
        const own = snapshot.problems.filter(({ file }) => file === "policy.yml")
        const errors = own.filter(({ severity }) => severity === "error")
        const accepts = expected(line).includes("accept")
        const rejects = expected(line).includes("reject")
        if (!rejects) assert.deepStrictEqual(errors, [])
        if (!accepts) assert.isNotEmpty(errors, problems.join("\n"))
        assert.strictEqual(snapshot.usable, errors.length === 0)
        if (expected(line).includes("warn")) assert.isNotEmpty(own.filter(({ severity }) => severity === "warning"))
        if (expected(line) === "accept:deny-all") assert.strictEqual(snapshot.policy.ruleCount, 0)
      }).pipe(services),
    30_000
  )
})

describe("bad server files", () => {
  it.effect.each(of("config.servers"))("%s", ([, line]) =>
    Effect.gen(function* () {
      const { problems, snapshot } = yield* loadFiles({ "config/servers.yml": bytesOf(line) })
      assert.isFalse(snapshot.usable)
      assert.match(problems[0] ?? "", /^servers\.yml:\d+:\d+: hosts\[0\]\./)
    }).pipe(services)
  )
})

/** Runs a line's shell text with the directories in $KEYS and $SECRETS. */
const prepare = Effect.fnUntraced(function* (root: string, script: string) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const env = { KEYS: `${root}/keys`, SECRETS: `${root}/secrets` }
  const exit = yield* Effect.scoped(
    Effect.flatMap(
      spawner.spawn(
        ChildProcess.make("sh", ["-c", script], {
          env,
          extendEnv: true,
          stdin: "ignore",
          stdout: "ignore",
          stderr: "ignore"
        })
      ),
      (handle) => handle.exitCode
    )
  )
  assert.strictEqual(Number(exit), 0)
})

/** Whether the one host of a file set that uses `entry` can be used. */
const hostIsUsable = (line: Line, entry: string) =>
  Effect.gen(function* () {
    const files: Files = {
      "config/servers.yml": "hosts: [{alias: a, host: b, credentials: c}]",
      "config/credentials.yml": `entries: [{name: c, username: u, ${entry}}]`
    }
    const { root } = yield* writeFiles(files)
    if (line.setup !== undefined) yield* prepare(root, line.setup)
    const fs = yield* FileSystem.FileSystem
    if (line.id === "path-key-009") yield* fs.writeFileString(`${root}/keys/weak`, "PEM")
    const { problems, snapshot } = yield* loadAt(root)
    const usable = Option.match(findHost(snapshot, "a"), {
      onNone: () => false,
      onSome: ({ login }) => Result.isSuccess(login)
    })
    return {
      usable,
      problems: problems.filter(
        (problem) => /^(credentials|servers)\.yml.*/.test(problem) && !problem.includes(": warning: ")
      )
    }
  })

describe("paths and names in credentials", () => {
  it.effect.each(of("path.key"))("%s", ([, line]) =>
    Effect.gen(function* () {
      const { problems, usable } = yield* hostIsUsable(line, `key_path: ${JSON.stringify(line.input)}`)
      assert.strictEqual(usable, line.expect.includes("accept"), problems.join("\n"))
      assert.strictEqual(problems.length === 0, usable)
    }).pipe(services)
  )
  it.effect.each(of("path.secret"))("%s", ([, line]) =>
    Effect.gen(function* () {
      const { problems, usable } = yield* hostIsUsable(line, `password_secret: ${JSON.stringify(line.input)}`)
      // An unset secret leaves the host without a way to authenticate: it is disabled too.
      assert.isFalse(usable)
      assert.strictEqual(problems.length, 1)
    }).pipe(services)
  )
})

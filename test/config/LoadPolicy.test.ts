import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Path } from "effect"
import { Directories } from "../../src/config/Directories.ts"
import { loadPolicy } from "../../src/config/LoadPolicy.ts"
import { formatProblem } from "../../src/config/Problem.ts"
import { decide } from "../../src/policy/Policy.ts"
import { type Files, services, writeFiles } from "./ConfigFiles.ts"

const RULES = 'rules: [{action: allow, aliases: ["*"], commands: ["uptime"]}]'

/** Loads the policy of a set of files, and tells every path that was touched. */
const load = Effect.fnUntraced(function* (files: Files) {
  const { root } = yield* writeFiles(files)
  const fs = yield* FileSystem.FileSystem
  const touched: Array<string> = []
  const note = <A>(path: string, effect: A): A => {
    touched.push(path.slice(root.length))
    return effect
  }
  const watched: FileSystem.FileSystem = {
    ...fs,
    stat: (path) => note(path, fs.stat(path)),
    open: (path, options) => note(path, fs.open(path, options)),
    readFile: (path) => note(path, fs.readFile(path))
  }
  const outcome = yield* loadPolicy.pipe(
    Effect.provideService(FileSystem.FileSystem, watched),
    Effect.provideService(Directories, {
      config: `${root}/config`,
      keys: `${root}/keys`,
      secrets: `${root}/secrets`
    }),
    Effect.match({
      onSuccess: (policy) => ({ policy, problems: [] as ReadonlyArray<string> }),
      onFailure: (problems) => ({ policy: undefined, problems: problems.map(formatProblem) })
    })
  )
  return { ...outcome, touched: [...new Set(touched)] }
})

describe("the policy alone", () => {
  it.effect("is that of policy.yml, whatever the other files hold, which are not looked at", () =>
    Effect.gen(function* () {
      const { policy, touched } = yield* load({
        "config/policy.yml": RULES,
        "config/servers.yml": "hosts: [{alias: a, hots: b}]",
        "config/credentials.yml": "{",
        "keys/known_hosts": "not a line"
      })
      assert.isDefined(policy)
      assert.strictEqual(policy && decide(policy, { alias: "a", tags: [] }, "uptime")._tag, "Allowed")
      assert.deepStrictEqual(touched, ["/config/policy.yml"])
    }).pipe(services)
  )

  it.effect("denies everything when the file is missing or empty", () =>
    Effect.gen(function* () {
      for (const files of [{}, { "config/policy.yml": "" }]) {
        const { policy } = yield* load(files)
        assert.strictEqual(policy?.ruleCount, 0)
        assert.strictEqual(policy && decide(policy, { alias: "a", tags: [] }, "uptime")._tag, "Denied")
      }
    }).pipe(services)
  )

  it.effect("is none, with the places of the problems, when the file has an error", () =>
    Effect.gen(function* () {
      const { policy, problems } = yield* load({ "config/policy.yml": "rulez: []" })
      assert.isUndefined(policy)
      assert.match(problems[0] ?? "", /^policy\.yml:1:1: rulez: .*did you mean rules\?/)
    }).pipe(services)
  )

  it.effect("is none when the directory is missing", () =>
    Effect.gen(function* () {
      const path = yield* Path.Path
      const nowhere = path.join("/nonexistent", "config")
      const problems = yield* Effect.flip(
        Effect.provideService(loadPolicy, Directories, { config: nowhere, keys: nowhere, secrets: nowhere })
      )
      assert.deepStrictEqual(problems.map(formatProblem), ["config:1:1: configuration directory not found"])
    }).pipe(services)
  )
})

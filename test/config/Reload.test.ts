import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, FileSystem, Option, Redacted, Result, Stream } from "effect"
import { ConfigDirectory } from "../../src/config/ConfigDirectory.ts"
import { findHost } from "../../src/config/Inventory.ts"
import { CREDENTIALS, GOOD, layerAt, NEWER_POLICY, SERVERS, services, writeFiles } from "./ConfigFiles.ts"

describe("reload", () => {
  const withService = <A, E>(
    body: (parts: {
      readonly config: ConfigDirectory["Service"]
      readonly write: (name: string, text: string) => Effect.Effect<void, unknown>
    }) => Effect.Effect<A, E>
  ) =>
    Effect.gen(function* () {
      const { root, write } = yield* writeFiles(GOOD)
      const context = yield* Effect.context<FileSystem.FileSystem>()
      return yield* Effect.gen(function* () {
        const config = yield* ConfigDirectory
        return yield* body({
          config,
          write: (name, text) => Effect.provideContext(write(name, text) as Effect.Effect<void, unknown>, context)
        })
      }).pipe(Effect.provide(layerAt(root, { MCP_SSH_SECRET_FROM_ENV: "of the start" })))
    }).pipe(services)

  it.effect("tells what changed, login material included", () =>
    withService(({ config, write }) =>
      Effect.gen(function* () {
        assert.deepStrictEqual((yield* config.reload).changed, { added: [], removed: [], modified: [] })
        yield* write("secrets/lab_maint_password", "another")
        assert.deepStrictEqual((yield* config.reload).changed, { added: [], removed: [], modified: ["lab-sensor-1"] })
        yield* write("config/servers.yml", SERVERS.replace("prod-web-1", "prod-web-2").replace("2222", "2223"))
        assert.deepStrictEqual(yield* config.reload, {
          status: "reloaded",
          hosts: 2,
          rules: 2,
          changed: { added: ["prod-web-2"], removed: ["prod-web-1"], modified: ["lab-sensor-1"] }
        })
      })
    )
  )
  it.effect("a bad file set never replaces a good one", () =>
    withService(({ config, write }) =>
      Effect.gen(function* () {
        const before = yield* config.snapshot
        yield* write("config/policy.yml", "rules: [")
        const exit = yield* Effect.exit(config.reload)
        assert.isTrue(Exit.isFailure(exit))
        if (Exit.isFailure(exit)) {
          const error = Option.getOrThrow(Cause.findErrorOption(exit.cause))
          assert.strictEqual(error._tag, "ReloadFailed")
          assert.match(error.problems[0]!, /^policy\.yml:1:9: /)
        }
        assert.strictEqual(yield* config.snapshot, before)
        yield* write("config/policy.yml", NEWER_POLICY)
        assert.strictEqual((yield* config.reload).rules, 3)
        assert.strictEqual(before.policy.ruleCount, 2)
      })
    )
  )
  it.effect("secrets of the environment that the layer was built in are still there", () =>
    withService(({ config, write }) =>
      Effect.gen(function* () {
        yield* write("config/credentials.yml", CREDENTIALS.replace("lab_maint_password", "from_env"))
        yield* config.reload
        const login = Result.getOrThrow(Option.getOrThrow(findHost(yield* config.snapshot, "lab-sensor-1")).login)
        assert.strictEqual(Redacted.value(login.password!), "of the start")
      })
    )
  )
  it.effect("changes are the snapshot in force and each one after", () =>
    withService(({ config }) =>
      Effect.gen(function* () {
        const first = yield* config.snapshot
        const seen = yield* Effect.forkChild(config.changes.pipe(Stream.take(2), Stream.runCollect), {
          startImmediately: true
        })
        yield* config.reload
        const second = yield* config.snapshot
        const [one, two] = yield* Fiber.join(seen)
        assert.strictEqual(one, first)
        assert.strictEqual(two, second)
      })
    )
  )
  it.effect("concurrent reloads run one after the other", () =>
    withService(({ config }) =>
      Effect.gen(function* () {
        const reports = yield* Effect.all([config.reload, config.reload, config.reload], { concurrency: "unbounded" })
        assert.deepStrictEqual(
          reports.map(({ changed }) => changed.added.length),
          [0, 0, 0]
        )
      })
    )
  )
})

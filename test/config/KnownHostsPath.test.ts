import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { loadAt, services, writeFiles } from "./ConfigFiles.ts"

describe("known_hosts", () => {
  const hostKeysOf = (policy: string, files: Record<string, string>) =>
    Effect.gen(function* () {
      const { root } = yield* writeFiles({ "config/policy.yml": policy, ...files })
      const { problems, snapshot } = yield* loadAt(root)
      return {
        paths: snapshot.hostKeys.paths.map((path) => path.slice(root.length)),
        found: snapshot.hostKeys.digest !== "",
        warnings: problems.filter((problem) => problem.includes("known_hosts"))
      }
    }).pipe(services)
  it.effect("is the one in the keys directory, then the user's", () =>
    Effect.gen(function* () {
      const paths = ["/keys/known_hosts", "/home/.ssh/known_hosts"]
      assert.deepStrictEqual(yield* hostKeysOf("rules: []", { "keys/known_hosts": "a" }), {
        paths,
        found: true,
        warnings: []
      })
      assert.deepStrictEqual(yield* hostKeysOf("rules: []", { "home/.ssh/known_hosts": "a" }), {
        paths,
        found: true,
        warnings: []
      })
      assert.deepStrictEqual(yield* hostKeysOf("rules: []", {}), {
        paths,
        found: false,
        warnings: ["policy.yml:1:1: known_hosts_path: warning: known_hosts not found; no host key can be verified"]
      })
    })
  )
  it.effect("that is named is the only one: a missing file is not replaced by another", () =>
    Effect.gen(function* () {
      const { found, paths } = yield* hostKeysOf("known_hosts_path: mine", { "keys/known_hosts": "a" })
      assert.deepStrictEqual({ found, paths }, { found: false, paths: ["/config/mine"] })
      for (const [written, file] of [
        ["mine", "config/mine"],
        ["/app/config/mine", "config/mine"],
        ["/app/keys/mine", "keys/mine"],
        ["~/mine", "home/mine"]
      ] as const) {
        assert.deepStrictEqual(yield* hostKeysOf(`known_hosts_path: ${written}`, { [file]: "a" }), {
          paths: [`/${file}`],
          found: true,
          warnings: []
        })
      }
    })
  )
})

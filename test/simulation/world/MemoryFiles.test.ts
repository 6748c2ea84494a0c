import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Path, Result } from "effect"
import { readConfinedFile, readRegularFile } from "../../../src/config/RegularFile.ts"
import { makeMemoryFiles } from "../../../src/simulation/world/MemoryFiles.ts"

const read = (text: Uint8Array) => new TextDecoder().decode(text)

describe("MemoryFiles", () => {
  it.effect("a written file is read as it is, whatever its size, and as it is written anew", () =>
    Effect.gen(function* () {
      const files = makeMemoryFiles([])
      const content = Effect.map(readRegularFile("/c/policy.yml", 1_000_000), ({ bytes, mode }) => [
        read(bytes),
        mode & 0o777
      ])
      const use = Effect.provideService(content, FileSystem.FileSystem, files.fileSystem)
      for (const text of ["", "rules: []\n", "äöü".repeat(50_000)]) {
        files.write("/c/policy.yml", text)
        assert.deepStrictEqual(yield* use, [text, 0o600])
      }
    })
  )

  it.effect("a file that nobody wrote is not found; below a stand-in directory it is there, but for .env", () =>
    Effect.gen(function* () {
      const files = makeMemoryFiles(["/s/secrets"])
      const found = (name: string) =>
        Effect.map(Effect.result(readConfinedFile("/s/secrets", name, 1000)), (result) =>
          Result.match(result, { onFailure: ({ reason }) => reason, onSuccess: ({ bytes }) => read(bytes) })
        )
      const answers = yield* Effect.all([
        found("password"),
        found("deep/key"),
        found(".env"),
        found("../../etc/passwd")
      ]).pipe(Effect.provideService(FileSystem.FileSystem, files.fileSystem), Effect.provide(Path.layer))
      assert.deepStrictEqual(answers, ["simulated", "simulated", "not found", "outside the directory"])
      assert.isTrue(yield* files.fileSystem.exists("/s"))
      assert.isFalse(yield* files.fileSystem.exists("/else"))
    })
  )
})

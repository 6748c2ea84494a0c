import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, FileSystem, Path, Result } from "effect"
import { TestClock } from "effect/testing"
import { KnownHosts } from "../../../src/ssh/trust/KnownHosts.ts"
import { makeKnownHostsReader } from "../../../src/ssh/trust/KnownHostsFile.ts"
import { changeKnownHosts } from "../../../src/ssh/trust/KnownHostsWriter.ts"
import { publicKey, stored } from "./PublicKeys.ts"

const ED = publicKey("ssh-ed25519", "one")

const makeFile = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "known-hosts-" })
  return { fs, directory, file: path.join(directory, "known_hosts") }
})
const about = (...paths: ReadonlyArray<string>) => ({ alias: "web", hostKeys: { paths, digest: "" } })
const names = (known: KnownHosts) => known.lines.map(({ hosts }) => hosts)

describe("reading known_hosts", () => {
  it.effect("parses a file once for as long as it is the same one, and a changed one at the next call", () =>
    Effect.gen(function* () {
      const { file, fs } = yield* makeFile
      yield* TestClock.setTime(new Date("2030-01-01").getTime())
      const read = yield* makeKnownHostsReader
      const write = (name: string, day: string) =>
        Effect.andThen(
          fs.writeFileString(file, `${name} ${stored(ED)}\n`),
          fs.utimes(file, new Date(day), new Date(day))
        )
      yield* write("a", "2029-01-01")
      const all = yield* Effect.all(
        Array.from({ length: 20 }, () => read(about(file))),
        { concurrency: 20 }
      )
      for (const each of all) assert.strictEqual(each, all[0])
      yield* write("b", "2029-01-02")
      assert.deepStrictEqual(names(yield* read(about(file))), ["b"], "another time")
      yield* write("cc", "2029-01-02")
      assert.deepStrictEqual(names(yield* read(about(file))), ["cc"], "another size")
      yield* fs.copyFile(file, `${file}.new`)
      yield* fs.utimes(`${file}.new`, new Date("2029-01-02"), new Date("2029-01-02"))
      const before = yield* read(about(file))
      yield* fs.rename(`${file}.new`, file)
      assert.notStrictEqual(yield* read(about(file)), before, "another file of the same time and size")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("keeps no file that changed a moment ago: it may change again under the same time stamp", () =>
    Effect.gen(function* () {
      const { file, fs } = yield* makeFile
      yield* fs.writeFileString(file, `a ${stored(ED)}\n`)
      const { mtime } = yield* fs.stat(file)
      const time = mtime._tag === "Some" ? mtime.value.getTime() : 0
      const read = yield* makeKnownHostsReader
      yield* TestClock.setTime(time + 1_000)
      const first = yield* read(about(file))
      assert.notStrictEqual(yield* read(about(file)), first)
      yield* TestClock.setTime(time + 10_000)
      const settled = yield* read(about(file))
      assert.strictEqual(yield* read(about(file)), settled)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("takes the first file that exists and no other, and fails for one that cannot be read", () =>
    Effect.gen(function* () {
      const { directory, file, fs } = yield* makeFile
      const read = yield* makeKnownHostsReader
      const other = `${directory}/other`
      yield* fs.writeFileString(other, `other ${stored(ED)}\n`)
      assert.deepStrictEqual(names(yield* read(about(file))), [])
      assert.deepStrictEqual(names(yield* read(about(file, other))), ["other"])
      yield* fs.writeFileString(file, "")
      assert.deepStrictEqual(names(yield* read(about(file, other))), [], "an empty one trusts nobody")
      const failure = yield* Effect.flip(read(about(directory, other)))
      assert.strictEqual(failure.failure, "KnownHostsUnreadable")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("writing known_hosts", () => {
  it.live("loses none of many changes at once, and leaves nothing beside the file", () =>
    Effect.gen(function* () {
      const { directory, file, fs } = yield* makeFile
      const lines = Array.from({ length: 8 }, (_, index) => `${index}\n`)
      yield* Effect.forEach(lines, (line) => changeKnownHosts(file, (text) => Effect.succeed(text + line)), {
        concurrency: "unbounded"
      })
      assert.sameMembers((yield* fs.readFileString(file)).split(/(?<=\n)/u), lines)
      assert.deepStrictEqual(yield* fs.readDirectory(directory), ["known_hosts"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("gives up on a lock that stays, and changes nothing when the change fails", () =>
    Effect.gen(function* () {
      const { directory, file, fs } = yield* makeFile
      yield* fs.writeFileString(file, "x\n")
      yield* fs.writeFileString(`${file}.lock`, "")
      const fiber = yield* Effect.forkChild(
        Effect.result(changeKnownHosts(file, (text) => Effect.succeed(`${text}y\n`)))
      )
      while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
      const locked = yield* Fiber.join(fiber)
      assert.include(Result.isFailure(locked) ? locked.failure.message : "", `remove ${file}.lock`)
      assert.isTrue(yield* fs.exists(`${file}.lock`), "it is another program's")
      yield* fs.remove(`${file}.lock`)
      const refused = yield* Effect.result(changeKnownHosts(file, () => Effect.fail("no" as const)))
      assert.isTrue(Result.isFailure(refused) && refused.failure === "no")
      assert.strictEqual(yield* fs.readFileString(file), "x\n")
      assert.deepStrictEqual(yield* fs.readDirectory(directory), ["known_hosts"])
      const nowhere = yield* Effect.result(changeKnownHosts(`${directory}/none/known_hosts`, () => Effect.succeed("x")))
      assert.isTrue(Result.isFailure(nowhere))
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

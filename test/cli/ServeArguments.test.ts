import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { serveArguments } from "../../src/cli/ServeArguments.ts"
import { invoke } from "./CliHarness.ts"

const DIRECTORY = "/etc/fleet"

/** Arguments that say no more than `serve`. */
const SERVES: ReadonlyArray<ReadonlyArray<string>> = [
  [],
  ["serve"],
  ["stdio"],
  ["--config-dir", DIRECTORY],
  [`--config-dir=${DIRECTORY}`],
  ["stdio", "--keys-dir", DIRECTORY, "--secrets-dir=/a=b", "--log-level", "warn"],
  ["--log-level", "trace", "serve"]
]

/** Arguments that the command line has to read, or to complain about. */
const OTHERS: ReadonlyArray<ReadonlyArray<string>> = [
  ["check"],
  ["serve", "serve"],
  ["serve", "web-1"],
  ["--help"],
  ["-h"],
  ["--version"],
  ["serve", "--help"],
  ["--config-dir"],
  ["--config-dir", "--keys-dir"],
  ["--config-dir="],
  ["--config-dir", DIRECTORY, "--config-dir", "/other"],
  ["--log-level", "loud"],
  ["--log-level", "toString"],
  ["--frob", "x"],
  ["--", "serve"],
  [""]
]

describe("serveArguments", () => {
  for (const args of SERVES) {
    it.effect(`reads [${args.join(" ")}] as the command line does`, () =>
      Effect.gen(function* () {
        const { built } = yield* invoke(args, { serve: Effect.void })
        assert.deepStrictEqual(built, [[Option.getOrThrow(serveArguments(args)), "serve"]])
      })
    )
  }
  for (const args of OTHERS) {
    it(`leaves [${args.join(" ")}] to the command line`, () => {
      assert.deepStrictEqual(serveArguments(args), Option.none())
    })
  }
})

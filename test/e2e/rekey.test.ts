import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Stream } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { Transport, type Connection } from "../../src/ssh/Transport.ts"
import { targetOf, transportLayer } from "../support/SshFixtures.ts"
import * as Sshd from "../support/Sshd.ts"

const MIB = 1024 * 1024

/** Runs a command with this stdin to its end, and gives the length and the SHA-256 of its stdout. */
const digest = (connection: Connection, command: string, input?: Uint8Array) =>
  Effect.scoped(
    Effect.gen(function* () {
      const channel = yield* connection.exec(command, input)
      const hash = createHash("sha256")
      let length = 0
      yield* Stream.runForEach(channel.output, ({ bytes, stream }) =>
        Effect.sync(() => {
          // At this log level the server tells about the command's start on its stderr.
          if (stream !== "stdout") return
          length += bytes.length
          hash.update(bytes)
        })
      )
      assert.deepStrictEqual(yield* channel.exit, { _tag: "Exited", code: 0 })
      return [length, hash.digest("hex")]
    })
  )

const expected = (bytes: Uint8Array) => [bytes.length, createHash("sha256").update(bytes).digest("hex")]

describe("a server that exchanges keys with every megabyte", () => {
  for (const cipher of ["aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes128-ctr"]) {
    it.live(`gets and gives the same bytes under ${cipher}, in several sessions at once`, () =>
      Effect.gen(function* () {
        const sshd = yield* Sshd.start({ config: ["RekeyLimit 1M", `Ciphers ${cipher}`, "LogLevel DEBUG1"] })
        const target = yield* targetOf(sshd)
        const connection = yield* (yield* Transport).connect(target, Duration.seconds(20))
        const zeros = expected(Buffer.alloc(12 * MIB))
        const input = randomBytes(6 * MIB)
        const flood = digest(connection, `head -c ${12 * MIB} /dev/zero`)
        const echo = digest(connection, "cat", input)
        const answers = yield* Effect.all([flood, echo, flood], { concurrency: "unbounded" })
        assert.deepStrictEqual(answers, [zeros, expected(input), zeros])
        const exchanges = (yield* sshd.log).split("SSH2_MSG_NEWKEYS received").length - 1
        assert.isAtLeast(exchanges, 10)
      }).pipe(Effect.provide(transportLayer))
    )
  }
})

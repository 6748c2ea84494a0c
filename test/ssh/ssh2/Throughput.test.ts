import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import ssh2 from "ssh2"
import type { Order, Taken } from "./ThroughputChild.ts"
import { generateKey } from "../../support/LoopbackSsh.ts"

const MIB = 1024 * 1024
const FLOOD = 128 * MIB
const LIMIT = MIB
/**
 * With its defaults V8 lets the young generation grow by some 60 MiB under any such load, whatever is kept, which would
 * hide what is measured here: the bytes that our side holds.
 */
const SMALL_YOUNG_GENERATION = "--max-semi-space-size=4"

/** The library's own server, whose command `flood` prints that many bytes of lines, and everything else nothing. */
const startFlood = Effect.acquireRelease(
  Effect.callback<{ readonly server: ssh2.Server; readonly hostKey: string }>((resume) => {
    const hostKey = generateKey()
    const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (connection) => {
      connection.on("error", () => {})
      connection.on("authentication", (context) => context.accept())
      connection.on("session", (accept) => {
        accept().on("exec", (accept, _reject, { command }) => {
          const stream = accept()
          const block = Buffer.from("0123456789 abcdefghijklmnopqrstuvwxyz, a line of text\n".repeat(600))
          let left = command === "flood" ? FLOOD : 0
          const more = () => {
            if (left === 0) {
              stream.exit(0)
              stream.end()
              return
            }
            const bytes = block.subarray(0, left)
            left -= bytes.length
            stream.write(bytes, () => setImmediate(more))
          }
          more()
        })
      })
    })
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, hostKey: hostKey.public })))
  }),
  ({ server }) => Effect.sync(() => server.close())
)

/** Runs the reader in a process of its own, whose memory nothing else changes. */
const read = (order: Order) =>
  Effect.callback<Taken>((resume) => {
    const child = execFile(
      process.execPath,
      [SMALL_YOUNG_GENERATION, new URL("ThroughputChild.ts", import.meta.url).pathname, JSON.stringify(order)],
      (error, stdout, stderr) =>
        resume(error === null ? Effect.sync(() => JSON.parse(stdout) as Taken) : Effect.die(new Error(stderr)))
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  })

describe("the output of a command that floods", () => {
  it.live(
    "comes through whole and is not held: 128 MiB at a limit of 1 MiB take less than 40 MiB more than idle, with a small young generation",
    () =>
      Effect.gen(function* () {
        const { hostKey, server } = yield* startFlood
        const { port } = server.address() as { readonly port: number }
        const directory = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(`${tmpdir()}/flood-`)),
          (path) => Effect.sync(() => rmSync(path, { recursive: true }))
        )
        const knownHosts = `${directory}/known_hosts`
        writeFileSync(knownHosts, `[127.0.0.1]:${port} ${hostKey}\n`)
        const { private: pem } = generateKey()
        const taken = yield* read({ port, user: "u", pem, knownHosts, command: "flood", limit: LIMIT })
        assert.strictEqual(taken.bytes, FLOOD)
        assert.strictEqual(taken.kept, LIMIT)
        assert.isBelow((taken.peakRss - taken.idleRss) / MIB, 40)
      }),
    60_000
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Redacted, Ref, Result } from "effect"
import { TestConsole } from "effect/testing"
import { makeRedaction, maskText } from "../../src/audit/redaction/Redaction.ts"
import type { Login } from "../../src/config/Credential.ts"
import type { ConfigSnapshot } from "../../src/config/Inventory.ts"
import { denyAll } from "../../src/policy/Policy.ts"
import { makeTaskOutput } from "../../src/task/TaskOutput.ts"
import { redactionOf } from "../../src/task/TaskRedaction.ts"
import { TaskSupervisor } from "../../src/task/TaskSupervisor.ts"
import { corpus } from "../e2e/Corpus.ts"
import { command, connected, supervisorLayer } from "./TaskHarness.ts"

const KNOWN = maskText("known-secret")
const PASSWORD = "correct-horse"

const login = (secrets: Partial<Login>): Login => ({ username: "admin", digest: "", ...secrets })

const snapshotOf = (logins: ReadonlyArray<Login>): ConfigSnapshot => ({
  hosts: new Map(
    logins.map((one, i) => [
      `h${i}`,
      {
        host: { alias: `h${i}`, host: "192.0.2.1", port: 22, tags: [], description: "", jump: [], credentials: "c" },
        login: Result.succeed(one)
      }
    ])
  ),
  policy: denyAll,
  hostKeys: { paths: [], digest: "" },
  problems: [],
  usable: true
})

const LINE = "MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY"

const snapshot = snapshotOf([
  login({ password: Redacted.make(PASSWORD) }),
  login({
    key: {
      pem: Redacted.make(`-----BEGIN EC PRIVATE KEY-----\n${LINE}\r\nAwEHoUQD\n-----END EC PRIVATE KEY-----\n`),
      passphrase: Redacted.make("open\u0000 ses\u202eame")
    }
  })
])

/** The output of a task under the snapshot's redaction, for text that comes in one chunk. */
const outputOf = Effect.fnUntraced(function* (text: string, redactOutput = true) {
  const output = yield* makeTaskOutput(100_000, redactionOf(snapshot).redaction(redactOutput))
  yield* output.append({ stream: "stdout", bytes: Buffer.from(text) })
  yield* output.end
  const { redacted } = yield* output.counts
  return { text: (yield* output.text(100_000)).output, redacted }
})

describe("what is masked under a snapshot", () => {
  it.effect.each<readonly [string, string, string]>([
    ["a password", `p=${PASSWORD}`, `p=${KNOWN}`],
    ["a password with colours in it", "p=correct\u001b[1m-hor\u0007se\u001b[0m", `p=${KNOWN}`],
    ["a password with invisible characters in it", "correct\u200b-\u{e0041}horse", KNOWN],
    ["a passphrase with characters that cleaning removes", "open\u0000 ses\u202eame", KNOWN],
    ["the lines of a key, also alone", `x ${LINE} x`, `x ${KNOWN} x`]
  ])("%s", ([, text, expected]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* outputOf(text), { text: expected, redacted: 1 })
      assert.deepStrictEqual(yield* outputOf(text, false), { text: expected, redacted: 1 })
    })
  )

  it.effect("without redact_output the shapes stay, and known secrets are still masked", () =>
    Effect.gen(function* () {
      const token = `ghp_${"a1".repeat(18)}`
      assert.strictEqual((yield* outputOf(`${token} ${PASSWORD}`)).text, `${maskText("token")} ${KNOWN}`)
      assert.strictEqual((yield* outputOf(`${token} ${PASSWORD}`, false)).text, `${token} ${KNOWN}`)
    })
  )

  it("a snapshot without secrets and without shapes has no redaction", () => {
    assert.isUndefined(redactionOf(snapshotOf([login({})])).redaction(false))
  })
})

describe("masked output of a task", () => {
  const redaction = makeRedaction({ secrets: [PASSWORD], shapes: true })

  it.effect("a secret that is split between chunks shows nowhere, and the other stream is not held up", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(1000, redaction)
      const write = (text: string, stream: "stdout" | "stderr" = "stdout") =>
        output.append({ stream, bytes: Buffer.from(text) })
      assert.strictEqual((yield* write("a\n> correct-")).text, "a\n> ")
      assert.strictEqual((yield* output.page({ maxLines: 9 })).partial_line, "> ")
      assert.strictEqual((yield* write("err\n", "stderr")).text, "err\n")
      assert.strictEqual((yield* write("horse!\n")).text, `${KNOWN}!\n`)
      assert.strictEqual((yield* output.text(1000)).output, `a\n> err\n${KNOWN}!\n`)
      assert.deepStrictEqual(yield* output.counts, { bytesOut: 19, bytesErr: 4, lines: 3, redacted: 1 })
    })
  )

  it.effect("what was held back is shown once, when no more comes", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(1000, redaction)
      yield* output.append({ stream: "stderr", bytes: Buffer.from("correct-\u00e9").subarray(0, -1) })
      assert.deepStrictEqual(yield* output.flush, [{ stream: "stderr", text: "correct-\ufffd" }])
      assert.deepStrictEqual(yield* output.flush, [])
      yield* output.append({ stream: "stdout", bytes: Buffer.from("corr") })
      assert.deepStrictEqual(yield* output.flush, [{ stream: "stdout", text: "corr" }])
      yield* output.end
      assert.strictEqual((yield* output.text(1000)).output, "correct-\ufffdcorr")
    })
  )

  it.effect("a result counts what was masked, and a live reader sees the same text as the result", () =>
    Effect.gen(function* () {
      const supervisor = yield* TaskSupervisor
      const seen = yield* Ref.make("")
      const remote = yield* connected()
      const id = yield* supervisor.submit(
        command({
          ...(redaction === undefined ? {} : { redaction }),
          onOutput: ({ text }) => Ref.update(seen, (known) => known + text)
        }),
        remote.start
      )
      const io = yield* Deferred.await(remote.io)
      yield* io.output({ stream: "stdout", bytes: Buffer.from("correct-hor") })
      yield* io.output({ stream: "stdout", bytes: Buffer.from("se correct-") })
      yield* Deferred.succeed(remote.exit, { _tag: "Exited", code: 0 })
      yield* supervisor.await(id)
      const result = yield* supervisor.result(id)
      assert.deepInclude(result, { output: `${KNOWN} correct-`, redacted: 1, bytes_out: 22 })
      assert.strictEqual(yield* Ref.get(seen), result.output)
      assert.notInclude((yield* TestConsole.errorLines).join("\n"), "horse")
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("a result without masks has no count", () =>
    Effect.gen(function* () {
      const supervisor = yield* TaskSupervisor
      const remote = yield* connected()
      const id = yield* supervisor.submit(command(redaction === undefined ? {} : { redaction }), remote.start)
      yield* Deferred.succeed(remote.exit, { _tag: "Exited", code: 0 })
      yield* supervisor.await(id)
      assert.notProperty(yield* supervisor.result(id), "redacted")
    }).pipe(Effect.provide(supervisorLayer))
  )
})

/** Output that a corpus line describes in words: needs a real host or hours of a clock. */
const DESCRIBED = new Set(["output-013", "output-014"])

describe("the corpus of bad inputs, output", () => {
  for (const line of corpus("output")) {
    if (DESCRIBED.has(line.id)) continue
    it.effect(`${line.id}: ${line.why}`, () =>
      Effect.gen(function* () {
        const text = String(line.input).replace("<the configured credential>", PASSWORD)
        const shown = yield* outputOf(text)
        if (line.expect === "redact") {
          assert.strictEqual(shown.redacted, 1)
          assert.match(shown.text, /\[redacted:[a-z-]+\]$/)
          assert.notMatch(shown.text, /correct-horse|b3BlbnNzaC1rZXktdjE|eyJhbGciOi/)
        } else {
          assert.strictEqual(line.expect, "sanitize")
          // Nothing but text is left; words that claim to be something else are words.
          assert.notMatch(shown.text, /[^\P{Cc}\n\t]|\p{Bidi_Control}/u)
          assert.strictEqual(shown.redacted, 0)
        }
      })
    )
  }
})

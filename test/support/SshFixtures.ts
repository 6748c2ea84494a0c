import { NodeFileSystem } from "@effect/platform-node"
import { Duration, Effect, Layer, Redacted, Ref, type Scope } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import type { Login } from "../../src/config/Credential.ts"
import { ConnectionPool } from "../../src/ssh/pool/ConnectionPool.ts"
import type { StartOptions } from "../../src/ssh/pool/ConnectionPool.ts"
import type { StopReport } from "../../src/ssh/process/RemoteProcess.ts"
import { Ssh2Transport } from "../../src/ssh/ssh2/Ssh2Transport.ts"
import { Target } from "../../src/ssh/Target.ts"
import type { OutputChunk } from "../../src/ssh/Transport.ts"
import { generateKey } from "./LoopbackSsh.ts"
import type { Sshd } from "./Sshd.ts"

/** The live transport on the real file system. */
export const transportLayer = Ssh2Transport.layer.pipe(Layer.provide(NodeFileSystem.layer))

/** The pool on the live transport. */
export const poolLayer = ConnectionPool.layer.pipe(Layer.provide(transportLayer))

/** A login whose digest is that of its parts. */
export const login = (parts: {
  readonly username: string
  readonly pem?: string
  readonly passphrase?: string
  readonly password?: string
}): Login => ({
  username: parts.username,
  ...(parts.pem === undefined
    ? {}
    : {
        key: {
          pem: Redacted.make(parts.pem),
          ...(parts.passphrase === undefined ? {} : { passphrase: Redacted.make(parts.passphrase) })
        }
      }),
  ...(parts.password === undefined ? {} : { password: Redacted.make(parts.password) }),
  digest: createHash("sha256").update(JSON.stringify(parts)).digest("hex")
})

/** The target of a server: its accepted key, and a known_hosts file with the given text or its keys as they are now. */
export const targetOf = (
  sshd: Pick<Sshd, "address" | "port" | "user" | "key" | "directory" | "knownHosts">,
  options: {
    readonly login?: Login
    readonly knownHosts?: string
    readonly hostname?: string
    readonly address?: string
  } = {}
): Effect.Effect<Target> =>
  Effect.map(sshd.knownHosts, (current) => {
    const path = `${sshd.directory}/known_hosts-${randomUUID()}`
    writeFileSync(path, `${options.knownHosts ?? current}\n`)
    return new Target({
      alias: "test",
      hostname: options.hostname ?? sshd.address,
      address: options.address ?? sshd.address,
      port: sshd.port,
      login: options.login ?? login({ username: sshd.user, pem: sshd.key.pem }),
      hostKeys: { paths: [path], digest: createHash("sha256").update(readFileSync(path)).digest("hex") }
    })
  })

/** The target of a server on 127.0.0.1 whose key is known, in a file that goes with the Scope; it logs in with a new key. */
export const knownTarget = (port: number, hostKey: string): Effect.Effect<Target, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(`${tmpdir()}/known-`)),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    ),
    (directory) => {
      const path = `${directory}/known_hosts`
      writeFileSync(path, `[127.0.0.1]:${port} ${hostKey.split(" ").slice(0, 2).join(" ")}\n`)
      return new Target({
        alias: "test",
        hostname: "127.0.0.1",
        address: "127.0.0.1",
        port,
        login: login({ username: "tester", pem: generateKey().private }),
        hostKeys: { paths: [path], digest: "" }
      })
    }
  )

/** What a command of a test left behind. */
export interface Recording {
  readonly chunks: ReadonlyArray<OutputChunk>
  readonly stops: ReadonlyArray<StopReport>
}

/** Collects the output and the stops of commands, and starts them with the budget and grace of most tests. */
export const makeRecorder = Effect.gen(function* () {
  const recording = yield* Ref.make<Recording>({ chunks: [], stops: [] })
  const text = (stream: OutputChunk["stream"]) =>
    Effect.map(Ref.get(recording), ({ chunks }) =>
      Buffer.concat(chunks.filter((chunk) => chunk.stream === stream).map((chunk) => chunk.bytes)).toString("utf8")
    )
  const options = (target: Target, command: string, grace: Duration.Input = "300 millis"): StartOptions => ({
    targets: [target],
    command,
    budget: Duration.seconds(10),
    output: (chunk) => Ref.update(recording, ({ chunks, stops }) => ({ chunks: [...chunks, chunk], stops })),
    grace: Effect.succeed(Duration.fromInputUnsafe(grace)),
    stopped: (report) => Ref.update(recording, ({ chunks, stops }) => ({ chunks, stops: [...stops, report] }))
  })
  return {
    stdout: text("stdout"),
    stderr: text("stderr"),
    stops: Effect.map(Ref.get(recording), ({ stops }) => stops),
    options
  }
})

/** Runs a command through the pool to its end. */
export const runCommand = Effect.fnUntraced(function* (target: Target, command: string) {
  const pool = yield* ConnectionPool
  const recorder = yield* makeRecorder
  const result = yield* Effect.scoped(
    Effect.gen(function* () {
      const process = yield* pool.start(recorder.options(target, command))
      return { exit: yield* process.wait, pid: process.pid }
    })
  )
  return {
    ...result,
    stdout: yield* recorder.stdout,
    stderr: yield* recorder.stderr,
    stops: yield* recorder.stops
  }
})

/** Ends when `check` answers true, asking every 20 ms; for facts that no event tells, such as the processes of a host. */
export const eventually = <E, R>(check: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.asVoid(
    Effect.repeat(
      Effect.tap(check, (done) => (done ? Effect.void : Effect.sleep("20 millis"))),
      { until: (done) => done }
    )
  )

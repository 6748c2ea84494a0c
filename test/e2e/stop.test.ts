import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber } from "effect"
import { startInitializedServer } from "../support/RawServer.ts"
import { eventually, makeHost, makeScenario, type Program } from "./Scenario.ts"

const elapsedSince = (start: number): number => performance.now() - start

describe("stopping a remote command", () => {
  it.live("a command over its time limit is stopped on the host before the answer comes", () =>
    Effect.gen(function* () {
      const { client, command, config } = yield* makeScenario()
      const run = yield* client.call("ssh_run", { alias: "web1", command: command("family"), timeout_seconds: 1 })
      assert.deepStrictEqual(config.remoteProcesses(), [])
      assert.isTrue(run.isError)
      assert.deepInclude(run.json, {
        status: "timeout",
        timeout: true,
        cancelled: false,
        exit_code: -1,
        max_seconds: 1
      })
      assert.isAtLeast(Number(run.json["duration_ms"]), 1000)
      const audit = yield* client.log.waitFor({ type: "audit", task_id: run.json["task_id"] })
      assert.deepInclude(audit, { timeout: true, cancelled: false, exit_code: -1 })
      assert.strictEqual((yield* client.log.matching({ type: "audit" })).length, 1)
    })
  )

  it.live("the limit is max_seconds when the call asks for more", () =>
    Effect.gen(function* () {
      const { client, command, config } = yield* makeScenario({ limits: { max_seconds: 1 } })
      const run = yield* client.call("ssh_run", { alias: "web1", command: command("sleeper"), timeout_seconds: 50 })
      assert.deepInclude(run.json, { status: "timeout", max_seconds: 1 })
      assert.deepStrictEqual(config.remoteProcesses(), [])
    })
  )

  it.live("output that trickles in does not put the time limit off", () =>
    Effect.gen(function* () {
      const { client, command, config } = yield* makeScenario()
      const run = yield* client.call("ssh_run", {
        alias: "web1",
        command: command("ticker", "1000"),
        timeout_seconds: 1
      })
      assert.strictEqual(run.json["status"], "timeout")
      assert.match(String(run.json["output"]), /^tick 1\ntick 2\n/)
      assert.deepStrictEqual(config.remoteProcesses(), [])
    })
  )

  for (const program of ["sleeper", "family", "stubborn"] as const satisfies ReadonlyArray<Program>) {
    it.live(`cancel of ${program} returns when none of its processes is left`, () =>
      Effect.gen(function* () {
        const { client, command, config, started } = yield* makeScenario()
        const task = yield* client.call("ssh_run_async", { alias: "web1", command: command(program) })
        yield* started
        if (program !== "sleeper") {
          yield* eventually("its children", () => config.remoteProcesses().length >= 3)
        }
        const before = performance.now()
        const cancel = yield* client.call("ssh_cancel_task", { task_id: task.json["task_id"] })
        assert.deepStrictEqual(config.remoteProcesses(), [])
        assert.deepInclude(cancel.json, { cancelled: true, message: "Cancelled", remote_stopped: "confirmed" })
        assert.isBelow(elapsedSince(before), 4500, "the grace of 2 s, and slack")
        if (program !== "stubborn") assert.isBelow(elapsedSince(before), 1900, "TERM was enough")
        const result = yield* client.call("ssh_get_task_result", { task_id: task.json["task_id"] })
        assert.deepInclude(result.json, { status: "cancelled", cancelled: true, timeout: false })
        const audit = yield* client.log.waitFor({ type: "audit", task_id: task.json["task_id"] })
        assert.deepInclude(audit, { cancelled: true })
        // The slots on the host are free again: more than sshd's MaxSessions commands still run.
        for (let i = 0; i < 12; i++) {
          assert.strictEqual((yield* client.call("ssh_run", { alias: "web1", command: "true" })).json["exit_code"], 0)
        }
      })
    )
  }

  it.live("twelve cancels at once confirm twelve times", () =>
    Effect.gen(function* () {
      const { client, command, config } = yield* makeScenario({ limits: { max_tasks_per_host: 12 } })
      const ids = yield* Effect.forEach(
        Array.from({ length: 12 }),
        () =>
          Effect.map(
            client.call("ssh_run_async", { alias: "web1", command: command("sleeper") }),
            (answer) => answer.json["task_id"]
          ),
        { concurrency: "unbounded" }
      )
      yield* eventually("twelve processes", () => config.remoteProcesses().length === 12)
      const cancels = yield* Effect.forEach(ids, (id) => client.call("ssh_cancel_task", { task_id: id }), {
        concurrency: "unbounded"
      })
      for (const cancel of cancels) assert.deepInclude(cancel.json, { cancelled: true, remote_stopped: "confirmed" })
      assert.deepStrictEqual(config.remoteProcesses(), [])
      assert.strictEqual((yield* client.log.matching({ type: "audit" })).length, 12)
    })
  )

  it.live("notifications/cancelled of a synchronous call stops its process", () =>
    Effect.gen(function* () {
      const { client, command, config, started } = yield* makeScenario()
      const call = yield* Effect.forkChild(client.call("ssh_run", { alias: "web1", command: command("family") }))
      yield* started
      yield* Fiber.interrupt(call)
      const audit = yield* client.log.waitFor({ type: "audit", cancelled: true })
      assert.strictEqual(audit["exit_code"], -1)
      assert.deepStrictEqual(config.remoteProcesses(), [])
      const tasks = yield* client.call("ssh_list_tasks")
      assert.include(tasks.text, '"status":"cancelled"')
    })
  )

  it.live("cancel of a fan-out stops its command on every host", () =>
    Effect.gen(function* () {
      const { client, command, config } = yield* makeScenario({
        hosts: [{ alias: "web2" }, { alias: "web3" }],
        limits: { sync_wait_seconds: 1 }
      })
      const promoted = yield* client.call("ssh_run_on_tag", { tag: "web", command: command("sleeper") })
      assert.strictEqual(promoted.json["status"], "running", promoted.text)
      assert.strictEqual(config.remoteProcesses().length, 3)
      const cancel = yield* client.call("ssh_cancel_task", { task_id: promoted.json["task_id"] })
      assert.deepInclude(cancel.json, { cancelled: true, remote_stopped: "confirmed" })
      assert.deepStrictEqual(config.remoteProcesses(), [])
      assert.strictEqual((yield* client.log.matching({ type: "audit", cancelled: true })).length, 3)
      const result = yield* client.call("ssh_get_task_result", { task_id: promoted.json["task_id"] })
      assert.deepInclude(result.json["summary"], { total_hosts: 3, cancelled: 3, successful: 0 })
    })
  )

  it.live("a session that dies under a command is a lost connection, never a success", () =>
    Effect.gen(function* () {
      const { client, command, started, sshd } = yield* makeScenario()
      const call = yield* Effect.forkChild(client.call("ssh_run", { alias: "web1", command: command("sleeper") }))
      yield* started
      yield* sshd.killSessions
      const run = yield* Fiber.join(call)
      assert.isTrue(run.isError)
      assert.deepInclude(run.json, { status: "failed", exit_code: -1, cancelled: false, timeout: false })
      assert.match(String(run.json["status_message"]), /^SSH connection lost: The outcome of the command is unknown\./)
      assert.strictEqual((yield* client.log.matching({ type: "audit" })).length, 1)
      const next = yield* client.call("ssh_run", { alias: "web1", command: "true" })
      assert.strictEqual(next.json["exit_code"], 0, "a new connection is made")
    })
  )
})

describe("the end of the server process", () => {
  it.live("stdin EOF with nothing running ends it within a second", () =>
    Effect.gen(function* () {
      const { config } = yield* makeHost()
      const server = yield* startInitializedServer({ environment: config.environment })
      const start = performance.now()
      yield* server.endInput
      const end = yield* server.exited.pipe(Effect.timeout(Duration.seconds(10)))
      assert.deepStrictEqual(end, { code: 0, signal: null })
      assert.isBelow(elapsedSince(start), 1000)
    })
  )

  it.live("stdin EOF with an idle warm connection ends it within a second", () =>
    Effect.gen(function* () {
      const { config } = yield* makeHost()
      const server = yield* startInitializedServer({ environment: config.environment })
      yield* server.request("tools/call", { name: "ssh_run", arguments: { alias: "web1", command: "true" } })
      const start = performance.now()
      yield* server.endInput
      const end = yield* server.exited.pipe(Effect.timeout(Duration.seconds(10)))
      assert.deepStrictEqual(end, { code: 0, signal: null })
      assert.isBelow(elapsedSince(start), 1000)
    })
  )

  it.live("EOF before the handshake ends it within a second", () =>
    Effect.gen(function* () {
      const { config } = yield* makeHost()
      const server = yield* startInitializedServer({ environment: config.environment })
      const start = performance.now()
      yield* server.endInput
      yield* server.exited.pipe(Effect.timeout(Duration.seconds(10)))
      assert.isBelow(elapsedSince(start), 1000)
    })
  )

  const ends = {
    "stdin EOF": (server: Effect.Success<ReturnType<typeof startInitializedServer>>) => server.endInput,
    SIGTERM: (server: Effect.Success<ReturnType<typeof startInitializedServer>>) => server.kill("SIGTERM"),
    SIGINT: (server: Effect.Success<ReturnType<typeof startInitializedServer>>) => server.kill("SIGINT")
  }
  for (const [name, stop] of Object.entries(ends)) {
    for (const program of ["family", "stubborn"] as const satisfies ReadonlyArray<Program>) {
      it.live(`${name} while ${program} runs as a task leaves no process on the host`, () =>
        Effect.gen(function* () {
          const { config, command, started } = yield* makeHost()
          const server = yield* startInitializedServer({ environment: config.environment })
          yield* server.request("tools/call", {
            name: "ssh_run_async",
            arguments: { alias: "web1", command: command(program) }
          })
          yield* started
          const start = performance.now()
          yield* stop(server)
          const end = yield* server.exited.pipe(Effect.timeout(Duration.seconds(10)))
          assert.isBelow(elapsedSince(start), 5000)
          assert.deepStrictEqual(config.remoteProcesses(), [])
          assert.isTrue(end.signal === null && (name !== "stdin EOF" || end.code === 0), JSON.stringify(end))
          const audits = yield* server.log.matching({ type: "audit" })
          assert.strictEqual(audits.length, 1)
          assert.deepInclude(audits[0], { cancelled: true })
          assert.deepStrictEqual(yield* server.log.strangers, [])
        })
      )
    }
  }

  it.live("stdin EOF while a synchronous call waits stops that command too", () =>
    Effect.gen(function* () {
      const { config, command, started } = yield* makeHost()
      const server = yield* startInitializedServer({ environment: config.environment })
      yield* server.send({
        jsonrpc: "2.0",
        id: 7,
        method: "tools/call",
        params: { name: "ssh_run", arguments: { alias: "web1", command: command("family") } }
      })
      yield* started
      const start = performance.now()
      yield* server.endInput
      const end = yield* server.exited.pipe(Effect.timeout(Duration.seconds(10)))
      assert.deepStrictEqual(end, { code: 0, signal: null })
      assert.isBelow(elapsedSince(start), 5000)
      assert.deepStrictEqual(config.remoteProcesses(), [])
      assert.strictEqual((yield* server.log.matching({ type: "audit" })).length, 1)
    })
  )

  it.live("five commands on one host, one of them stubborn, are all stopped at SIGTERM within five seconds", () =>
    Effect.gen(function* () {
      const { config, command } = yield* makeHost()
      const server = yield* startInitializedServer({ environment: config.environment })
      for (const program of ["sleeper", "family", "stubborn", "sleeper", "family"] as const) {
        yield* server.request("tools/call", {
          name: "ssh_run_async",
          arguments: { alias: "web1", command: command(program) }
        })
      }
      yield* eventually("their processes", () => config.remoteProcesses().length >= 12)
      const start = performance.now()
      yield* server.kill("SIGTERM")
      yield* server.exited.pipe(Effect.timeout(Duration.seconds(10)))
      assert.isBelow(elapsedSince(start), 5000)
      assert.deepStrictEqual(config.remoteProcesses(), [])
      assert.strictEqual((yield* server.log.matching({ type: "audit", cancelled: true })).length, 5)
    })
  )
})

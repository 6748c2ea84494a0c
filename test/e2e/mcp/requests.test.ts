import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { binaryPath } from "../../support/Binary.ts"
import { INITIALIZE, startInitializedServer } from "../../support/RawServer.ts"
import { eventually, makeHost, type ScenarioOptions } from "../Scenario.ts"

const request = (id: unknown, method: string, params: object = {}): object => ({ jsonrpc: "2.0", id, method, params })

const runCommand = (id: unknown, command: string): object =>
  request(id, "tools/call", { name: "ssh_run", arguments: { alias: "web1", command } })

const cancellation = (requestId: unknown): object => ({
  jsonrpc: "2.0",
  method: "notifications/cancelled",
  params: { requestId, reason: "\u001b[2J\n{}" }
})

const makeServer = (options: ScenarioOptions = {}) =>
  Effect.flatMap(makeHost(options), (host) =>
    Effect.map(startInitializedServer({ environment: host.config.environment }), (server) => ({ ...host, server }))
  )

/** The text of the one content item of a tool's answer. */
const textOf = (answer: { readonly [key: string]: unknown }): string =>
  Object(answer["result"]).content?.[0]?.text ?? ""

/** A value once it was the same for half a second. */
const settled = (measure: () => number): Effect.Effect<number> =>
  Effect.gen(function* () {
    let [last, times] = [Number.NaN, 0]
    while (times < 10) {
      const now = measure()
      times = now === last ? times + 1 : 0
      last = now
      yield* Effect.sleep("50 millis")
    }
    return last
  })

/** The most memory that a process ever had, in MiB (proc_pid_status(5)). */
const peakMib = (pid: number): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024

describe("requests in flight", () => {
  it.live("a second request with an id in use is refused, and the first goes on", () =>
    Effect.gen(function* () {
      const { command, config, server, started } = yield* makeServer()
      yield* server.send(runCommand(7, command("sleeper")))
      yield* started
      yield* server.send(request(7, "ping"))
      const refused = yield* server.receive
      assert.deepStrictEqual([refused["id"], Object(refused["error"]).code], [7, -32600])
      yield* server.send(request("7", "ping"))
      assert.deepStrictEqual(yield* server.receive, { jsonrpc: "2.0", id: "7", result: {} })
      assert.strictEqual(config.remoteProcesses().length, 1, "the command still runs")
      yield* server.send(cancellation("7"))
      yield* server.request("ping")
      assert.strictEqual(config.remoteProcesses().length, 1, "a text is not the number")
      yield* server.send(cancellation(7))
      yield* eventually("the command is stopped", () => config.remoteProcesses().length === 0)
      yield* server.send(runCommand(7, "true"))
      assert.include(textOf(yield* server.receive), '"status":"completed"', "the id is free again, and answered once")
    })
  )

  it.live("a cancellation sent as a request is refused and stops nothing", () =>
    Effect.gen(function* () {
      const { command, config, server, started } = yield* makeServer()
      yield* server.send(runCommand(5, command("sleeper")))
      yield* started
      yield* server.send({ ...cancellation(5), id: 6 })
      const refused = yield* server.receive
      assert.deepStrictEqual([refused["id"], Object(refused["error"]).code], [6, -32601])
      assert.strictEqual(config.remoteProcesses().length, 1)
    })
  )

  it.live("a call sent as a notification runs nothing", () =>
    Effect.gen(function* () {
      const { command, config, server } = yield* makeServer({
        rules: [{ action: "allow", commands: ["*"] }]
      })
      const { id: _, ...call } = { id: 0, ...runCommand(0, command("forbidden")) }
      yield* server.send(call)
      yield* server.request("tools/call", { name: "ssh_run", arguments: { alias: "web1", command: "true" } })
      assert.strictEqual((yield* server.log.matching({ type: "audit" })).length, 1)
      assert.strictEqual(config.left("reached"), "")
    })
  )

  it.live("cancellations of ids that are unknown, answered or never valid change nothing", () =>
    Effect.gen(function* () {
      const { server, sshd } = yield* makeServer()
      const answered = yield* server.request("ping")
      const ids = [99, "nope", "", -1, answered["id"], null, true, {}, [], 1.5, "__proto__", "x".repeat(10_000)]
      for (const id of ids) yield* server.send(cancellation(id))
      for (let id = 0; id < 10_000; id++) yield* server.send(cancellation(1_000_000 + id))
      assert.deepStrictEqual((yield* server.request("ping"))["result"], {})
      assert.deepStrictEqual(yield* server.log.strangers, [])
      assert.notInclude(yield* sshd.log, "Connection from")
    })
  )
})

describe("a flood of requests", () => {
  it.live("10,000 requests at once are each answered exactly once, in bounded memory", () =>
    Effect.gen(function* () {
      const { server, sshd } = yield* makeServer()
      const kinds = [
        (id: number) => request(id, "ping"),
        (id: number) => request(id, "tools/call", { name: "ssh_ping", arguments: {} }),
        (id: number) => request(id, "tools/call", { name: "ssh_run", arguments: { alias: "web1", command: "id" } }),
        (id: number) => request(id, "no/such/method"),
        (id: number) => request(id, "tools/call", { name: "ssh_get_task_status", arguments: { task_id: "a:b:c" } })
      ]
      const ids = Array.from({ length: 10_000 }, (_, id) => id)
      const flood = ids.map((id) => `${JSON.stringify(kinds[id % kinds.length]?.(id))}\n`).join("")
      yield* Effect.forkChild(server.write(flood))
      const answers = yield* Effect.forEach(ids, () => server.receive)
      assert.deepStrictEqual(
        answers.map(({ id }) => Number(id)).sort((a, b) => a - b),
        ids
      )
      for (const answer of answers) {
        switch (Number(answer["id"]) % kinds.length) {
          case 0:
            assert.deepStrictEqual(answer["result"], {})
            break
          case 3:
            assert.deepInclude(Object(answer["error"]), { code: -32601 })
            break
          default:
            assert.isString(textOf(answer))
            assert.isAbove(textOf(answer).length, 0, JSON.stringify(answer))
        }
      }
      assert.deepStrictEqual((yield* server.request("ping"))["result"], {})
      assert.isBelow(peakMib(server.pid), 400)
      assert.notInclude(yield* sshd.log, "Connection from", "denied commands reach no host")
    })
  )

  it.live("a client that does not read is not read from either, and loses no answer once it does", () =>
    Effect.gen(function* () {
      const { config } = yield* makeHost()
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(process.execPath, [binaryPath()], {
            env: { PATH: process.env["PATH"] ?? "", ...config.environment },
            stdio: ["pipe", "pipe", "ignore"]
          })
        ),
        (started) => Effect.sync(() => started.kill("SIGKILL"))
      )
      // Their answers are about 200 MB: far more than a pipe holds and a little server needs.
      const count = 10_000
      const flood = [
        request("init", "initialize", INITIALIZE),
        { jsonrpc: "2.0", method: "notifications/initialized" },
        ...Array.from({ length: count }, (_, id) => request(id, "tools/list"))
      ]
      child.stdin.write(flood.map((each) => `${JSON.stringify(each)}\n`).join(""))
      yield* Effect.promise(() => once(child.stdout, "readable"))
      const peak = yield* settled(() => peakMib(child.pid ?? 0))
      const ids: Array<unknown> = []
      createInterface({ input: child.stdout }).on("line", (line) => ids.push(JSON.parse(line).id))
      yield* eventually("every answer", () => ids.length === count + 1)
      assert.isBelow(peak, 200, "memory does not hold what nobody reads")
      assert.deepStrictEqual(ids, ["init", ...Array.from({ length: count }, (_, id) => id)])
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Ref, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Fleet, type FleetRequest, type Launch } from "../../src/fleet/Fleet.ts"
import type { RemoteExit } from "../../src/ssh/Transport.ts"
import { TaskSupervisor } from "../../src/task/TaskSupervisor.ts"
import { assertIdle, command, connected, LIMITS, type RemoteScript, supervisorLayer } from "../task/TaskHarness.ts"

const testLayer = Fleet.layer.pipe(Layer.provideMerge(supervisorLayer))

const code = (value: number): RemoteExit => ({ _tag: "Exited", code: value })

const names = (count: number) => Array.from({ length: count }, (_, i) => `h${i}`)

/** A fleet of scripted hosts: each command connects at once and ends when the test says so. */
const makeHosts = Effect.fnUntraced(function* (
  aliases: ReadonlyArray<string>,
  options: Parameters<typeof connected>[0] = {}
) {
  const tasks = yield* TaskSupervisor
  const fleet = yield* Fleet
  const scripts = new Map<string, RemoteScript>()
  for (const alias of aliases) scripts.set(alias, yield* connected(options))
  const started = yield* Ref.make<ReadonlyArray<string>>([])
  const live = yield* Ref.make({ now: 0, most: 0 })
  const denials = new Set<string>()

  const launch: FleetRequest["launch"] = Effect.fnUntraced(function* (alias, onOutput) {
    yield* Ref.update(started, (before) => [...before, alias])
    if (denials.has(alias)) return { _tag: "Denied", reason: "policy", hint: "ask" } satisfies Launch
    const script = scripts.get(alias)!
    const taskId = yield* tasks
      .submit(command({ alias, onOutput }), (io) =>
        Effect.acquireRelease(
          Ref.update(live, ({ most, now }) => ({ now: now + 1, most: Math.max(most, now + 1) })),
          () => Ref.update(live, ({ most, now }) => ({ now: now - 1, most }))
        ).pipe(Effect.andThen(script.start(io)))
      )
      .pipe(Effect.orDie)
    return { _tag: "Started", taskId } satisfies Launch
  })
  const exit = (alias: string, value = 0) => Deferred.succeed(scripts.get(alias)!.exit, code(value))
  const say = Effect.fnUntraced(function* (alias: string, text: string, stream: "stdout" | "stderr" = "stdout") {
    const io = yield* Deferred.await(scripts.get(alias)!.io)
    yield* io.output({ stream, bytes: Buffer.from(text) })
  })
  const start = (changes: Partial<FleetRequest> = {}) =>
    fleet.start({
      tag: "web",
      command: "uptime",
      hash: "0123456789abcdef",
      aliases,
      concurrency: 32,
      limits: LIMITS,
      launch,
      ...changes
    })
  /** Lets every fiber run until all of them wait. */
  const settle = Effect.repeat(TestClock.adjust(0), { times: 20 })
  return { fleet, tasks, scripts, started: Ref.get(started), live: Ref.get(live), denials, exit, say, start, settle }
})

describe("Fleet", () => {
  it.effect("runs a command on every host and gives the results in the order of the hosts", () =>
    Effect.gen(function* () {
      const { exit, fleet, say, settle, start, tasks } = yield* makeHosts(["a", "b", "c"])
      const id = yield* start()
      assert.match(id, /^tag\.web:0123456789abcdef:[0-9A-Z]{26}$/)
      yield* settle
      assert.strictEqual((yield* Effect.flip(fleet.result(id)))._tag, "TaskNotFinished")
      yield* say("b", "two\n")
      yield* say("a", "one\n")
      yield* exit("c", 3)
      yield* exit("b")
      yield* settle
      assert.deepInclude(yield* tasks.status(id), { kind: "fan_out", status: "running", progress_percent: 66 })
      yield* exit("a")
      yield* tasks.await(id)
      assert.deepInclude(yield* tasks.status(id), { status: "completed", progress_percent: 100 })
      const result = yield* fleet.result(id)
      assert.strictEqual(result.task_id, id)
      assert.deepStrictEqual(
        result.results.map((r) => ("denied" in r ? [] : [r.alias, r.exit_code, r.output])),
        [
          ["a", 0, "one\n"],
          ["b", 0, "two\n"],
          ["c", 3, ""]
        ]
      )
      assert.deepStrictEqual(result.failed_hosts, ["c"])
      assert.deepStrictEqual(result.not_started, [])
      assert.deepStrictEqual(result.summary, {
        total_hosts: 3,
        successful: 2,
        failed: 1,
        cancelled: 0,
        timeout: 0,
        denied: 0
      })
      yield* settle
      yield* assertIdle
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("the parent's output is the hosts' lines, each with its alias, and never half a line", () =>
    Effect.gen(function* () {
      const { exit, say, settle, start, tasks } = yield* makeHosts(["a", "b"])
      const id = yield* start()
      yield* settle
      yield* say("a", "first ha")
      yield* say("b", "x\ny\nz")
      yield* say("a", "error\n", "stderr")
      yield* say("a", "lf\n")
      yield* Effect.forEach(["a", "b"], (alias) => exit(alias))
      yield* tasks.await(id)
      const { output_lines } = yield* tasks.output(id, { maxLines: 100 })
      assert.deepStrictEqual(output_lines, ["b: x", "b: y", "a: error", "a: first half", "b: z"])
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("a host that is denied is a result of its own, and a fan-out in which none succeeded has failed", () =>
    Effect.gen(function* () {
      const { denials, exit, fleet, start, tasks } = yield* makeHosts(["a", "b"])
      denials.add("a")
      yield* exit("b", 1)
      const id = yield* start()
      yield* tasks.await(id)
      const { failed_hosts, results, summary } = yield* fleet.result(id)
      assert.deepStrictEqual(results[0], {
        alias: "a",
        denied: true,
        reason: "policy",
        hint: "ask"
      })
      assert.deepStrictEqual(failed_hosts, ["a", "b"])
      assert.deepInclude(summary, { denied: 1, failed: 1, successful: 0 })
      assert.deepInclude(yield* tasks.status(id), {
        status: "failed",
        status_message: "The command succeeded on no host."
      })
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("the window slides: the next host starts when one ends, and never more run than the concurrency", () =>
    Effect.gen(function* () {
      const { exit, live, settle, start, started, tasks } = yield* makeHosts(names(6))
      const id = yield* start({ concurrency: 2 })
      yield* settle
      assert.deepStrictEqual(yield* started, ["h0", "h1"])
      yield* exit("h1")
      yield* settle
      assert.deepStrictEqual(yield* started, ["h0", "h1", "h2"])
      yield* Effect.forEach(names(6), (alias) => exit(alias))
      yield* tasks.await(id)
      assert.deepStrictEqual(yield* live, { now: 0, most: 2 })
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("a batch starts once every host of the one before has ended", () =>
    Effect.gen(function* () {
      const { exit, settle, start, started, tasks } = yield* makeHosts(names(6))
      const id = yield* start({ batch: ["1", "50%"] })
      yield* settle
      assert.deepStrictEqual(yield* started, ["h0"])
      yield* exit("h0")
      yield* settle
      assert.deepStrictEqual(yield* started, names(4))
      yield* exit("h1")
      yield* exit("h3")
      yield* settle
      assert.deepStrictEqual(yield* started, names(4))
      yield* exit("h2")
      yield* settle
      assert.deepStrictEqual(yield* started, names(6))
      yield* Effect.forEach(["h4", "h5"], (alias) => exit(alias))
      yield* tasks.await(id)
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("once more than max_failures hosts failed none is started, and those that run end as they would", () =>
    Effect.gen(function* () {
      const { denials, exit, fleet, settle, start, started, tasks } = yield* makeHosts(names(8))
      denials.add("h1")
      const id = yield* start({ concurrency: 3, maxFailures: "1" })
      yield* settle
      assert.deepStrictEqual(yield* started, names(4))
      yield* exit("h0", 1)
      yield* settle
      assert.deepStrictEqual(yield* started, names(4))
      yield* exit("h2")
      yield* exit("h3")
      yield* tasks.await(id)
      const result = yield* fleet.result(id)
      assert.deepStrictEqual(result.not_started, ["h4", "h5", "h6", "h7"])
      assert.deepStrictEqual(result.failed_hosts, ["h0", "h1"])
      assert.deepInclude(result.summary, { total_hosts: 8, successful: 2, failed: 1, denied: 1 })
      assert.strictEqual((yield* tasks.status(id)).status, "completed")
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("max_failures 0 stops after a batch in which one failed", () =>
    Effect.gen(function* () {
      const { exit, fleet, start, tasks } = yield* makeHosts(names(5))
      yield* Effect.forEach(names(5), (alias) => exit(alias, alias === "h0" ? 1 : 0))
      const id = yield* start({ batch: ["1", "100%"], maxFailures: "0" })
      yield* tasks.await(id)
      assert.deepStrictEqual((yield* fleet.result(id)).not_started, ["h1", "h2", "h3", "h4"])
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("a cancel stops every child that runs, waits for them and starts no other", () =>
    Effect.gen(function* () {
      const { exit, fleet, scripts, settle, start, started, tasks } = yield* makeHosts(names(5), { holdStop: true })
      const id = yield* start({ concurrency: 3 })
      yield* settle
      yield* exit("h0")
      yield* settle
      assert.deepStrictEqual(yield* started, names(4))
      const cancel = yield* Effect.forkChild(tasks.cancel(id), { startImmediately: true })
      const running = ["h1", "h2", "h3"].map((alias) => scripts.get(alias)!)
      yield* Effect.forEach(running, ({ stopping }) => Deferred.await(stopping))
      assert.isUndefined(cancel.pollUnsafe())
      yield* Effect.forEach(running, ({ stopGate }) => Deferred.succeed(stopGate, undefined))
      assert.deepInclude(yield* Fiber.join(cancel), { cancelled: true, remote_stopped: "confirmed" })
      const result = yield* fleet.result(id)
      assert.deepStrictEqual(
        result.results.map((r) => ("denied" in r ? "denied" : r.status)),
        ["completed", "cancelled", "cancelled", "cancelled"]
      )
      assert.deepStrictEqual(result.not_started, ["h4"])
      assert.deepInclude(result.summary, { total_hosts: 5, successful: 1, cancelled: 3 })
      assert.strictEqual((yield* tasks.status(id)).status, "cancelled")
      yield* settle
      yield* assertIdle
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("a cancel says unconfirmed when the stop of one child is", () =>
    Effect.gen(function* () {
      const { exit, settle, start, tasks } = yield* makeHosts(["a", "b"], { remote: "unconfirmed" })
      const id = yield* start()
      yield* settle
      yield* exit("a")
      assert.deepInclude(yield* tasks.cancel(id), { cancelled: true, remote_stopped: "unconfirmed" })
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("a cancel while a host is being prepared leaves nothing behind and stops nothing", () =>
    Effect.gen(function* () {
      const { fleet, settle, start, tasks } = yield* makeHosts(["a", "b"])
      const preparing = yield* Deferred.make<void>()
      const id = yield* start({
        launch: () => Effect.andThen(Deferred.succeed(preparing, undefined), Effect.interruptible(Effect.never))
      })
      yield* Deferred.await(preparing)
      assert.deepInclude(yield* tasks.cancel(id), { cancelled: true, remote_stopped: "not_started" })
      const result = yield* fleet.result(id)
      assert.deepStrictEqual([result.results, result.not_started], [[], ["a", "b"]])
      yield* settle
      yield* assertIdle
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("a cancel while a task is being submitted still reaches that task", () =>
    Effect.gen(function* () {
      const { scripts, settle, start, tasks } = yield* makeHosts(["a"])
      const submitting = yield* Deferred.make<void>()
      const gate = yield* Deferred.make<void>()
      const id = yield* start({
        launch: Effect.fnUntraced(function* (alias, onOutput) {
          yield* Deferred.succeed(submitting, undefined)
          yield* Deferred.await(gate)
          const taskId = yield* tasks.submit(command({ alias, onOutput }), scripts.get(alias)!.start).pipe(Effect.orDie)
          return { _tag: "Started", taskId } satisfies Launch
        })
      })
      yield* Deferred.await(submitting)
      const cancel = yield* Effect.forkChild(tasks.cancel(id), { startImmediately: true })
      yield* Deferred.succeed(gate, undefined)
      assert.isTrue((yield* Fiber.join(cancel)).cancelled)
      const children = yield* Effect.forEach(yield* tasks.ids({ alias: "a" }), tasks.status)
      assert.deepStrictEqual(
        children.map(({ status }) => status),
        ["cancelled"]
      )
      yield* settle
      yield* assertIdle
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("a child that is cancelled alone counts as cancelled, and the others go on", () =>
    Effect.gen(function* () {
      const { exit, fleet, settle, start, tasks } = yield* makeHosts(["a", "b"])
      const id = yield* start()
      yield* settle
      const [child] = yield* tasks.ids({ alias: "a" })
      yield* tasks.cancel(child!)
      yield* exit("b")
      yield* tasks.await(id)
      assert.deepInclude((yield* fleet.result(id)).summary, { successful: 1, cancelled: 1 })
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("a host that runs into its time limit counts as timeout", () =>
    Effect.gen(function* () {
      const { exit, fleet, settle, start, tasks } = yield* makeHosts(["a", "b"])
      const id = yield* start()
      yield* settle
      yield* exit("b")
      yield* TestClock.adjust("61 seconds")
      yield* tasks.await(id)
      const { failed_hosts, summary } = yield* fleet.result(id)
      assert.deepInclude(summary, { successful: 1, timeout: 1 })
      assert.deepStrictEqual(failed_hosts, ["a"])
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("a result lives as long as its parent task, also when its children expired long before", () =>
    Effect.gen(function* () {
      const { exit, fleet, settle, start, tasks } = yield* makeHosts(["a", "b"])
      const id = yield* start()
      yield* settle
      yield* exit("a")
      yield* settle
      // The child of `a` has a TTL of 300 s; the child of `b` has no end yet.
      yield* TestClock.adjust("59 seconds")
      yield* exit("b")
      yield* tasks.await(id)
      yield* TestClock.adjust("299 seconds")
      assert.strictEqual((yield* tasks.ids({ alias: "a" })).length, 0)
      assert.strictEqual((yield* fleet.result(id)).results.length, 2)
      assert.isTrue(yield* fleet.has(id))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Effect.flip(fleet.result(id)))._tag, "TaskNotFound")
      assert.isFalse(yield* fleet.has(id))
      assert.strictEqual(yield* fleet.held, 0)
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("the task of a single host is not a fan-out", () =>
    Effect.gen(function* () {
      const { fleet, scripts, tasks } = yield* makeHosts(["a"])
      const id = yield* tasks.submit(command({ alias: "a" }), scripts.get("a")!.start)
      assert.isFalse(yield* fleet.has(id))
      assert.strictEqual((yield* Effect.flip(fleet.result(id)))._tag, "TaskNotFound")
    }).pipe(Effect.provide(testLayer))
  )

  it.effect("shutdown ends the fan-out and its children", () =>
    Effect.gen(function* () {
      const { fleet, settle, start, tasks } = yield* makeHosts(names(4))
      const id = yield* start({ concurrency: 2 })
      yield* settle
      yield* tasks.shutdown
      assert.strictEqual((yield* tasks.status(id)).status, "cancelled")
      assert.deepInclude((yield* fleet.result(id)).summary, { cancelled: 2 })
      yield* settle
      yield* assertIdle
    }).pipe(Effect.provide(testLayer))
  )

  const Hosts = Schema.Array(Schema.Literals(["ok", "fail", "denied"]))
  it.effect.prop(
    "any fan-out accounts for every host, in order, within its window",
    {
      hosts: Hosts,
      concurrency: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4 })),
      batch: Schema.Array(Schema.Literals(["1", "3", "25%", "100%"])),
      maxFailures: Schema.Literals(["0", "1", "50%", "100%"])
    },
    ({ batch, concurrency, hosts, maxFailures }) =>
      Effect.gen(function* () {
        const aliases = names(hosts.length)
        const { denials, exit, fleet, live, settle, start, tasks } = yield* makeHosts(aliases)
        for (const [i, kind] of hosts.entries()) if (kind === "denied") denials.add(`h${i}`)
        const id = yield* start({ concurrency, batch, maxFailures })
        // Hosts end in the reverse of the order in which they could have started.
        yield* Effect.forEach([...hosts.entries()].reverse(), ([i, kind]) =>
          Effect.andThen(exit(`h${i}`, kind === "fail" ? 1 : 0), settle)
        )
        yield* tasks.await(id)
        const { failed_hosts = [], not_started = [], results, summary } = yield* fleet.result(id)
        assert.deepStrictEqual(
          results.map(({ alias }) => alias),
          aliases.filter((alias) => !not_started.includes(alias))
        )
        assert.strictEqual(summary?.total_hosts, hosts.length)
        assert.strictEqual((summary?.successful ?? 0) + failed_hosts.length + not_started.length, hosts.length)
        for (const [i, alias] of aliases.entries()) {
          if (!not_started.includes(alias)) assert.strictEqual(failed_hosts.includes(alias), hosts[i] !== "ok")
        }
        assert.isAtMost((yield* live).most, concurrency)
        if (maxFailures === "100%") assert.deepStrictEqual(not_started, [])
        yield* settle
        yield* assertIdle
      }).pipe(Effect.provide(testLayer)),
    { arbitrary: { runs: 60 } }
  )
})

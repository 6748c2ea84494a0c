import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Layer, Ref, Schema } from "effect"
import { TestClock } from "effect/testing"
import { splitBatches } from "../../src/fleet/Batch.ts"
import { Fleet, type FleetRequest, type Launch } from "../../src/fleet/Fleet.ts"
import type { FleetResult } from "../../src/fleet/FleetResult.ts"
import { tooManyFailures } from "../../src/fleet/MaxFailures.ts"
import { TaskSupervisor } from "../../src/task/TaskSupervisor.ts"
import { assertIdle, command, LIMITS, supervisorLayer } from "../task/TaskHarness.ts"

const testLayer = Fleet.layer.pipe(Layer.provideMerge(supervisorLayer))

/** A host whose command runs for `millis` and then exits with `code`; -1: policy denies it. */
const Host = Schema.Struct({
  millis: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 50 })),
  code: Schema.Literals([0, 0, 0, 1, -1])
})
type Host = typeof Host.Type

/** When a command ran on a host. */
interface Span {
  readonly start: number
  readonly end: number
}

const nameOf = (at: number): string => `h${at}`

/** Runs a fan-out on hosts that take their time; `during` happens meanwhile. */
const rollOut = Effect.fnUntraced(function* (
  hosts: ReadonlyArray<Host>,
  options: Pick<FleetRequest, "concurrency" | "batch" | "maxFailures">,
  limits: Partial<FleetRequest["limits"]> = {},
  during: (id: string) => Effect.Effect<unknown, never, TaskSupervisor> = () => Effect.void
) {
  const tasks = yield* TaskSupervisor
  const fleet = yield* Fleet
  const starts = yield* Ref.make<ReadonlyMap<string, number>>(new Map())
  const ends = yield* Ref.make<ReadonlyMap<string, number>>(new Map())
  const note = (times: Ref.Ref<ReadonlyMap<string, number>>, alias: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => Ref.update(times, (known) => new Map(known).set(alias, now)))
  const launch: FleetRequest["launch"] = Effect.fnUntraced(function* (alias, onOutput) {
    const { code, millis } = hosts[Number(alias.slice(1))] ?? { code: 0, millis: 1 }
    if (code < 0) return { _tag: "Denied", reason: "policy", hint: "ask" } satisfies Launch
    const taskId = yield* tasks
      .submit(command({ alias, onOutput }, limits), () =>
        Effect.acquireRelease(
          Effect.as(note(starts, alias), {
            targetIp: "192.0.2.1",
            wait: Effect.as(Effect.sleep(Duration.millis(millis)), { _tag: "Exited" as const, code })
          }),
          () => note(ends, alias)
        )
      )
      .pipe(Effect.orDie)
    return { _tag: "Started", taskId } satisfies Launch
  })
  // The first sleep on a fresh TestClock is interruptible even in a finalizer; this disarms it.
  yield* TestClock.adjust(0)
  const id = yield* fleet.start({
    tag: "web",
    command: "uptime",
    hash: "0123456789abcdef",
    aliases: hosts.map((_, at) => nameOf(at)),
    limits: { ...LIMITS, ...limits },
    launch,
    ...options
  })
  const other = yield* Effect.forkChild(during(id), { startImmediately: true })
  const step = Math.max(20, ...hosts.map(({ millis }) => millis))
  yield* Effect.repeat(TestClock.adjust(Duration.millis(step)), {
    until: () => Effect.map(tasks.status(id), ({ progress_percent }) => progress_percent === 100)
  })
  yield* Fiber.interrupt(other)
  const [began, ended] = [yield* Ref.get(starts), yield* Ref.get(ends)]
  const spans = new Map(
    [...began].map(([alias, start]): readonly [string, Span] => [alias, { start, end: ended.get(alias) ?? Infinity }])
  )
  return { id, tasks, spans, order: [...began.keys()], result: yield* fleet.result(id) }
})

/** Every host is told of exactly once: with a result, or as not started. */
const assertAccounted = (hosts: ReadonlyArray<Host>, { not_started = [], results, summary }: FleetResult) => {
  const aliases = hosts.map((_, at) => nameOf(at))
  assert.sameMembers([...results.map(({ alias }) => alias), ...not_started], aliases)
  assert.lengthOf([...results, ...not_started], aliases.length)
  const { cancelled = 0, denied = 0, failed = 0, successful = 0, timeout = 0, total_hosts } = summary ?? {}
  assert.strictEqual(cancelled + denied + failed + successful + timeout + not_started.length, total_hosts)
}

const Concurrency = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 }))
const Hosts = Schema.Array(Host).check(Schema.isMaxLength(14))
const Batch = Schema.Array(Schema.Literals(["1", "2", "5", "25%", "100%"])).check(Schema.isMaxLength(3))

describe("any fan-out on hosts that take their time", () => {
  it.effect.prop(
    "starts hosts in their order, batch after batch, and keeps its window full",
    { hosts: Hosts, concurrency: Concurrency, batch: Batch },
    ({ batch, concurrency, hosts }) =>
      Effect.gen(function* () {
        const { order, result, spans } = yield* rollOut(hosts, { concurrency, batch })
        assertAccounted(hosts, result)
        assert.deepStrictEqual(result.not_started, [])
        const runnable = hosts.flatMap(({ code }, at) => (code < 0 ? [] : [nameOf(at)]))
        assert.deepStrictEqual(order, runnable)
        let before = 0
        for (const members of splitBatches(
          hosts.map((_, at) => nameOf(at)),
          batch
        )) {
          const ran = members.flatMap((alias) => spans.get(alias) ?? [])
          for (const { start } of ran) assert.isAtLeast(start, before, "begins when the batch before has ended")
          for (const { end: moment } of ran) {
            const running = ran.filter(({ end, start }) => start <= moment && moment < end).length
            const waiting = ran.filter(({ start }) => start > moment).length
            assert.isAtMost(running, concurrency)
            if (waiting > 0) assert.strictEqual(running, concurrency, "no place is left empty while a host waits")
          }
          before = Math.max(before, ...ran.map(({ end }) => end))
        }
      }).pipe(Effect.provide(testLayer)),
    { arbitrary: { runs: 80 } }
  )

  it.effect.prop(
    "starts no host once more than max_failures failed, and says so; without too many failures it starts all",
    {
      hosts: Hosts,
      concurrency: Concurrency,
      batch: Batch,
      maxFailures: Schema.Literals(["0", "1", "3", "20%", "50%", "100%"])
    },
    ({ batch, concurrency, hosts, maxFailures }) =>
      Effect.gen(function* () {
        const { result, spans } = yield* rollOut(hosts, { concurrency, batch, maxFailures })
        assertAccounted(hosts, result)
        const failedBefore = (moment: number) =>
          [...spans].filter(([alias, { end }]) => end < moment && hosts[Number(alias.slice(1))]?.code === 1).length
        for (const { start } of spans.values()) {
          assert.isFalse(tooManyFailures(maxFailures, failedBefore(start), hosts.length))
        }
        const exceeded = tooManyFailures(maxFailures, result.failed_hosts?.length ?? 0, hosts.length)
        const notStarted = result.not_started?.length ?? 0
        if (!exceeded) assert.strictEqual(notStarted, 0)
        assert.strictEqual(result.note !== undefined, notStarted > 0)
        if (notStarted > 0) assert.include(result.note, `so ${notStarted} were not started`)
      }).pipe(Effect.provide(testLayer)),
    { arbitrary: { runs: 80 } }
  )

  it.effect.prop(
    "a cancel at any moment ends every host that runs, keeps the results that are there, and starts no other",
    {
      hosts: Hosts,
      concurrency: Concurrency,
      batch: Batch,
      at: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 }))
    },
    ({ at, batch, concurrency, hosts }) =>
      Effect.gen(function* () {
        const tasks = yield* TaskSupervisor
        const { id, result, spans } = yield* rollOut(hosts, { concurrency, batch }, {}, (parent) =>
          Effect.andThen(Effect.sleep(Duration.millis(at)), tasks.cancel(parent))
        )
        assertAccounted(hosts, result)
        const { status } = yield* tasks.status(id)
        for (const one of result.results) {
          if ("denied" in one) continue
          const { code, millis } = hosts[Number(one.alias.slice(1))] ?? { code: -1, millis: 0 }
          const { end, start } = spans.get(one.alias) ?? { start: NaN, end: NaN }
          assert.isAtMost(end, Math.max(start + millis, at))
          if (one.status === "cancelled") assert.isTrue(status === "cancelled" && end === at)
          else assert.deepStrictEqual([one.exit_code, end], [code, start + millis])
        }
        for (const { start } of spans.values()) assert.isAtMost(start, at)
        if (status !== "cancelled") assert.deepStrictEqual(result.not_started, [])
        yield* Effect.repeat(TestClock.adjust(0), { times: 20 })
        yield* assertIdle
      }).pipe(Effect.provide(testLayer)),
    { arbitrary: { runs: 80 } }
  )

  it.effect("starts no more hosts than the server can run, so that none waits too long for a slot", () =>
    Effect.gen(function* () {
      const hosts = Array.from({ length: 12 }, (): Host => ({ millis: 50_000, code: 0 }))
      const { order, result } = yield* rollOut(hosts, { concurrency: 12 }, { max_concurrent_tasks: 3 })
      assert.lengthOf(order, 12)
      assert.strictEqual(result.summary?.successful, 12)
    }).pipe(Effect.provide(testLayer))
  )
})

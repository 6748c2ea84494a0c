import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Ref, Schema } from "effect"
import { Scheduler } from "effect/Scheduler"
import { TestClock, TestConsole } from "effect/testing"
import type { TaskReport } from "../../src/task/TaskReport.ts"
import { TaskSupervisor } from "../../src/task/TaskSupervisor.ts"
import { command, makeScript, records, type RemoteScript, sshError, supervisorLayer } from "./TaskHarness.ts"
import { seededScheduler } from "./SeededScheduler.ts"

/** Steps of one run: enough that most tasks get all the way through. */
const LENGTH = { minimum: 60, maximum: 120 }

const GLOBAL = 3
const PER_HOST = 2
const QUEUED = 4

const Which = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))
const Step = Schema.Union([
  Schema.TaggedStruct("Submit", {
    alias: Schema.Literals(["a", "b", "c"]),
    seconds: Schema.Literals([0, 1, 5]),
    connects: Schema.Boolean,
    remote: Schema.Literals(["confirmed", "unconfirmed", "silent"])
  }),
  Schema.TaggedStruct("Connect", { which: Which }),
  Schema.TaggedStruct("Refuse", { which: Which }),
  Schema.TaggedStruct("Write", { which: Which }),
  Schema.TaggedStruct("Exit", { which: Which, code: Schema.Literals([0, 1]) }),
  Schema.TaggedStruct("Lose", { which: Which }),
  Schema.TaggedStruct("Cancel", { which: Which }),
  Schema.TaggedStruct("Advance", { millis: Schema.Literals([1, 999, 1000, 5000, 60_000]) })
])
type Step = typeof Step.Type

const EDGES: Record<string, ReadonlyArray<string>> = {
  pending: ["running", "failed", "cancelled"],
  running: ["completed", "failed", "cancelled", "timeout"]
}
const isLive = ({ status }: TaskReport) => status === "pending" || status === "running"

interface Known {
  readonly id: string
  readonly alias: string
  readonly script: RemoteScript
  readonly written: Ref.Ref<number>
  readonly last: Ref.Ref<TaskReport | undefined>
}

/** Returns once no fiber can go on without the clock: the scheduler empties its list before the event loop comes back. */
const quiesce = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
}).pipe(Effect.repeat({ times: 2 }))

/** Reports only grow, and those of an ended task stand still. */
const checkReport = Effect.fnUntraced(function* (known: Known, report: TaskReport) {
  const before = yield* Ref.get(known.last)
  yield* Ref.set(known.last, report)
  if (before === undefined) return
  assert.isAtLeast(report.progress_percent, before.progress_percent)
  assert.isAtLeast(report.elapsed_ms, before.elapsed_ms)
  assert.isAtLeast(report.bytes_read, before.bytes_read)
  if (!isLive(before)) assert.deepStrictEqual({ ...report, keepAlive: 0 }, { ...before, keepAlive: 0 })
  if (isLive(report)) assert.isBelow(report.progress_percent, 100)
})

const checkAll = Effect.fnUntraced(function* (all: ReadonlyArray<Known>) {
  const tasks = yield* TaskSupervisor
  const audits = yield* records("audit")
  const reports = new Map(
    (yield* Effect.forEach(yield* tasks.ids({}), tasks.status)).map((report) => [report.task_id, report])
  )
  const live = new Map<string, number>()
  const waiting: Array<string> = []
  let holding = 0
  for (const known of all) {
    const report = reports.get(known.id)
    const audited = audits.filter(({ task_id }) => task_id === known.id)
    if (report === undefined || !isLive(report)) {
      assert.lengthOf(audited, 1)
      assert.strictEqual(audited[0]?.["bytes_out"], yield* Ref.get(known.written))
      continue
    }
    yield* checkReport(known, report)
    assert.lengthOf(audited, 0)
    if (yield* Deferred.isDone(known.script.called)) {
      holding += 1
      live.set(known.alias, (live.get(known.alias) ?? 0) + 1)
    } else waiting.push(known.alias)
  }
  const held = yield* tasks.held
  assert.deepInclude(held, { slots: holding, queued: waiting.length })
  assert.isAtMost(holding, GLOBAL)
  assert.isAtMost(waiting.length, QUEUED)
  for (const count of live.values()) assert.isAtMost(count, PER_HOST)
  // Nobody waits for a slot that is free.
  for (const alias of waiting) assert.isTrue(holding === GLOBAL || live.get(alias) === PER_HOST)
})

const play = (steps: ReadonlyArray<Step>, seed: number) =>
  Effect.gen(function* () {
    const tasks = yield* TaskSupervisor
    yield* TestClock.adjust(0)
    const all: Array<Known> = []
    const cancels: Array<Fiber.Fiber<unknown>> = []
    const limits = {
      max_concurrent_tasks: GLOBAL,
      max_tasks_per_host: PER_HOST,
      max_queued_tasks: QUEUED,
      task_result_ttl: 100
    }
    const submit = Effect.fnUntraced(function* ({
      alias,
      connects,
      remote,
      seconds
    }: Extract<Step, { _tag: "Submit" }>) {
      const script = yield* makeScript({ remote })
      if (connects) yield* Deferred.succeed(script.connect, undefined)
      const id = yield* Effect.option(
        tasks.submit(command({ alias }, { ...limits, max_seconds: seconds }), script.start)
      )
      if (id._tag === "None") return
      const written = yield* Ref.make(0)
      all.push({ id: id.value, alias, script, written, last: yield* Ref.make<TaskReport | undefined>(undefined) })
    })
    for (const step of steps) {
      if (step._tag === "Submit") yield* submit(step)
      else if (step._tag === "Advance") yield* TestClock.adjust(step.millis)
      else if (all.length > 0) {
        const known = all[all.length - 1 - (step.which % all.length)]!
        const { connect, exit, io } = known.script
        if (step._tag === "Connect") yield* Deferred.succeed(connect, undefined)
        if (step._tag === "Refuse") yield* Deferred.fail(connect, sshError("ConnectionRefused"))
        if (step._tag === "Exit") yield* Deferred.succeed(exit, { _tag: "Exited", code: step.code })
        if (step._tag === "Lose") yield* Deferred.fail(exit, sshError("ConnectionLost"))
        if (step._tag === "Cancel") cancels.push(yield* Effect.forkChild(tasks.cancel(known.id)))
        if (step._tag === "Write" && (yield* Deferred.isDone(io))) {
          const before = yield* Effect.option(tasks.status(known.id))
          if (before._tag === "Some" && isLive(before.value)) {
            yield* (yield* Deferred.await(io)).output({ stream: "stdout", bytes: new Uint8Array([120, 10]) })
            yield* Ref.update(known.written, (n) => n + 2)
          }
        }
      }
      yield* quiesce
      yield* checkAll(all)
    }
    yield* tasks.shutdown
    yield* Effect.forEach(cancels, Fiber.join)
    yield* checkAll(all)
    const edges = yield* records("task")
    for (const { id } of all) {
      const own = edges.filter(({ task_id }) => task_id === id)
      for (const { from, to } of own) assert.isTrue(EDGES[String(from)]?.includes(String(to)))
      assert.strictEqual(own.filter(({ to }) => to !== "running").length, 1)
    }
    yield* TestClock.adjust("102 seconds")
    yield* quiesce
    assert.deepStrictEqual(yield* tasks.held, { records: 0, fibers: 0, slots: 0, queued: 0 })
  }).pipe(
    Effect.provide(supervisorLayer, { local: true }),
    Effect.provide(TestConsole.layer, { local: true }),
    Effect.provide(TestClock.layer(), { local: true }),
    // Some seeds pre-empt all the time, some hardly ever.
    Effect.provideService(Scheduler, seededScheduler(seed, 4 << (seed % 6)))
  )

describe("any sequence of submissions, ends, cancels and time", () => {
  it.effect.prop(
    "keeps the limits, ends every task once with one audit record, and leaves nothing behind",
    {
      steps: Schema.Array(Step).check(Schema.isBetweenLength(LENGTH.minimum, LENGTH.maximum)),
      seed: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
    },
    ({ seed, steps }) => play(steps, seed),
    { timeout: 60_000, arbitrary: { runs: 40, seed: "tasks" } }
  )
})

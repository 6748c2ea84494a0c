import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Exit, Fiber, Queue, Random, Ref } from "effect"
import { seededRandom } from "../../../src/simulation/world/SeededRandom.ts"
import { makeWorld, type WorldEnd } from "../../../src/simulation/world/SimulatedWorld.ts"

const worldOf = (seed: number) => makeWorld(seededRandom(seed))

const valueOf = <A, E>(end: WorldEnd<A, E>): A => {
  if (end._tag !== "Ended" || !Exit.isSuccess(end.exit)) throw new Error(`no value: ${JSON.stringify(end)}`)
  return end.exit.value
}

/** The order in which `count` fibers of several steps each come to their steps. */
const interleaving = (count: number) =>
  Effect.gen(function* () {
    const order = yield* Ref.make<ReadonlyArray<string>>([])
    yield* Effect.forEach(
      Array.from({ length: count }, (_, at) => at),
      (fiber) =>
        Effect.gen(function* () {
          for (let step = 0; step < 5; step++) {
            yield* Ref.update(order, (known) => [...known, `${fiber}.${step}`])
            yield* Effect.yieldNow
          }
        }),
      { concurrency: "unbounded" }
    )
    return (yield* Ref.get(order)).join(" ")
  })

describe("SimulatedWorld", () => {
  it("a day of sleep takes no real time, and exactly a day of virtual time", () => {
    const world = worldOf(1)
    const slept = world.run(
      Effect.gen(function* () {
        const wall = yield* Clock.currentTimeMillis
        const monotonic = yield* Clock.monotonicTimeNanos
        yield* Effect.sleep("1 day")
        return [(yield* Clock.currentTimeMillis) - wall, Number((yield* Clock.monotonicTimeNanos) - monotonic) / 1e6]
      })
    )
    assert.deepStrictEqual(valueOf(slept), [86_400_000, 86_400_000])
    assert.strictEqual(world.now(), 86_400_000)
  })

  it("equal seeds interleave fibers alike, other seeds otherwise", () => {
    const orders = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => valueOf(worldOf(seed).run(interleaving(4))))
    assert.deepStrictEqual(
      orders,
      [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => valueOf(worldOf(seed).run(interleaving(4))))
    )
    assert.isAbove(new Set(orders).size, 6)
  })

  it("some seed makes a fiber give way between any two operations, so that a lost update shows", () => {
    const torn = Effect.gen(function* () {
      const total = yield* Ref.make(0)
      const add = Effect.gen(function* () {
        const before = yield* Ref.get(total)
        for (let at = 0; at < 8; at++) yield* Effect.suspend(() => Effect.void)
        yield* Ref.set(total, before + 1)
      })
      yield* Effect.all([add, add, add], { concurrency: "unbounded" })
      return yield* Ref.get(total)
    })
    const totals = new Set(Array.from({ length: 40 }, (_, seed) => valueOf(worldOf(seed).run(torn))))
    assert.isTrue(totals.has(3))
    assert.isTrue(totals.has(1) || totals.has(2))
  })

  it("sleeps end in the order of their times, and those of the same moment in drawn order", () => {
    const program = Effect.gen(function* () {
      const order = yield* Ref.make("")
      const sleeper = (name: string, millis: number) =>
        Effect.andThen(
          Effect.sleep(millis),
          Ref.update(order, (known) => known + name)
        )
      yield* Effect.all([sleeper("d", 9), sleeper("a", 5), sleeper("b", 5), sleeper("c", 5), sleeper("_", 0.5)], {
        concurrency: "unbounded"
      })
      return yield* Ref.get(order)
    })
    const orders = new Set(Array.from({ length: 60 }, (_, seed) => valueOf(worldOf(seed).run(program))))
    for (const order of orders) assert.match(order, /^_[abc]{3}d$/)
    assert.strictEqual(orders.size, 6)
  })

  it("an interrupted sleep leaves nothing behind", () => {
    const world = worldOf(3)
    const end = world.run(
      Effect.gen(function* () {
        const fibers = yield* Effect.forEach(Array.from({ length: 5000 }), () =>
          Effect.forkChild(Effect.sleep("1 hour"), { startImmediately: true })
        )
        yield* Fiber.interruptAll(fibers)
        yield* Effect.sleep("1 second")
        return world.sleeping()
      })
    )
    assert.strictEqual(valueOf(end), 0)
    assert.strictEqual(world.now(), 1000)
  })

  it("a wait that nothing ends is found", () => {
    const waiting = Effect.flatMap(Deferred.make<void>(), Deferred.await)
    assert.deepStrictEqual(worldOf(4).run(waiting), { _tag: "Stuck" })
    assert.deepStrictEqual(worldOf(4).run(Effect.flatMap(Queue.unbounded<number>(), Queue.take)), { _tag: "Stuck" })
  })

  it("a wait for the real world is found, and the loop does not wait for it", () => {
    assert.deepStrictEqual(worldOf(4).run(Effect.promise(() => Promise.resolve(1))), { _tag: "Stuck" })
  })

  it("a run that goes on for ever meets a bound, of turns when no time passes", () => {
    const bounds = { maxTurns: 10_000, maxMillis: 60_000 }
    assert.deepStrictEqual(worldOf(5).run(Effect.forever(Effect.yieldNow), bounds), {
      _tag: "Exhausted",
      bound: "turns"
    })
    assert.deepStrictEqual(worldOf(5).run(Effect.forever(Effect.sleep("1 second")), bounds), {
      _tag: "Exhausted",
      bound: "time"
    })
  })

  it("a jump of the wall clock moves neither the monotonic clock nor a sleep", () => {
    const world = worldOf(6)
    const end = world.run(
      Effect.gen(function* () {
        const wall = yield* Clock.currentTimeMillis
        const sleeper = yield* Effect.forkChild(Effect.timed(Effect.sleep("10 seconds")), { startImmediately: true })
        yield* Effect.sync(() => world.jump(-3_600_000))
        const [took] = yield* Fiber.join(sleeper)
        return [(yield* Clock.currentTimeMillis) - wall, Duration.toMillis(took)]
      })
    )
    assert.deepStrictEqual(valueOf(end), [10_000 - 3_600_000, 10_000])
    assert.strictEqual(world.now(), 10_000)
  })

  it("random numbers of effects come from the seed", () => {
    const draw = Effect.all([Random.next, Random.nextInt, Random.nextIntBetween(1, 6)])
    const drawn = valueOf(worldOf(7).run(draw))
    assert.deepStrictEqual(drawn, valueOf(worldOf(7).run(draw)))
    assert.notDeepEqual(drawn, valueOf(worldOf(8).run(draw)))
    assert.isTrue(drawn[0] >= 0 && drawn[0] < 1)
    assert.isTrue(Number.isSafeInteger(drawn[1]))
  })

  it("a defect is an end, not a crash of the loop", () => {
    const end = worldOf(9).run(Effect.die(new Error("a bug")))
    assert.isTrue(end._tag === "Ended" && Exit.hasDies(end.exit))
  })
})

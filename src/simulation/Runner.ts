import { Cause, Effect, Exit, Fiber, FiberSet } from "effect"
import { PreventSchedulerYield } from "effect/Scheduler"
import type { EventLog } from "./world/EventLog.ts"
import { makeClientMemory } from "./workload/ClientMemory.ts"
import type { Checker, Phase } from "./invariants/Observation.ts"
import { quietWithinSeconds } from "./workload/QuietTime.ts"
import { isBadChange, isSubmit, type Scenario, type Step } from "./workload/Scenario.ts"
import { changeConfig, type ConfigState, configTexts, initialConfig } from "./workload/ScenarioConfig.ts"
import type { SeededRandom } from "./world/SeededRandom.ts"
import type { SimulatedFleet } from "./hosts/SimulatedFleet.ts"
import { openServer, type ToolAnswer } from "./world/SimulatedServer.ts"
import type { World } from "./world/SimulatedWorld.ts"
import { callsOf, type ToolCall } from "./workload/StepCall.ts"

/** Between two looks at whether all is over. */
const LOOK_EVERY_SECONDS = 5
/** An unused connection is closed after 60 s; one to a jump host becomes unused when those through it are closed. */
const IDLE_SECONDS = 65

/** What a run is made of. */
export interface RunOptions {
  readonly scenario: Scenario
  readonly world: World
  readonly fleet: SimulatedFleet
  readonly random: SeededRandom
  readonly log: EventLog
  readonly checker: Checker
}

/** What went wrong, as far as it is the same on every machine: no stack. */
const describe = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

/**
 * Plays the steps of a scenario against a server of its own. Each begins at its time and goes on beside the later ones;
 * then everything is given the time to end, and the server is closed.
 */
export const playScenario = Effect.fnUntraced(function* (options: RunOptions) {
  const { checker, fleet, log, random, scenario, world } = options
  let config: ConfigState = initialConfig(scenario)
  const server = yield* openServer({
    texts: configTexts(scenario, config),
    transport: fleet.transport,
    dns: fleet.dns,
    random: random.fork("server"),
    log
  })
  const memory = makeClientMemory()
  log.listen(memory.event)
  const calls = yield* FiberSet.make<void>()
  const byKey = new Map<number, Fiber.Fiber<void>>()
  const startedAt = world.now()

  /** Looks at everything at once: a fiber that ran in between would make the numbers of two moments one. */
  const observe = (phase: Phase) =>
    Effect.gen(function* () {
      const held = yield* server.held
      const running = yield* server.running
      checker.observe({
        phase,
        at: world.now(),
        held,
        running,
        fleet: fleet.counts(),
        processes: fleet.processes
      })
    }).pipe(Effect.provideService(PreventSchedulerYield, true))

  const make = (step: number, key: number | undefined, { input, tool }: ToolCall) => {
    const started = (taskId: string) =>
      Effect.sync(() => {
        if (key !== undefined) memory.started(key, taskId)
        log.append({ _tag: "TaskStarted", step, taskId })
      })
    const ended = (exit: Exit.Exit<ToolAnswer>) =>
      Effect.suspend(() => {
        if (Exit.isSuccess(exit)) {
          const { isError, outcome, value } = exit.value
          memory.answered(key, tool, input, value)
          log.append({ _tag: "Answered", step, tool, outcome, isError, value })
        } else if (Cause.hasInterruptsOnly(exit.cause)) {
          log.append({ _tag: "Disconnected", step })
        } else {
          log.append({ _tag: "Died", step, detail: describe(exit.cause) })
        }
        return observe("working")
      })
    // The turn before the call lets another fiber come first.
    return Effect.interruptible(Effect.andThen(Effect.yieldNow, server.call(tool, input, started))).pipe(
      Effect.onExit(ended),
      Effect.exit,
      Effect.asVoid
    )
  }

  /** Makes the calls of a step, none of which is waited for. */
  const call = Effect.fnUntraced(function* (index: number, step: Step) {
    for (const each of callsOf(step, memory)) {
      log.append({ _tag: "StepBegan", step: index, tool: each.tool, input: each.input })
      const key = isSubmit(step) ? step.key : undefined
      // Only the call itself can be interrupted: an interruption before its first step would leave no trace of it.
      const fiber = yield* Effect.forkDetach(make(index, key, each), { startImmediately: true, uninterruptible: true })
      yield* FiberSet.add(calls, fiber)
      if (key !== undefined) byKey.set(key, fiber)
    }
  })

  const shutdown = Effect.gen(function* () {
    log.append({ _tag: "ShutdownBegan" })
    // In the order of the MCP server: the services close while requests wait for them, then the rest of those go.
    yield* server.shutdown
    yield* FiberSet.clear(calls)
    yield* FiberSet.awaitEmpty(calls)
    log.append({ _tag: "ShutdownEnded" })
  })

  const begin = Effect.fnUntraced(function* (index: number, step: Step) {
    if (callsOf(step, memory).length === 0) log.append({ _tag: "StepBegan", step: index, tool: "", input: step })
    switch (step._tag) {
      case "Disconnect": {
        const fiber = byKey.get(step.of)
        // The client's leaving is noticed at once; what it left behind may take its time.
        if (fiber !== undefined) fiber.interruptUnsafe()
        return
      }
      case "ClockJump":
        world.jump(step.millis)
        fleet.struck("", "clock-jump", "clock")
        log.append({ _tag: "ClockJumped", step: index, millis: step.millis })
        return
      case "Shutdown":
        return yield* shutdown
      case "Reload":
        config = changeConfig(scenario, config, step.change)
        yield* server.writeConfig(configTexts(scenario, config, step.change))
        log.append({ _tag: "ConfigWritten", step: index, bad: isBadChange(step.change) })
        return yield* call(index, step)
      default:
        return yield* call(index, step)
    }
  })

  const quiet = Effect.gen(function* () {
    yield* FiberSet.awaitEmpty(calls)
    const within = quietWithinSeconds(scenario)
    for (let waited = 0; waited < within; waited += LOOK_EVERY_SECONDS) {
      const { fibers, queued, records, slots } = yield* server.held
      if (records + fibers + slots + queued === 0) break
      yield* Effect.sleep(`${LOOK_EVERY_SECONDS} seconds`)
    }
    const jumps = scenario.hosts.some(({ jump }) => jump !== undefined)
    yield* Effect.sleep(`${jumps ? 2 * IDLE_SECONDS : IDLE_SECONDS} seconds`)
    yield* observe("quiet")
  })

  let closed = false
  for (const [index, step] of scenario.steps.entries()) {
    const wait = startedAt + step.at - world.now()
    if (wait > 0) yield* Effect.sleep(wait)
    yield* begin(index, step)
    if (step._tag === "Shutdown") {
      closed = true
      break
    }
    yield* observe("working")
  }
  if (!closed) {
    yield* quiet
    yield* shutdown
  }
  yield* observe("closed")
})

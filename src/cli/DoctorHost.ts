import { Clock, Duration, Effect, Option, Result, Stream } from "effect"
import { type ConfigSnapshot, type HostEntry, jumpHosts } from "../config/Inventory.ts"
import { formatProblem } from "../config/Problem.ts"
import { limitsFor } from "../policy/Policy.ts"
import { sshError, type SshFailure } from "../ssh/errors.ts"
import { HostResolver } from "../ssh/address/HostResolver.ts"
import { RunTag } from "../ssh/process/RemoteCommand.ts"
import { Target } from "../ssh/Target.ts"
import { type Connection, type ConnectStep, type OutputChunk, Transport } from "../ssh/Transport.ts"
import { probeText, stepsOfProbe } from "./DoctorProbe.ts"
import {
  type Destination,
  type Mark,
  stepOfExecFailure,
  stepsOfConnect,
  stepsOfConnectFailure
} from "./DoctorConnect.ts"
import type { HostExamination, Step } from "./DoctorSteps.ts"

/** How long a host may take to answer the probe. */
const PROBE_WITHIN = Duration.seconds(15)
/** Characters of each stream of the answer that are looked at. */
const MAX_ANSWER = 16 * 1024
/** A failure after which the next address of the host is tried. */
const TRY_NEXT: ReadonlySet<SshFailure> = new Set(["ConnectionRefused", "ConnectTimeout", "NetworkUnreachable"])

/** Reads how many milliseconds have passed since now, to a tenth of one, by a clock that nobody sets. */
const stopwatch = Effect.map(Clock.Clock, (clock) => {
  const from = clock.monotonicTimeNanosUnsafe()
  return () => Math.round(Number(clock.monotonicTimeNanosUnsafe() - from) / 1e5) / 10
})

const decoder = new TextDecoder()

/** Runs the probe and gives its steps, a refused channel and a silent host included. */
const probe = Effect.fn("cli.doctor.probe")(function* (alias: string, connection: Connection) {
  const tag = yield* yield* RunTag
  const text = { stdout: "", stderr: "" }
  const keep = ({ bytes, stream }: OutputChunk) =>
    Effect.sync(() => {
      if (text[stream].length < MAX_ANSWER) text[stream] += decoder.decode(bytes)
    })
  const from = yield* Clock.currentTimeMillis
  const elapsed = yield* stopwatch
  const answered = yield* Effect.result(
    Effect.gen(function* () {
      const channel = yield* connection.exec(probeText(tag))
      const opened = elapsed()
      yield* Stream.runForEach(channel.output, keep)
      yield* channel.exit
      return opened
    }).pipe(
      Effect.scoped,
      Effect.timeoutOrElse({
        duration: PROBE_WITHIN,
        orElse: () => Effect.fail(sshError(alias, "ChannelRefused", "the host did not answer a command within 15 s"))
      })
    )
  )
  if (Result.isFailure(answered)) return [stepOfExecFailure(answered.failure, alias, elapsed())]
  const until = yield* Clock.currentTimeMillis
  return [
    { step: "channel", status: "ok", ms: answered.success, detail: "" },
    ...stepsOfProbe(tag, { ...text, from, until })
  ] satisfies ReadonlyArray<Step>
})

/**
 * Examines one host: its configuration, name and addresses, the way to it through each jump host, its key, the login, a
 * channel, and what stopping a command needs. Runs the probe, which changes nothing, and never fails. What was opened is
 * closed at the end.
 */
export const examineHost = Effect.fn("cli.doctor.host")(function* (snapshot: ConfigSnapshot, entry: HostEntry) {
  const resolver = yield* HostResolver
  const transport = yield* Transport
  const steps: Array<Step> = []
  const { alias } = entry.host

  const stop = (more: ReadonlyArray<Step>) =>
    Effect.suspend(() => {
      steps.push(...more)
      return Effect.fail("stopped" as const)
    })

  /** Connects to one host of the route, through the one before it. */
  const reach = Effect.fnUntraced(function* (
    host: HostEntry,
    before: { readonly target: Target; readonly connection: Connection } | undefined
  ) {
    const about = (found: ReadonlyArray<Step>): ReadonlyArray<Step> =>
      host === entry ? found : found.map((step) => ({ ...step, hop: host.host.alias }))
    const { login } = host
    if (Result.isFailure(login)) {
      const detail = formatProblem(login.failure)
      return yield* stop(about([{ step: "configuration", status: "failed", detail, fix: "see check" }]))
    }
    const limits = limitsFor(snapshot.policy, host.host)
    const resolving = yield* stopwatch
    const resolved = yield* Effect.result(
      resolver.resolve(host.host.host, snapshot.policy.network, before === undefined ? "direct" : "jump")
    )
    const ms = resolving()
    if (Result.isFailure(resolved)) {
      const { addresses, detail } = resolved.failure
      const fix =
        addresses.length === 0
          ? "check host in servers.yml and the resolver"
          : "check network in policy.yml: blocks win, and with an allow list an address must be in it"
      const found = addresses.length === 0 ? detail : `${detail}: ${addresses.join(", ")}`
      return yield* stop(about([{ step: "resolve", status: "failed", ms, detail: found, fix }]))
    }
    const { addresses, resolvedBy } = resolved.success
    const detail =
      resolvedBy === "here" ? `${addresses.join(", ")}, allowed by the network policy` : "left to the jump host"
    steps.push(...about([{ step: "resolve", status: "ok", ms, detail }]))

    const target = (address: string): Target =>
      new Target({
        alias: host.host.alias,
        hostname: host.host.host,
        address,
        port: host.host.port,
        login: login.success,
        hostKeys: snapshot.hostKeys,
        ...(before === undefined ? {} : { via: before.target })
      })
    const budget = Duration.seconds(limits.connect_timeout_seconds)
    /** Connects to one address, and says what it came past. */
    const connect = Effect.fnUntraced(function* (address: string) {
      const { alias, port } = host.host
      const to: Destination = { alias, address, port, username: login.success.username }
      const marks: Array<Mark> = []
      const elapsed = yield* stopwatch
      const observe = (step: ConnectStep) => {
        marks.push({ step, at: elapsed() })
      }
      const answer = yield* Effect.result(transport.connect(target(address), budget, before?.connection, observe))
      const found = Result.isSuccess(answer)
        ? stepsOfConnect(marks, to)
        : stepsOfConnectFailure(answer.failure, marks, to, elapsed())
      return { answer, found }
    })

    for (const [index, address] of addresses.entries()) {
      const { answer, found } = yield* connect(address)
      if (Result.isSuccess(answer)) {
        steps.push(...about(found))
        return { target: target(address), connection: answer.success }
      }
      const isLast = index + 1 === addresses.length || !TRY_NEXT.has(answer.failure.failure)
      if (isLast) return yield* stop(about(found))
      steps.push(
        ...about(found).map((step): Step => (step.status === "failed" ? { ...step, status: "warning" } : step))
      )
    }
    return yield* stop([])
  })

  yield* Effect.gen(function* () {
    const hops = jumpHosts(snapshot, entry)
    if (Option.isNone(hops)) {
      const detail = "the jump hosts on the way are not a route"
      return yield* stop([{ step: "configuration", status: "failed", detail, fix: "check jump in servers.yml" }])
    }
    let reached: { readonly target: Target; readonly connection: Connection } | undefined
    for (const host of [...hops.value, entry]) reached = yield* reach(host, reached)
    if (reached !== undefined) steps.push(...(yield* probe(alias, reached.connection)))
  }).pipe(Effect.scoped, Effect.ignore)

  const examination: HostExamination = { alias, ok: steps.every(({ status }) => status !== "failed"), steps }
  return examination
})

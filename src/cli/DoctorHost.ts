import { Clock, Duration, Effect, Option, Result, type Scope, Stream } from "effect"
import type { Login } from "../config/Credential.ts"
import { type ConfigSnapshot, type HostEntry, jumpHosts } from "../config/Inventory.ts"
import { formatProblem } from "../config/Problem.ts"
import { limitsFor } from "../policy/Policy.ts"
import { type SshError, sshError, type SshFailure } from "../ssh/errors.ts"
import { HostResolver } from "../ssh/address/HostResolver.ts"
import { RunTag } from "../ssh/process/RemoteCommand.ts"
import { Target } from "../ssh/Target.ts"
import { type Connection, type OutputChunk, Transport } from "../ssh/Transport.ts"
import { probeText, stepsOfProbe } from "./DoctorProbe.ts"
import { type HostExamination, type Step, stepsOfFailure, stepsOfSuccess } from "./DoctorSteps.ts"

/** How long a host may take to answer the probe. */
const PROBE_WITHIN = Duration.seconds(15)
/** Characters of each stream of the answer that are looked at. */
const MAX_ANSWER = 16 * 1024
/** A failure after which the next address of the host is tried. */
const TRY_NEXT: ReadonlySet<SshFailure> = new Set(["ConnectionRefused", "ConnectTimeout", "NetworkUnreachable"])

/** The method of a login; of several, which are tried in this order, the connection does not tell which one it was. */
const methodOf = ({ agent, certificate, key, password }: Login): string => {
  const methods = [
    certificate === undefined ? "" : "certificate",
    key === undefined ? "" : "key",
    agent === undefined ? "" : "agent",
    password === undefined ? "" : "password"
  ].filter(Boolean)
  return methods.length > 1 ? `one of ${methods.join(", ")}` : methods.join("")
}

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
  const since = Effect.map(Clock.currentTimeMillis, (now) => now - from)
  const answered = yield* Effect.result(
    Effect.gen(function* () {
      const channel = yield* connection.exec(probeText(tag))
      const opened = yield* since
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
  if (Result.isFailure(answered)) return stepsOfFailure(answered.failure, alias, yield* since).slice(-1)
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
    const [took, resolved] = yield* Effect.timed(
      Effect.result(resolver.resolve(host.host.host, snapshot.policy.network, before === undefined ? "direct" : "jump"))
    )
    const ms = Math.round(Duration.toMillis(took))
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
    const connect = (address: string): Effect.Effect<Connection, SshError, Scope.Scope> =>
      transport.connect(target(address), budget, before?.connection)

    let failure: { readonly error: SshError; readonly ms: number } | undefined
    for (const address of addresses) {
      const [took, connected] = yield* Effect.timed(Effect.result(connect(address)))
      const ms = Math.round(Duration.toMillis(took))
      if (Result.isSuccess(connected)) {
        const { username } = login.success
        const found = `${address}:${host.host.port} as ${username} by ${methodOf(login.success)}`
        steps.push(...about(stepsOfSuccess(found, ms)))
        return { target: target(address), connection: connected.success }
      }
      failure = { error: connected.failure, ms }
      if (!TRY_NEXT.has(connected.failure.failure)) break
    }
    return yield* stop(about(failure === undefined ? [] : stepsOfFailure(failure.error, host.host.alias, failure.ms)))
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

import { Effect } from "effect"
import { sshError } from "../../ssh/errors.ts"
import type { StopOrder } from "../../ssh/process/Killer.ts"
import { MAX_NOISE_BYTES } from "../../ssh/process/RunHeader.ts"
import { behaviourOf } from "./Behaviour.ts"
import { type ExecRequest, isReadBy } from "./ExecText.ts"
import type { PlannedFault, Stage } from "./Faults.ts"
import type { ProcessEnd } from "./HostEvent.ts"
import { makeProcessOutput, type ProcessOutput } from "./ProcessOutput.ts"
import type { SimulatedChannel } from "./SimulatedChannel.ts"
import type { HostSession, SimulatedConnection } from "./SimulatedConnection.ts"
import { runKiller } from "./SimulatedKiller.ts"

/** An exec request on its way to a host. */
export interface SessionRequest {
  readonly connection: SimulatedConnection
  readonly channel: SimulatedChannel
  readonly session: HostSession
  readonly request: ExecRequest
  /** As it was sent. */
  readonly text: string
}

const encoder = new TextEncoder()

/** Bytes written at once by a process that writes as fast as it can. */
const FILL_BYTES = 16 * 1024
/** Lines of 79 characters and their end. */
const FILLING = encoder.encode(`${"0123456789".repeat(8).slice(0, 79)}\n`.repeat(Math.ceil(FILL_BYTES / 80)))

/** The latest moment, in a command's run, at which a fault of the network strikes. */
const STRIKE_WITHIN_MILLIS = 3_000
/** Signals that end a process without anybody's order. */
const OWN_SIGNALS = ["KILL", "SEGV", "TERM", "HUP", "XCPU"] as const
/** What sshd says when the shell of an account is /usr/sbin/nologin. */
const NO_LOGIN = encoder.encode("This account is currently not available.\n")
/** What a login shell writes before the header: mostly little, now and then so much that the header is taken for output. */
const NOISE_BYTES = 2_000
const MUCH_NOISE_BYTES = 70_000

type RunRequest = Extract<ExecRequest, { readonly _tag: "Run" }>

/** Ends the session without a command: the shell wrote something and is gone. */
const shellEnds = (channel: SimulatedChannel, bytes: Uint8Array, code: number) =>
  Effect.gen(function* () {
    channel.accept()
    yield* channel.write("stderr", bytes)
    channel.end({ _tag: "Exited", code })
  })

/** A fault of the network that comes while the command runs, or after it. */
const sabotage = ({ connection }: SessionRequest, fault: PlannedFault) =>
  Effect.gen(function* () {
    const { host } = connection
    yield* Effect.sleep(host.random.below(STRIKE_WITHIN_MILLIS))
    if (!connection.isAlive) return
    if (fault.kind === "connection-drop") {
      host.chances.struck(fault)
      return connection.lose("ECONNRESET")
    }
    if (fault.kind === "jump-host-dies") {
      if (connection.via === undefined) return
      host.chances.struck(fault)
      return connection.via.lose("ECONNRESET")
    }
    yield* host.strikeNetwork(fault)
  })

const NETWORK_FAULTS: ReadonlySet<string> = new Set([
  "connection-drop",
  "host-silent",
  "host-vanishes",
  "jump-host-dies"
])

/** Runs the actions of a command. Gives how it ended by itself. */
const runActions = Effect.fnUntraced(function* (
  { connection }: SessionRequest,
  command: string,
  output: ProcessOutput,
  fault: PlannedFault | undefined
) {
  const { random } = connection.host
  const behaviour = behaviourOf(command)
  const isKilled = fault?.kind === "exit-by-signal"
  const actions = isKilled ? behaviour.actions.slice(0, 1 + random.below(behaviour.actions.length)) : behaviour.actions
  const pipeBroke: ProcessEnd = { _tag: "Signalled", signal: "PIPE" }
  for (const action of actions) {
    if (action._tag === "Pause") yield* Effect.sleep(action.millis)
    else if (action._tag === "Write") {
      if (!(yield* output.write(action.stream, encoder.encode(action.text)))) return pipeBroke
    } else {
      for (let left = action.bytes; left > 0; left -= FILLING.length) {
        const bytes = left < FILLING.length ? FILLING.subarray(FILLING.length - left) : FILLING
        if (!(yield* output.write("stdout", bytes))) return pipeBroke
      }
    }
  }
  if (!(yield* output.flush)) return pipeBroke
  const killed: ProcessEnd = { _tag: "Signalled", signal: random.pick(OWN_SIGNALS) }
  return isKilled ? killed : behaviour.exit
})

/** Starts the command and stays until it ends. */
const runCommand = Effect.fnUntraced(function* (
  session: SessionRequest,
  { command, form, tag }: RunRequest,
  execFault: PlannedFault | undefined
) {
  const { channel, connection } = session
  const { chances, fleet, plan, random, table } = connection.host
  const { alias } = plan
  const streaming = chances.next("streaming")
  const isNetworkFault = streaming !== undefined && NETWORK_FAULTS.has(streaming.kind)
  if (streaming !== undefined && isNetworkFault) yield* Effect.forkIn(sabotage(session, streaming), fleet.scope)
  if (streaming !== undefined && !isNetworkFault) chances.struck(streaming)
  const output = makeProcessOutput(channel, streaming, random)

  const ownEnd = yield* Effect.withFiber((fiber) => {
    let isRunning = true
    const onEnd = (end: ProcessEnd): void => {
      fleet.observe({ _tag: "ProcessEnded", alias, pid: process.pid, tag, end, sent: output.sent() })
      session.session.processEnded()
      if (isRunning) fiber.interruptUnsafe()
      if (end._tag !== "HostLost") channel.end(streaming?.kind === "exit-unreported" ? undefined : end)
    }
    const process = table.spawn(tag, command, { onEnd, isHeard: () => connection.isAlive && channel.isOpen() })
    session.session.processStarted()
    fleet.observe({ _tag: "ProcessStarted", alias, pid: process.pid, tag, command })
    if (execFault?.kind === "connection-drop") connection.lose("ECONNRESET")
    else if (execFault?.kind !== "exec-unanswered") channel.accept()
    const header = encoder.encode(`MCPRUN ${tag} ${process.pid}${form === undefined ? ` ${plan.shell}` : ""}\n`)
    const cut = random.chance(0.2) ? random.below(header.length) : header.length
    const noise =
      execFault?.kind !== "noisy-login" ? 0 : random.chance(0.1) ? MUCH_NOISE_BYTES : random.below(NOISE_BYTES)
    return Effect.gen(function* () {
      yield* output.plain("stderr", new Uint8Array(noise).fill(0x2a))
      if (noise > MAX_NOISE_BYTES) yield* output.plain("stderr", header)
      else {
        yield* channel.write("stderr", header.subarray(0, cut), true)
        yield* channel.write("stderr", header.subarray(cut), true)
      }
      const end = yield* runActions(session, command, output, streaming)
      isRunning = false
      table.end(process, end)
    })
  })
  return ownEnd
})

/** What happens at a stage that has no process yet. False: the request goes no further. */
const pass = Effect.fnUntraced(function* (
  { channel, connection }: SessionRequest,
  stage: Stage,
  fault: PlannedFault | undefined
) {
  if (fault === undefined) return true
  const { chances, plan } = connection.host
  switch (fault.kind) {
    case "slow-answer":
      chances.struck(fault)
      yield* Effect.sleep(fault.millis)
      return connection.isAlive
    case "channel-refused":
      chances.struck(fault)
      channel.refuse(sshError(plan.alias, "ChannelRefused", "open failed"))
      return false
    case "exec-mute":
      chances.struck(fault)
      return false
    case "connection-drop":
      chances.struck(fault)
      // At `exec` the command starts first.
      if (stage === "exec") return true
      connection.lose("ECONNRESET")
      return false
    case "exec-unanswered":
      chances.struck(fault)
      return true
    default:
      yield* connection.host.strikeNetwork(fault)
      return connection.isAlive
  }
})

const serveRun = Effect.fnUntraced(function* (session: SessionRequest, request: RunRequest) {
  const { channel, connection } = session
  const { chances, fleet, plan } = connection.host
  if (!(yield* pass(session, "channel", chances.next("channel")))) return
  if (connection.sessions.size > plan.maxSessions) {
    return channel.refuse(sshError(plan.alias, "ChannelRefused", "open failed"))
  }
  const fault = chances.next("exec")
  fleet.observe({
    _tag: "ExecRequested",
    alias: plan.alias,
    connection: connection.id,
    channel: channel.id,
    tag: request.tag,
    command: request.command
  })
  if (!(yield* pass(session, "exec", fault))) return
  if (fault?.kind === "login-refused") {
    chances.struck(fault)
    return yield* shellEnds(channel, NO_LOGIN, 1)
  }
  if (!isReadBy(request, plan.shell)) return yield* shellEnds(channel, encoder.encode("Unknown command: export\n"), 127)
  if (fault?.kind === "noisy-login") chances.struck(fault)
  yield* runCommand(session, request, fault)
})

const serveStop = Effect.fnUntraced(function* (session: SessionRequest, order: StopOrder) {
  const { channel, connection } = session
  const { chances, fleet, plan } = connection.host
  const fault = chances.next("stop")
  if (!(yield* pass(session, "stop", fault))) return
  if (connection.sessions.size > plan.maxSessions) {
    return channel.refuse(sshError(plan.alias, "ChannelRefused", "open failed"))
  }
  const { alias } = plan
  fleet.observe({ _tag: "StopRequested", alias, connection: connection.id, channel: channel.id, tag: order.tag })
  if (fault?.kind !== "exec-unanswered") channel.accept()
  const answer = yield* runKiller(connection.host, order, fault)
  fleet.observe({ _tag: "StopAnswered", alias, tag: order.tag, answer })
  yield* channel.write("stdout", encoder.encode(`${answer}\n`))
  channel.end({ _tag: "Exited", code: 0 })
})

/**
 * The host's side of one exec request, from the moment it is sent. Belongs to the host: it goes on when the product closes
 * the channel, and ends with its process.
 */
export const runSession = (session: SessionRequest): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { channel, connection, request, text } = session
    yield* connection.travel
    if (!connection.isAlive) return
    switch (request._tag) {
      case "Run":
        return yield* serveRun(session, request)
      case "Stop":
        return yield* serveStop(session, request.order)
      case "Unknown": {
        const { fleet, plan } = connection.host
        fleet.observe({
          _tag: "UnknownExec",
          alias: plan.alias,
          connection: connection.id,
          channel: channel.id,
          text
        })
        channel.accept()
        return channel.end({ _tag: "Exited", code: 127 })
      }
    }
  })

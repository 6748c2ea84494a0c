import { Deferred, Effect } from "effect"
import type { Scope } from "effect"
import { jumpHostFailed, type SshError, sshError } from "../../ssh/errors.ts"
import type { Connection, RemoteChannel, Tunnel } from "../../ssh/Transport.ts"
import { readExec } from "./ExecText.ts"
import { makeSimulatedChannel, type SimulatedChannel } from "./SimulatedChannel.ts"
import type { SimulatedHost } from "./SimulatedHost.ts"
import { runSession } from "./SimulatedSession.ts"

/** One session of a host, which is free again when its channel is closed and its process has ended (sshd's session.c). */
export class HostSession {
  private readonly connection: SimulatedConnection
  private isChannelOpen = true
  private isProcessAlive = false

  constructor(connection: SimulatedConnection) {
    this.connection = connection
    connection.sessions.add(this)
  }

  /** It got a process. */
  processStarted(): void {
    this.isProcessAlive = true
  }

  /** Its process ended. */
  processEnded(): void {
    this.isProcessAlive = false
    this.free()
  }

  /** The host knows that its channel is closed. */
  channelClosed(): void {
    this.isChannelOpen = false
    this.free()
  }

  private free(): void {
    if (!this.isChannelOpen && !this.isProcessAlive) this.connection.sessions.delete(this)
  }
}

/** A way through a jump host, of a `SimulatedConnection`. */
export class SimulatedTunnel implements Tunnel {
  readonly through: string
  readonly jump: SimulatedConnection

  constructor(jump: SimulatedConnection) {
    this.through = jump.host.plan.alias
    this.jump = jump
  }
}

/** A connection to a simulated host, from the first packet on. */
export class SimulatedConnection {
  readonly id: number
  readonly host: SimulatedHost
  /** The connection to the jump host that it goes through. */
  readonly via: SimulatedConnection | undefined
  /** Sessions that the host holds for it. */
  readonly sessions = new Set<HostSession>()
  /** The product's side. */
  readonly api: Connection
  /** Resolves with the error of the end, whatever it is. */
  readonly lost: Effect.Effect<SshError>

  private state: "handshaking" | "open" | "ended" = "handshaking"
  private isDead = false
  private readonly channels = new Set<SimulatedChannel>()
  private readonly dependants = new Set<SimulatedConnection>()
  private ready: HostSession | undefined
  private wantsReady = false
  private readonly ended = Deferred.makeUnsafe<SshError>()
  private waiting: Array<() => void> = []

  constructor(host: SimulatedHost, via: SimulatedConnection | undefined) {
    this.id = host.fleet.nextConnection()
    this.host = host
    this.via = via
    this.lost = Deferred.await(this.ended)
    this.api = {
      exec: (text) => this.exec(text),
      forward: () => this.forward(),
      keepReady: (wanted) => Effect.sync(() => this.keepReady(wanted)),
      lost: this.lost
    }
    via?.dependants.add(this)
  }

  /** The handshake is done. */
  open(): void {
    this.state = "open"
    this.host.connections.add(this)
    this.host.fleet.held.connections++
    this.host.fleet.observe({ _tag: "Connected", alias: this.host.plan.alias, connection: this.id })
  }

  /** The product lets go of an open connection. */
  close(): void {
    this.host.fleet.held.connections--
    this.host.fleet.observe({ _tag: "ConnectionClosed", alias: this.host.plan.alias, connection: this.id })
    this.end(sshError(this.host.plan.alias, "ConnectionLost", "closed"))
  }

  /** It is lost at once, with all that goes through it. Nothing when it has ended. */
  lose(detail: string): void {
    if (this.state === "ended") return
    if (this.state === "open") {
      this.host.fleet.observe({ _tag: "ConnectionLost", alias: this.host.plan.alias, connection: this.id })
    }
    this.end(sshError(this.host.plan.alias, "ConnectionLost", detail))
  }

  /** Gives up a handshake. */
  abandon(): void {
    this.end(sshError(this.host.plan.alias, "ConnectionLost", "given up"))
  }

  /** The host's side is gone, which nobody tells the product. */
  die(): void {
    this.isDead = true
  }

  /** Whether the host's side is gone and the product does not know. */
  get isOrphaned(): boolean {
    return this.isDead && this.state !== "ended"
  }

  /** Whether something that is sent now can arrive, in either direction. */
  get isAlive(): boolean {
    return this.state !== "ended" && !this.isDead && (this.via === undefined || this.via.isAlive)
  }

  /** Runs something at the other end as soon as packets pass, in the order of the calls; never when it ends before. */
  deliver(arrive: () => void): void {
    if (!this.isAlive) return
    const blocking = this.blockedBy()
    if (blocking === undefined) arrive()
    else blocking.whenReachable(() => this.deliver(arrive))
  }

  /** Milliseconds of a round trip over all of the way. */
  roundTrip(): number {
    return this.host.roundTrip() + (this.via === undefined ? 0 : this.via.roundTrip())
  }

  /** Waits for packets to pass. Returns also when the connection ends. */
  readonly passage: Effect.Effect<void> = Effect.suspend(() => {
    if (this.state === "ended" || this.blockedBy() === undefined) return Effect.void
    const wait = Effect.callback<void>((resume) => {
      const wake = () => resume(Effect.void)
      const blocking = this.blockedBy()
      if (this.state === "ended" || blocking === undefined) return wake()
      blocking.whenReachable(wake)
      this.waiting.push(wake)
    })
    return Effect.andThen(wait, this.passage)
  })

  /** Waits for a round trip, and for packets to pass. Returns also when the connection ends. */
  readonly travel: Effect.Effect<void> = Effect.suspend(() =>
    Effect.andThen(Effect.sleep(this.roundTrip()), this.passage)
  )

  /** The host on the way that lets no packet pass. */
  private blockedBy(): SimulatedHost | undefined {
    return this.host.isReachable() ? this.via?.blockedBy() : this.host
  }

  private end(error: SshError): void {
    this.state = "ended"
    this.host.connections.delete(this)
    this.via?.dependants.delete(this)
    Deferred.doneUnsafe(this.ended, Effect.succeed(error))
    for (const channel of this.channels) channel.lose(error)
    // A jump host that is gone takes everything behind it along.
    for (const dependant of this.dependants) dependant.lose(`jump host ${error.alias}: ${error.detail}`)
    const waiting = this.waiting
    this.waiting = []
    for (const wake of waiting) wake()
  }

  /** Holds one session more for the next request, or gives it back. It is opened at once; only the number counts. */
  private keepReady(wanted: boolean): void {
    this.wantsReady = wanted
    if (wanted) this.refill()
    else {
      this.ready?.channelClosed()
      this.ready = undefined
    }
  }

  private refill(): void {
    if (!this.wantsReady || this.ready !== undefined || this.state !== "open") return
    // Out of sessions: no other is asked for before somebody wants one again.
    if (this.sessions.size >= this.host.plan.maxSessions) this.wantsReady = false
    else this.ready = new HostSession(this)
  }

  /** The session of the next request: the one that is ready, or a new one. */
  private takeSession(): HostSession {
    const session = this.ready ?? new HostSession(this)
    this.ready = undefined
    this.refill()
    return session
  }

  private exec(text: string): Effect.Effect<RemoteChannel, SshError, Scope.Scope> {
    const { host } = this
    const { alias } = host.plan
    const { fleet } = host
    const request = readExec(text)
    const tag = request._tag === "Run" ? request.tag : ""
    return Effect.gen({ self: this }, function* () {
      if (this.state !== "open") {
        fleet.observe({ _tag: "ExecOnLost", alias, connection: this.id, tag })
        return yield* sshError(alias, "ChannelRefused", "the connection was already lost")
      }
      const session = this.takeSession()
      let isHeld = false
      const open = Effect.sync(() => {
        const made = makeSimulatedChannel({
          id: fleet.nextChannel(),
          alias,
          random: host.random,
          deliver: (arrive) => this.deliver(arrive)
        })
        this.channels.add(made)
        return made
      })
      const close = Effect.fnUntraced({ self: this }, function* (channel: SimulatedChannel) {
        this.channels.delete(channel)
        channel.close()
        if (isHeld) fleet.held.channels--
        fleet.observe({ _tag: "ChannelClosed", alias, channel: channel.id, tag, read: channel.read() })
        if (this.state !== "open") return
        const told = Effect.andThen(
          this.travel,
          Effect.sync(() => session.channelClosed())
        )
        yield* Effect.forkIn(told, fleet.scope)
      })
      const channel = yield* Effect.acquireRelease(open, close)
      yield* Effect.forkIn(runSession({ connection: this, channel, session, request, text }), fleet.scope)
      return yield* Effect.map(channel.accepted, (api) => {
        isHeld = true
        fleet.held.channels++
        return api
      })
    })
  }

  /** Opens a way through this host. Where it leads to is for the transport, which knows all hosts. */
  private forward(): Effect.Effect<Tunnel, SshError> {
    const { host } = this
    const gone = Effect.flatMap(this.lost, (error) => Effect.fail(jumpHostFailed(error)))
    return Effect.gen({ self: this }, function* (): Effect.fn.Return<Tunnel, SshError> {
      yield* this.travel
      const fault = this.isAlive ? host.chances.next("channel") : undefined
      if (fault?.kind === "channel-refused") {
        host.chances.struck(fault)
        return yield* sshError(host.plan.alias, "JumpHostFailed", "administratively prohibited")
      }
      if (fault?.kind === "connection-drop") {
        host.chances.struck(fault)
        this.lose("ECONNRESET")
      } else if (fault !== undefined && (yield* host.strikeNetwork(fault))) yield* this.passage
      return this.isAlive ? new SimulatedTunnel(this) : yield* gone
    })
  }
}

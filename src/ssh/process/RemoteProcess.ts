import { Deferred, Duration, Effect, Exit, Fiber, Option, Ref, Result, Scope, Semaphore, Stream } from "effect"
import { SshError } from "../errors.ts"
import { parseStopAnswer, stopText } from "./Killer.ts"
import type { LoginShell } from "./LoginShell.ts"
import { RunTag, runText } from "./RemoteCommand.ts"
import { headerSearch, searchHeader } from "./RunHeader.ts"
import type { HeaderSearch } from "./RunHeader.ts"
import type { Connection, OutputChunk, RemoteChannel, RemoteExit } from "../Transport.ts"

/** What a stop came to: everything is known to be gone, or not. */
export interface StopReport {
  readonly remote: "confirmed" | "unconfirmed"
  /** The pids that outlived KILL, for the log; empty also when nothing is known. */
  readonly survivors: ReadonlyArray<number>
}

/** A command that is known to have started on a host. */
export interface RemoteProcess {
  /** The address that it runs on. */
  readonly targetIp: string
  /** The pid of its leader on the host, which is its process group and session. */
  readonly pid: number
  /** How it ended, once its output went to the sink. Fails with `ConnectionLost` when the outcome is unknown. */
  readonly wait: Effect.Effect<RemoteExit, SshError>
  /**
   * TERM, `grace`, KILL for the process group, its session and whatever carries its tag. `confirmed` needs the killer's
   * word, the end of the channel and an exit status (the word alone when the connection was lost before). Takes at most
   * `grace` + 5 s, and asks again only while nothing is confirmed.
   */
  readonly stop: (grace: Duration.Duration) => Effect.Effect<StopReport>
}

/** What a command needs to run on a connection. */
export interface LaunchOptions {
  readonly connection: Connection
  readonly alias: string
  readonly targetIp: string
  /** The canonical text. */
  readonly command: string
  /** What the connection's login shell is known to be. */
  readonly shell: LoginShell | undefined
  /** Told what it is when the header says so. */
  readonly learned: (shell: LoginShell) => Effect.Effect<void>
  /** Called in order; the next bytes are read when it is done. */
  readonly output: (chunk: OutputChunk) => Effect.Effect<void>
  /** The grace for a stop that the closing Scope makes. */
  readonly grace: Effect.Effect<Duration.Duration>
  /** Ends when a stop has to say at once how far it came: the process that waits for it will not wait longer. */
  readonly giveUp?: Effect.Effect<void>
  /** Told about a stop that the closing Scope made, and of a process that ended before without having been waited for. */
  readonly stopped: (report: StopReport) => Effect.Effect<void>
  /** Runs the killer on a channel of its own and gives what it printed; fails when no channel could be had. */
  readonly control: (command: string) => Effect.Effect<string, SshError>
}

/** How long a host may take to accept or refuse an exec: longer, and the connection is taken for dead. */
const ACCEPT_WITHIN = Duration.seconds(15)
/** How long a host may take from the accepted exec to the header: the start of a shell. */
const HEADER_WITHIN = Duration.seconds(15)
/** How long a stop waits for a header that is on its way: without it the tag alone finds the processes. */
const HEADER_GRACE = Duration.seconds(1)
/** How long a stopped process may take to close its channel. */
const CLOSE_WITHIN = Duration.seconds(1)
/** What a stop may take beyond its grace. */
const STOP_MARGIN = Duration.seconds(5)

const describe = (exit: RemoteExit): string =>
  exit._tag === "Exited" ? `exit code ${exit.code}` : `signal ${exit.signal}`

const UNCONFIRMED: StopReport = { remote: "unconfirmed", survivors: [] }
const CONFIRMED: StopReport = { remote: "confirmed", survivors: [] }

/** Whether it is known by now, and no failure. */
const succeeded = <A, E>(known: Deferred.Deferred<A, E>): Effect.Effect<boolean> =>
  Effect.flatMap(Deferred.isDone(known), (done) =>
    done ? Effect.isSuccess(Deferred.await(known)) : Effect.succeed(false)
  )

/**
 * Whether a program of a canonical text may be sudo, by name or path: only root may then signal what it started. Also true
 * for an argument `sudo`, which costs the killer a refused call.
 */
const usesSudo = (command: string): boolean => /(?:^|[\s;|&(!'/])sudo(?=['\s]|$)/.test(command)

/** A command that a host accepted. */
export interface LaunchedProcess {
  /**
   * Succeeds when the header was seen: the command runs. Fails with `ChannelRefused` when the account's shell ended, or
   * printed 64 KiB, without it; with `ConnectTimeout` when nothing came for 15 s.
   */
  readonly started: Effect.Effect<RemoteProcess, SshError>
}

/**
 * Sends a command to a host, in a wrapper that reports its pid and tags its processes. Succeeds when the host accepted
 * it. Fails with `ChannelRefused` when it never ran, so that trying again is safe, and with `ConnectionLost` when it may have,
 * also when the server did not answer for 15 s.
 *
 * Closing the Scope before the exit status is known stops the process, also when no more than the attempt is known, and
 * reports to `stopped`; only then is the channel closed.
 */
export const launchProcess = Effect.fn("RemoteProcess.launch")(function* (
  options: LaunchOptions
): Effect.fn.Return<LaunchedProcess, SshError, Scope.Scope> {
  const { alias, command, connection, shell } = options
  const tag = yield* yield* RunTag
  const failure = (kind: SshError["failure"], detail: string) => new SshError({ failure: kind, alias, detail })

  const channelScope = yield* Scope.make()
  const accepted = yield* Deferred.make<RemoteChannel, SshError>()
  const header = yield* Deferred.make<number, SshError>()
  const exited = yield* Ref.make(Option.none<Exit.Exit<RemoteExit, SshError>>())
  /** Whether whoever waits was given the exit. */
  const waited = yield* Ref.make(false)
  const confirmed = yield* Ref.make(false)
  const oneStop = yield* Semaphore.make(1)

  /** Passes output on and finds the header in it. */
  const consume = Effect.fnUntraced(function* (channel: RemoteChannel) {
    let search: HeaderSearch = headerSearch
    yield* Stream.runForEach(channel.output, (chunk) => {
      if (chunk.stream === "stdout" || search._tag !== "Searching") return options.output(chunk)
      const { buffer, byteLength, byteOffset } = chunk.bytes
      const step = searchHeader(search, tag, Buffer.from(buffer, byteOffset, byteLength))
      search = step.search
      const pass = step.pass.length === 0 ? Effect.void : options.output({ stream: "stderr", bytes: step.pass })
      if (search._tag === "Found") {
        const learned = search.shell === undefined ? Effect.void : options.learned(search.shell)
        return Effect.andThen(Effect.andThen(learned, Deferred.succeed(header, search.pid)), pass)
      }
      if (search._tag === "Searching") return pass
      return Effect.andThen(Deferred.fail(header, failure("ChannelRefused", "the login shell printed no header")), pass)
    })
    if (search._tag === "Searching" && search.held.length > 0) {
      yield* options.output({ stream: "stderr", bytes: search.held })
    }
    const exit = yield* channel.exit
    yield* Deferred.fail(
      header,
      failure("ChannelRefused", `the login shell ended (${describe(exit)}) without a header`)
    )
    return exit
  })

  const run = connection.exec(runText(shell, tag, command)).pipe(
    Scope.provide(channelScope),
    Effect.onExit((exit) => Deferred.done(accepted, exit)),
    Effect.tap((channel) =>
      channel.exit.pipe(
        Effect.exit,
        Effect.flatMap((exit) => Ref.set(exited, Option.some(exit))),
        Effect.forkIn(channelScope, { startImmediately: true })
      )
    ),
    Effect.flatMap(consume),
    Effect.onError((cause) => Deferred.failCause(header, cause))
  )

  const stopOnce = Effect.fn("RemoteProcess.stopOnce")(function* (grace: Duration.Duration) {
    // An exec on its way may still start the command: a killer that ran before that is decided would find nothing.
    const channel = yield* Effect.result(Deferred.await(accepted))
    if (Result.isFailure(channel) && channel.failure.failure === "ChannelRefused") return CONFIRMED
    const pid = yield* Deferred.await(header).pipe(
      Effect.timeout(HEADER_GRACE),
      Effect.catch(() => Effect.succeed(0))
    )
    const order = {
      tag,
      pid,
      alive: pid > 0 && Option.isNone(yield* Ref.get(exited)),
      graceTenths: Math.ceil(Duration.toMillis(grace) / 100),
      sudo: usesSudo(command)
    }
    const before = yield* Ref.get(exited)
    const wasLost = Option.isSome(before) && Exit.isFailure(before.value)
    const answer = parseStopAnswer(yield* options.control(stopText(order)))
    if (answer === undefined || Result.isFailure(channel)) return UNCONFIRMED
    if (!answer.dead) return { ...UNCONFIRMED, survivors: answer.survivors }
    if (wasLost) return CONFIRMED
    // Whatever hides from the killer, in a new session with a scrubbed environment, most likely still holds the pipes. A
    // channel that closes without an exit status, as with its connection, says nothing about them.
    const ended = yield* Effect.timeoutOption(
      Effect.andThen(channel.success.closed, Effect.exit(channel.success.exit)),
      CLOSE_WITHIN
    )
    return Option.isSome(ended) && Exit.isSuccess(ended.value) ? CONFIRMED : UNCONFIRMED
  })

  const stop = Effect.fn("RemoteProcess.stop")(
    function* (grace: Duration.Duration) {
      if (yield* Ref.get(confirmed)) return CONFIRMED
      const report = yield* stopOnce(grace).pipe(
        Effect.catch((error) =>
          Effect.as(Effect.logWarning("a remote process could not be stopped", error), UNCONFIRMED)
        ),
        Effect.interruptible,
        Effect.timeoutOrElse({ duration: Duration.sum(grace, STOP_MARGIN), orElse: () => Effect.succeed(UNCONFIRMED) }),
        Effect.raceFirst(Effect.interruptible(Effect.as(options.giveUp ?? Effect.never, UNCONFIRMED)))
      )
      yield* Ref.set(confirmed, report.remote === "confirmed")
      return report
    },
    (effect) => oneStop.withPermit(effect)
  )

  const finish = Effect.fnUntraced(function* (end: Exit.Exit<unknown, unknown>) {
    const exit = yield* Ref.get(exited)
    const refused = (yield* Deferred.isDone(accepted))
      ? yield* Effect.map(
          Effect.result(Deferred.await(accepted)),
          (r) => Result.isFailure(r) && r.failure.failure === "ChannelRefused"
        )
      : false
    const over = Option.isSome(exit) && Exit.isSuccess(exit.value)
    // An interruption may come between the end of the process and whoever waits for it.
    const isKnown = Exit.isSuccess(end) && (yield* Ref.get(waited))
    if (over && !isKnown && (yield* succeeded(header))) return yield* options.stopped(CONFIRMED)
    if (!over && !refused) {
      yield* options.stopped(yield* stop(yield* options.grace))
    }
  })
  yield* Effect.addFinalizer((end) => Effect.ensuring(finish(end), Scope.close(channelScope, Exit.void)))

  const running = yield* Effect.forkIn(run, channelScope, { startImmediately: true })
  // Keepalives take a minute to find out about a connection that is no more. The exec may have arrived: not sent again.
  yield* Effect.timeoutOrElse(Deferred.await(accepted), {
    duration: ACCEPT_WITHIN,
    orElse: () => Effect.fail(failure("ConnectionLost", "the server did not answer the exec request"))
  })

  const started = Effect.gen(function* () {
    const pid = yield* Effect.timeoutOrElse(Deferred.await(header), {
      duration: HEADER_WITHIN,
      orElse: () => Effect.fail(failure("ConnectTimeout", "the login shell did not start the command"))
    })
    const wait = Effect.tap(Fiber.join(running), Ref.set(waited, true))
    const process: RemoteProcess = { targetIp: options.targetIp, pid, wait, stop }
    return process
  })
  return { started }
})

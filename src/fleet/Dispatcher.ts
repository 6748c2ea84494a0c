import { Array as Arr, Context, Duration, Effect, Layer, Option, Ref, Result } from "effect"
import { createHash } from "node:crypto"
import { AuditLog } from "../audit/AuditLog.ts"
import { ConfigDirectory } from "../config/ConfigDirectory.ts"
import type { HostDescription, HostStatus } from "../config/HostAnswers.ts"
import { type ConfigSnapshot, findHost, type HostEntry, jumpHosts } from "../config/Inventory.ts"
import { formatProblem } from "../config/Problem.ts"
import { type Denial, type DenialReason, HINTS } from "../policy/Denial.ts"
import { type Limits, lowerSeconds } from "../policy/Limits.ts"
import { type Plan, showLimits } from "../policy/Plan.ts"
import { decide, type Denied, type HostFacts, limitsFor } from "../policy/Policy.ts"
import { ConnectionPool } from "../ssh/pool/ConnectionPool.ts"
import { monotonicMillis } from "../ssh/MonotonicTime.ts"
import type { SshError, SshFailure } from "../ssh/errors.ts"
import { HostResolver, NetworkDenied, type Resolved, type Route } from "../ssh/address/HostResolver.ts"
import { Target } from "../ssh/Target.ts"
import type { TaskId } from "../task/Task.ts"
import type { CleanChunk } from "../task/TaskOutput.ts"
import { redactionOf, type SnapshotRedaction } from "../task/TaskRedaction.ts"
import { type CommandSpec, TaskSupervisor } from "../task/TaskSupervisor.ts"
import { CommandDenied, ConfigUnusable, HostNotFound } from "./errors.ts"

/** Errors that any call about a host can end with. */
export type HostError = HostNotFound | ConfigUnusable

/** A command for one host. */
export interface RunRequest {
  readonly alias: string
  readonly command: string
  /** Seconds; lowered to the host's `max_seconds` when above it. */
  readonly timeoutSeconds?: number
  /** Who asked, for the audit record: the MCP client's name, `cli`, or the embedding program's choice. */
  readonly client?: string
  /** Receives the cleaned output as it arrives; a slow receiver slows the remote command down. */
  readonly onOutput?: (chunk: CleanChunk) => Effect.Effect<void>
  /** Told the task's id as soon as the task exists, before its end is waited for. */
  readonly started?: (taskId: TaskId) => Effect.Effect<void>
}

/** A command that policy and network allowed, with the checked addresses to run it at: ready to become a task. */
export interface PreparedCommand {
  readonly spec: CommandSpec
  readonly targets: readonly [Target, ...ReadonlyArray<Target>]
  /** The canonical text that was decided on. */
  readonly canonical: string
  /** What name resolution left of the connect timeout. */
  readonly budget: Duration.Duration
}

/** Ways through the addresses of a host and its jump hosts that are tried. */
const MAX_TARGETS = 16

/** Failures that can mean an attack. */
const SECURITY_EVENTS: ReadonlySet<SshFailure> = new Set(["HostKeyMismatch", "HostKeyRevoked"])

/** Cross-checks rule this out; a host is never connected to around its jump hosts. */
const NO_ROUTE = "A jump host is missing"

/** A host of a route with its checked addresses. */
interface Hop extends Resolved {
  readonly entry: HostEntry
}

const denial = (
  reason: DenialReason,
  about: { readonly alias: string; readonly hash: string; readonly command: string },
  detail: string,
  deniedCommand?: string
): CommandDenied => {
  const answer: Denial = {
    status: "denied",
    reason,
    alias: about.alias,
    hash: about.hash,
    command: about.command,
    detail,
    ...(deniedCommand === undefined ? {} : { denied_command: deniedCommand }),
    hint: HINTS[reason]
  }
  return new CommandDenied({ denial: answer })
}

/**
 * One command on one host, from the caller's text to a task: the inventory, the policy decision, the network check and
 * the login are joined here, in this order, and nothing else starts a command.
 */
export class Dispatcher extends Context.Service<
  Dispatcher,
  {
    /** Decides without connecting; resolves the host's name. */
    readonly plan: (alias: string, command: string) => Effect.Effect<Plan, HostError>
    /** Everything up to the task: decision, name resolution, address check. Interruptible; leaves nothing behind. */
    readonly prepare: (request: RunRequest) => Effect.Effect<PreparedCommand, HostError | CommandDenied>
    /** Hands a prepared command to the task supervisor. Denied with the reason `limit` when too many wait. */
    readonly submit: (prepared: PreparedCommand) => Effect.Effect<TaskId, CommandDenied>
    /** The host as a client may see it, and whether the network policy allows it. */
    readonly describe: (alias: string) => Effect.Effect<HostDescription, HostError>
    /** Connects and authenticates, runs nothing. */
    readonly ping: (alias: string) => Effect.Effect<HostStatus, HostError>
  }
>()("mcp-ssh-orchestrator/fleet/Dispatcher") {
  static readonly layer = Layer.effect(
    Dispatcher,
    Effect.gen(function* () {
      const config = yield* ConfigDirectory
      const resolver = yield* HostResolver
      const pool = yield* ConnectionPool
      const supervisor = yield* TaskSupervisor
      const audit = yield* AuditLog
      const redactions = yield* Ref.make<SnapshotRedaction | undefined>(undefined)

      const lookup = Effect.fnUntraced(function* (alias: string) {
        const snapshot = yield* config.snapshot
        const entry = findHost(snapshot, alias)
        if (Option.isSome(entry)) return { snapshot, entry: entry.value, facts: entry.value.host satisfies HostFacts }
        if (!snapshot.usable) {
          return yield* new ConfigUnusable({
            problems: snapshot.problems.filter((p) => p.severity === "error").map(formatProblem)
          })
        }
        return yield* new HostNotFound({ alias })
      })

      const login = (entry: HostEntry) =>
        Result.match(entry.login, {
          onFailure: (problem) => Effect.fail(new ConfigUnusable({ problems: [formatProblem(problem)] })),
          onSuccess: Effect.succeed
        })

      /** Checks one host of a route: the first is connected to from here, the others from the one before. */
      const resolveHop = (snapshot: ConfigSnapshot, entry: HostEntry, route: Route) =>
        Effect.map(resolver.resolve(entry.host.host, snapshot.policy.network, route), (resolved): Hop => ({
          entry,
          ...resolved
        }))

      /** Resolves and checks a host and its jump hosts within the connect timeout, and says what is left of it. */
      const resolve = Effect.fnUntraced(function* (snapshot: ConfigSnapshot, entry: HostEntry, limits: Limits) {
        const budget = Duration.seconds(limits.connect_timeout_seconds)
        const from = yield* monotonicMillis
        const jumpEntries = jumpHosts(snapshot, entry)
        if (Option.isNone(jumpEntries)) return yield* new NetworkDenied({ detail: NO_ROUTE, addresses: [] })
        const { host, jumps } = yield* Effect.gen(function* () {
          const jumps = yield* Effect.forEach(jumpEntries.value, (jump, at) =>
            Effect.mapError(
              resolveHop(snapshot, jump, at === 0 ? "direct" : "jump"),
              ({ addresses, detail }) =>
                new NetworkDenied({ addresses, detail: `${detail} (jump host ${jump.host.alias})` })
            )
          )
          return { jumps, host: yield* resolveHop(snapshot, entry, jumps.length === 0 ? "direct" : "jump") }
        }).pipe(
          Effect.timeoutOrElse({
            duration: budget,
            orElse: () => Effect.fail(new NetworkDenied({ detail: "DNS resolution failed", addresses: [] }))
          })
        )
        const spent = Duration.millis((yield* monotonicMillis) - from)
        return { jumps, host, budget: Duration.subtract(budget, spent) }
      })

      /** One target for each way through the addresses of a route; those of the last host vary first. */
      const targetsOf = Effect.fnUntraced(function* (snapshot: ConfigSnapshot, jumps: ReadonlyArray<Hop>, host: Hop) {
        const reach = Effect.fnUntraced(function* (hop: Hop, ways: Arr.NonEmptyReadonlyArray<Target | undefined>) {
          const material = yield* login(hop.entry)
          const { alias, host: hostname, port } = hop.entry.host
          const { hostKeys } = snapshot
          const [first, ...others] = Arr.flatMap(ways, (via) =>
            Arr.map(
              hop.addresses,
              (address) => new Target({ alias, hostname, address, port, login: material, hostKeys, via })
            )
          )
          return [first, ...others.slice(0, MAX_TARGETS - 1)] as const
        })
        let ways: Arr.NonEmptyReadonlyArray<Target | undefined> = [undefined]
        for (const jump of jumps) ways = yield* reach(jump, ways)
        return yield* reach(host, ways)
      })

      /** The log has the detail that a client must not see; a wrong host key is a security event as well. */
      const report = ({ alias, because, detail, failure }: SshError) =>
        SECURITY_EVENTS.has(because ?? failure)
          ? audit.securityEvent(because ?? failure, { alias, detail })
          : Effect.logWarning({ type: "ssh", alias, failure, detail })

      const plan = Effect.fn("Dispatcher.plan")(function* (alias: string, command: string) {
        const { entry, facts, snapshot } = yield* lookup(alias)
        const decision = decide(snapshot.policy, facts, command)
        const network = yield* resolve(snapshot, entry, decision.limits).pipe(
          Effect.match({
            onSuccess: ({ host }) =>
              host.resolvedBy === "jump host"
                ? { allowed: true, addresses: [], reason: "The jump host resolves the name" }
                : { allowed: true, addresses: [...host.addresses] },
            onFailure: (denied) => ({ allowed: false, addresses: [...denied.addresses], reason: denied.detail })
          })
        )
        const allowed = decision._tag === "Allowed" && network.allowed
        const shared = { alias, commands: decision.parts, network, allowed, limits: showLimits(decision.limits) }
        if (decision._tag === "Allowed") {
          const { canonical, hash, requested } = decision.command
          return {
            ...shared,
            command: requested,
            hash,
            normalized: canonical,
            ...(network.allowed ? {} : { hint: HINTS.network })
          } satisfies Plan
        }
        return {
          ...shared,
          command: decision.requested,
          hash: decision.hash,
          why: decision.why,
          hint: HINTS.policy,
          ...(decision.normalized === undefined ? {} : { normalized: decision.normalized }),
          ...(decision.deniedCommand === undefined ? {} : { denied_command: decision.deniedCommand }),
          ...(decision.nearest.length === 0 ? {} : { nearest: decision.nearest })
        } satisfies Plan
      })

      const refuse = Effect.fnUntraced(function* (alias: string, decision: Denied) {
        yield* audit.decision({
          alias,
          hash: decision.hash,
          allowed: false,
          rule: decision.rule ?? "",
          reason: decision.code,
          command: decision.requested
        })
        return yield* denial(
          "policy",
          { alias, hash: decision.hash, command: decision.requested },
          `${decision.why} ${decision.detail}`,
          decision.deniedCommand
        )
      })

      /** What the host's output must not show, made once for each snapshot. */
      const redactionFor = (snapshot: ConfigSnapshot, limits: Limits) =>
        Ref.modify(redactions, (known) => {
          const current = known?.snapshot === snapshot ? known : redactionOf(snapshot)
          const redaction = current.redaction(limits.redact_output)
          return [redaction === undefined ? {} : { redaction }, current]
        })

      const prepare = Effect.fn("Dispatcher.prepare")(function* (request: RunRequest) {
        const { entry, facts, snapshot } = yield* lookup(request.alias)
        const decision = decide(snapshot.policy, facts, request.command)
        if (decision._tag === "Denied") return yield* refuse(request.alias, decision)
        const { canonical, hash, requested } = decision.command
        const about = { alias: request.alias, hash, command: requested }
        yield* login(entry)
        const { budget, host, jumps } = yield* resolve(snapshot, entry, decision.limits).pipe(
          Effect.tapError((denied) =>
            audit.decision({ ...about, allowed: false, rule: decision.rule, reason: denied.detail })
          ),
          Effect.mapError((denied) => denial("network", about, denied.detail))
        )
        yield* audit.decision({ ...about, allowed: true, rule: decision.rule, reason: "rule" })
        const max_seconds = lowerSeconds(decision.limits.max_seconds, Math.max(0, request.timeoutSeconds ?? 0))
        const prepared: PreparedCommand = {
          spec: {
            ...about,
            commandSha256: createHash("sha256").update(canonical).digest("hex"),
            decisionRule: decision.rule,
            limits: { ...decision.limits, max_seconds },
            ...(yield* redactionFor(snapshot, decision.limits)),
            client: request.client ?? "embedded",
            ...(request.onOutput === undefined ? {} : { onOutput: request.onOutput })
          },
          targets: yield* targetsOf(snapshot, jumps, host),
          canonical,
          budget
        }
        return prepared
      })

      const submit = Effect.fn("Dispatcher.submit")(function* ({ budget, canonical, spec, targets }: PreparedCommand) {
        return yield* supervisor
          .submit(spec, (io) =>
            pool.start({ ...io, targets, command: canonical, budget }).pipe(Effect.tapError(report))
          )
          .pipe(Effect.mapError((limit) => denial("limit", spec, limit.detail)))
      })

      const describe = Effect.fn("Dispatcher.describe")(function* (alias: string) {
        const { entry, facts, snapshot } = yield* lookup(alias)
        const limits = limitsFor(snapshot.policy, facts)
        const { description, host, jump, port, tags } = entry.host
        return {
          alias,
          host,
          port,
          tags,
          description,
          has_credentials: entry.host.credentials !== undefined,
          ...(jump.length === 0 ? {} : { jump }),
          limits: showLimits(limits),
          network: { allowed: Result.isSuccess(yield* Effect.result(resolve(snapshot, entry, limits))) }
        } satisfies HostDescription
      })

      const ping = Effect.fn("Dispatcher.ping")(function* (alias: string) {
        const { entry, facts, snapshot } = yield* lookup(alias)
        const limits = limitsFor(snapshot.policy, facts)
        const answer = (status: HostStatus["status"], target_ip: string, latency_ms: number, error?: string) =>
          ({ status, alias, target_ip, latency_ms, ...(error === undefined ? {} : { error }) }) satisfies HostStatus
        yield* login(entry)
        return yield* Effect.gen(function* () {
          const { budget, host, jumps } = yield* resolve(snapshot, entry, limits)
          const targets = yield* targetsOf(snapshot, jumps, host)
          return yield* pool.check(targets, budget).pipe(
            Effect.map(({ latency, targetIp }) =>
              answer("reachable", targetIp, Math.round(Duration.toMillis(latency)))
            ),
            Effect.tapError(report),
            Effect.catchTag("SshError", (error) =>
              Effect.succeed(answer("unreachable", targets[0].address, 0, error.message))
            )
          )
        }).pipe(
          Effect.catchTag("NetworkDenied", (denied) =>
            Effect.succeed(answer("denied", "", 0, `${denied.detail}. ${HINTS.network}`))
          )
        )
      })

      return Dispatcher.of({ plan, prepare, submit, describe, ping })
    })
  )
}

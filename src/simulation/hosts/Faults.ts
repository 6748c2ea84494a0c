import { Schema } from "effect"
import type { SeededRandom } from "../world/SeededRandom.ts"

/** What can go wrong, as the simulation names it. Each strikes at the stages that `FAULT_STAGES` lists. */
export const FaultKind = Schema.Literals([
  /** The resolver says that there is no such name. */
  "dns-failure",
  /** The resolver does not answer for the fault's time. */
  "dns-hang",
  /** The name resolves to `FORBIDDEN_ADDRESS`, as in a rebinding attack. */
  "dns-forbidden-address",
  "connect-refused",
  /** Packets to the address are dropped. */
  "connect-timeout",
  "network-unreachable",
  /** The server accepts the connection and never says who it is. */
  "banner-hang",
  /** The server hangs up before a word, as sshd does above MaxStartups, or in authentication. */
  "handshake-dropped",
  "host-key-changed",
  "host-key-unknown",
  "auth-failed",
  /** The answer takes the fault's time. */
  "slow-answer",
  /** The server opens no session, or no tunnel. */
  "channel-refused",
  /** The server takes the request, starts nothing and never answers. */
  "exec-mute",
  /** The command starts, but the answer to its request never comes. */
  "exec-unanswered",
  /** The login shell writes before the header. */
  "noisy-login",
  /** The login shell ends without running the command. */
  "login-refused",
  /** The connection is lost at once; processes live on. */
  "connection-drop",
  /** The network is silent for the fault's time; processes live on. A connection is lost after a minute of it. */
  "host-silent",
  /** The host loses power: connections and processes are gone, and it answers nothing for the fault's time. */
  "host-vanishes",
  /** Output comes in pieces with pauses between. */
  "slow-output",
  /** Output is held back, then comes at once. */
  "bursty-output",
  /** A million bytes of noise come before the command's own output. */
  "flood",
  /** Output is cut anywhere, also within a character. */
  "partial-utf8",
  /** The process is killed by a signal before its end. */
  "exit-by-signal",
  /** The channel closes without an exit status. */
  "exit-unreported",
  /** TERM is ignored; KILL works. */
  "ignores-term",
  /** After TERM the process takes the fault's time to end. */
  "slow-to-stop",
  /** The process survives KILL for ever, as in uninterruptible sleep. */
  "unstoppable",
  /** The killer does not find the process, which keeps its channel open. Not once the channel is gone: nobody could tell. */
  "hidden-process",
  /** The killer cannot see the processes and says so. */
  "killer-unsure",
  /** The jump host loses its connection while hosts behind it use it. */
  "jump-host-dies",
  /** The clock of the machine jumps. */
  "clock-jump"
])
export type FaultKind = typeof FaultKind.Type

/** How far the work on a host had come when a fault struck; `clock` is outside of it. */
export const Stage = Schema.Literals([
  "dns",
  "tcp",
  "kex",
  "host-key",
  "auth",
  "channel",
  "exec",
  "streaming",
  "stop",
  "clock"
])
export type Stage = typeof Stage.Type

/** The stages at which each kind can strike: the cells of the coverage table that can be filled. */
export const FAULT_STAGES: Readonly<Record<FaultKind, readonly [Stage, ...ReadonlyArray<Stage>]>> = {
  "dns-failure": ["dns"],
  "dns-hang": ["dns"],
  "dns-forbidden-address": ["dns"],
  "connect-refused": ["tcp"],
  "connect-timeout": ["tcp"],
  "network-unreachable": ["tcp"],
  "banner-hang": ["kex"],
  "handshake-dropped": ["kex", "auth"],
  "host-key-changed": ["host-key"],
  "host-key-unknown": ["host-key"],
  "auth-failed": ["auth"],
  "slow-answer": ["dns", "tcp", "kex", "auth", "channel", "exec", "stop"],
  "channel-refused": ["channel", "stop"],
  "exec-mute": ["exec", "stop"],
  "exec-unanswered": ["exec", "stop"],
  "noisy-login": ["exec"],
  "login-refused": ["exec"],
  "connection-drop": ["kex", "host-key", "auth", "channel", "exec", "streaming", "stop"],
  "host-silent": ["tcp", "kex", "auth", "channel", "exec", "streaming", "stop"],
  "host-vanishes": ["tcp", "kex", "auth", "channel", "exec", "streaming", "stop"],
  "slow-output": ["streaming"],
  "bursty-output": ["streaming"],
  flood: ["streaming"],
  "partial-utf8": ["streaming"],
  "exit-by-signal": ["streaming"],
  "exit-unreported": ["streaming"],
  "ignores-term": ["stop"],
  "slow-to-stop": ["stop"],
  unstoppable: ["stop"],
  "hidden-process": ["stop"],
  "killer-unsure": ["stop"],
  "jump-host-dies": ["tcp", "streaming"],
  "clock-jump": ["clock"]
}

/** The longest time of a fault: past every deadline of the product but the longest `max_seconds`. */
export const MAX_FAULT_MILLIS = 180_000

const Count = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

/**
 * One fault of a host. Chances of its stage are counted from 0 for each host: it strikes those from `after` on, `times`
 * of them. So a plan says what happens without a draw at run time, and can be shortened.
 */
export const PlannedFault = Schema.Struct({
  kind: FaultKind,
  /** One of the kind's `FAULT_STAGES`; at any other it never strikes. */
  stage: Stage,
  after: Count(1_000_000),
  times: Count(1_000_000),
  /** For the kinds that take a time. */
  millis: Count(MAX_FAULT_MILLIS)
})
export type PlannedFault = typeof PlannedFault.Type

/** The faults of one host: of those whose turn it is at one chance, the first strikes. */
export const FaultPlan = Schema.Array(PlannedFault).check(Schema.isMaxLength(64))
export type FaultPlan = typeof FaultPlan.Type

/** How much goes wrong: `none`, a fault on few hosts, on every other, or several on most. */
export const FaultLevel = Schema.Literals(["none", "low", "medium", "high"])
export type FaultLevel = typeof FaultLevel.Type

/** For each level: the percentage of kinds that a seed switches on, of hosts with faults, and the faults of such a host. */
const LEVELS: Readonly<
  Record<FaultLevel, { readonly kinds: number; readonly hosts: number; readonly faults: number }>
> = {
  none: { kinds: 0, hosts: 0, faults: 0 },
  low: { kinds: 25, hosts: 20, faults: 1 },
  medium: { kinds: 40, hosts: 50, faults: 3 },
  high: { kinds: 60, hosts: 85, faults: 6 }
}

/**
 * The kinds that a run may use. Switching most of them off in each seed (swarm testing, Groce et al. 2012) reaches states
 * that a mix of everything hides: a connection that is always refused never has a process to stop.
 */
export const drawFaultKinds = (random: SeededRandom, level: FaultLevel): ReadonlyArray<FaultKind> =>
  FaultKind.literals.filter(() => random.below(100) < LEVELS[level].kinds)

/** Times at which something of the product or of the simulation ends, and those between. */
const MILLIS = [1, 20, 100, 400, 900, 1_900, 2_500, 4_900, 9_000, 16_000, 46_000, 59_000, 61_000, 120_000] as const

/** Draws the faults of one host from the kinds of the run. */
export const drawFaultPlan = (random: SeededRandom, level: FaultLevel, kinds: ReadonlyArray<FaultKind>): FaultPlan => {
  const { faults, hosts } = LEVELS[level]
  if (random.below(100) >= hosts) return []
  return Array.from({ length: 1 + random.below(faults) }, () => random.pick(kinds))
    .filter((kind) => kind !== undefined && kind !== "clock-jump")
    .map((kind) => ({
      kind,
      stage: random.pick(FAULT_STAGES[kind]),
      after: random.chance(0.5) ? 0 : random.below(6),
      times: random.chance(0.15) ? 1_000 : 1 + random.below(3),
      millis: random.pick(MILLIS) + random.below(20)
    }))
}

/** How often each kind struck at each stage; a cell is missing at 0. */
export type FaultCounts = ReadonlyMap<FaultKind, ReadonlyMap<Stage, number>>

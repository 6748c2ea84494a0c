import { Schema } from "effect"

/** The names of the invariants. */
export const InvariantName = Schema.Literals([
  /** Every admitted task reaches exactly one terminal state, along the edges of its state machine. */
  "one-terminal-state",
  /** What policy or network denies never reaches a host; what runs is the canonical text, and runs at most once. */
  "denied-never-runs",
  /** What is said about a stop is true: a process said to be gone is gone, one said not to have started never did. */
  "stopped-means-gone",
  /** Limits on running and waiting commands, channels and handshakes hold; who waits gets a place that is free. */
  "limits-kept",
  /** A command is stopped at its time limit, and does not wait for ever to start. */
  "times-kept",
  /** A connection that is gone is never handed out to a command that begins later. */
  "lost-never-used",
  /** Exactly one audit record for each admitted command, with what the host saw. */
  "one-audit-record",
  /** The pages of a task's output fit together, without gap or repeat, within the bytes that may be kept. */
  "output-pages",
  /** A result is there until its TTL, and gone soon after; in the end nothing is held. */
  "kept-until-ttl",
  /** What a status counts never goes back; the status of an ended task never changes. */
  "monotonic-status",
  /** A reload changes nothing for tasks that run, and a bad configuration replaces no good one. */
  "reload-changes-nothing",
  /** A shutdown ends within its deadline and leaves nothing. */
  "shutdown-in-time",
  /** An answer is what the reference model says. */
  "answers-as-modelled",
  /** No call dies, no bug is logged, and the run comes to its end. */
  "run-ends"
])
export type InvariantName = typeof InvariantName.Type

/** An invariant that did not hold, at a virtual millisecond of the run. */
export const Violation = Schema.Struct({ invariant: InvariantName, detail: Schema.String, at: Schema.Number })
export type Violation = typeof Violation.Type

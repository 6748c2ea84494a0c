import { printable } from "./Table.ts"

/** What is looked at, in order; a host is examined up to the first that fails. */
export type StepName =
  | "configuration"
  | "resolve"
  | "connect"
  | "key exchange"
  | "host key"
  | "log in"
  | "channel"
  | "login shell"
  | "stop"
  | "clock"

/** One thing that was looked at. */
export interface Step {
  readonly step: StepName
  /** The jump host that it is about; absent for the host itself. */
  readonly hop?: string
  readonly status: "ok" | "warning" | "failed"
  /** How long it took, in milliseconds; absent where nothing was waited for. */
  readonly ms?: number
  /** What was found, or the cause of the failure. */
  readonly detail: string
  /** What to do about it. */
  readonly fix?: string
}

/** What came of one host. */
export interface HostExamination {
  readonly alias: string
  /** Whether no step failed. */
  readonly ok: boolean
  readonly steps: ReadonlyArray<Step>
}

const LABELS = { ok: "ok  ", warning: "WARN", failed: "FAIL" } as const
const INDENT = " ".repeat(35)

/** An examination for a person: a line a step, then cause and fix where there are any. Pure; one line an element. */
export const explainHost = ({ alias, steps }: HostExamination): ReadonlyArray<string> => [
  alias,
  ...steps.flatMap(({ detail, fix, hop, ms, status, step }) => [
    [
      `  ${LABELS[status]}  ${step.padEnd(14)}`,
      ms === undefined ? " ".repeat(11) : `${ms.toFixed(1).padStart(8)} ms`,
      printable(`${hop === undefined ? "" : `(${hop}) `}${detail}`)
    ]
      .join("  ")
      .trimEnd(),
    ...(fix === undefined ? [] : [`${INDENT}fix: ${printable(fix)}`])
  ])
]

/** What a figure has to reach. */
export interface Goal {
  /** As a person reads it, such as `at most 1.5 × raw ssh2`. */
  readonly text: string
  readonly met: boolean
}

/** One measured figure. */
export interface Row {
  /** What was measured, such as `warm exec of true, 50 ms RTT`: rows with the same text are printed together. */
  readonly measure: string
  /** Who was measured. */
  readonly subject: string
  readonly value: number
  readonly unit: string
  /** The 95th percentile, where there are enough samples for one. */
  readonly p95?: number
  /** Samples behind the value, which is their median. */
  readonly n?: number
  readonly goal?: Goal
  /** What a reader has to know to read the figure rightly. */
  readonly note?: string
}

/** A part of the bench that was left out or failed, and why. */
export interface Skipped {
  readonly what: string
  readonly why: string
}

/** What one part of the bench found. */
export interface Findings {
  readonly rows: ReadonlyArray<Row>
  readonly skipped: ReadonlyArray<Skipped>
}

/** The value that `q` of the samples lie below. */
export const quantile = (samples: ReadonlyArray<number>, q: number): number => {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

const rounded = (value: number): number => Number(value.toPrecision(4))

/** A row out of samples: their median, and the 95th percentile of 20 or more. */
export const row = (
  measure: string,
  subject: string,
  unit: string,
  samples: ReadonlyArray<number>,
  others: Pick<Row, "goal" | "note"> = {}
): Row => ({
  measure,
  subject,
  unit,
  value: rounded(quantile(samples, 0.5)),
  ...(samples.length >= 20 ? { p95: rounded(quantile(samples, 0.95)) } : {}),
  n: samples.length,
  ...others
})

/** A goal that a value must not exceed. */
export const atMost = (value: number, limit: number, text: string): Goal => ({ text, met: value <= limit })

/** A goal that a value must reach. */
export const atLeast = (value: number, limit: number, text: string): Goal => ({ text, met: value >= limit })

const line = (each: Row, width: number): string =>
  [
    `  ${each.subject.padEnd(width)}`,
    `${String(each.value).padStart(9)} ${each.unit.padEnd(5)}`,
    (each.p95 === undefined ? "" : `p95 ${each.p95}`).padEnd(11),
    (each.n === undefined ? "" : `n ${each.n}`).padEnd(6),
    each.goal === undefined ? "" : `${each.goal.met ? "met   " : "MISSED"} ${each.goal.text}`,
    each.note === undefined ? "" : `(${each.note})`
  ]
    .join("  ")
    .trimEnd()

/** The rows for a terminal, one table per measure. */
export const table = (rows: ReadonlyArray<Row>): string => {
  const width = Math.max(0, ...rows.map(({ subject }) => subject.length))
  return [...new Set(rows.map(({ measure }) => measure))]
    .map((measure) =>
      [measure, ...rows.filter((each) => each.measure === measure).map((each) => line(each, width)), ""].join("\n")
    )
    .join("\n")
}

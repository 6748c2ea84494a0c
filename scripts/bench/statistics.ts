/** Milliseconds of one thing, measured many times. */
export interface Samples {
  readonly name: string
  readonly median: number
  readonly p95: number
  readonly count: number
}

const quantile = (sorted: ReadonlyArray<number>, q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN

/** Median and 95th percentile, in milliseconds rounded to a hundredth. */
export const summarise = (name: string, milliseconds: ReadonlyArray<number>): Samples => {
  const sorted = [...milliseconds].toSorted((a, b) => a - b)
  const round = (value: number): number => Math.round(value * 100) / 100
  return { name, median: round(quantile(sorted, 0.5)), p95: round(quantile(sorted, 0.95)), count: sorted.length }
}

/** Runs each measurement `rounds` times, interleaved, so that a slow moment of the machine hits all of them. */
export const interleave = async (
  rounds: number,
  measured: Readonly<Record<string, () => Promise<number>>>
): Promise<ReadonlyArray<Samples>> => {
  const names = Object.keys(measured)
  const taken = new Map<string, Array<number>>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length] ?? ""
      const once = measured[name]
      if (once !== undefined) taken.get(name)?.push(await once())
    }
  }
  return names.map((name) => summarise(name, taken.get(name) ?? []))
}

/** A table for a terminal. */
export const table = (title: string, samples: ReadonlyArray<Samples>): string => {
  const width = Math.max(...samples.map((sample) => sample.name.length))
  const lines = samples.map(
    (sample) =>
      `  ${sample.name.padEnd(width)}  ${sample.median.toFixed(2).padStart(9)}  ${sample.p95.toFixed(2).padStart(9)}  ${String(sample.count).padStart(5)}`
  )
  return [
    title,
    `  ${"".padEnd(width)}  ${"median ms".padStart(9)}  ${"p95 ms".padStart(9)}  ${"n".padStart(5)}`,
    ...lines,
    ""
  ].join("\n")
}

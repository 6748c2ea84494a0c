import type { CleanChunk } from "../task/TaskOutput.ts"

/** Characters of a line without an end that are held back; what is longer is passed on in pieces. */
const MAX_PENDING = 16 * 1024

/** What one host wrote since its last line feed, for each stream: so that lines of the two never mix. */
export type HostLines = Readonly<Record<CleanChunk["stream"], string>>

/** A host that wrote nothing. */
export const noLines: HostLines = { stdout: "", stderr: "" }

/**
 * Takes a chunk of a host's output: what is held back now, and the text of all lines that it completed, without the
 * last line feed. None when it completed no line.
 */
export const takeLines = (held: HostLines, { stream, text }: CleanChunk): readonly [HostLines, string | undefined] => {
  const all = held[stream] + text
  const end = all.lastIndexOf("\n")
  if (end !== -1 && all.length - end - 1 <= MAX_PENDING) {
    return [{ ...held, [stream]: all.slice(end + 1) }, all.slice(0, end)]
  }
  if (all.length <= MAX_PENDING) return [{ ...held, [stream]: all }, undefined]
  return [{ ...held, [stream]: "" }, all]
}

/** What a host left without a line feed when it ended. */
export const lastLines = (held: HostLines): ReadonlyArray<string> =>
  [held.stdout, held.stderr].filter((text) => text !== "")

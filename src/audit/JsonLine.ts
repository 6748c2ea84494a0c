import { Formatter } from "effect"

/** The longest text in a record, in UTF-16 code units: what is over it is cut with a mark. */
const MAX_TEXT = 8192

/** The most members of a list or a record inside a record. */
const MAX_MEMBERS = 256

/** How deep a value may nest. */
const MAX_DEPTH = 6

/**
 * What JSON leaves as it is although a terminal or a log viewer acts on it: DEL and C1 controls, line and paragraph
 * separators, interlinear annotation, and what Unicode says is shown as nothing: bidirectional marks and embeddings
 * (CVE-2021-42574), zero-width characters, variation selectors, tag characters.
 */
const HOSTILE = /[\u007f-\u009f\u2028\u2029\ufff9-\ufffb\p{Default_Ignorable_Code_Point}]/gu

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`

const escapeHostile = (text: string): string =>
  Array.from({ length: text.length }, (_, i) => escapeUnit(text.charAt(i))).join("")

const bounded = (value: unknown, depth: number): unknown => {
  if (typeof value === "string") {
    return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}… [${value.length - MAX_TEXT} characters cut]` : value
  }
  if (typeof value !== "object" || value === null) return value
  if (depth >= MAX_DEPTH) return "[nested too deep]"
  if (Array.isArray(value)) return value.slice(0, MAX_MEMBERS).map((item: unknown) => bounded(item, depth + 1))
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MAX_MEMBERS)
      .map(([key, item]) => [key, bounded(item, depth + 1)])
  )
}

/** The fields that every record begins with. */
export interface RecordHead {
  readonly time: Date
  /** `trace`, `debug`, `info`, `warn`, `error` or `fatal`. */
  readonly level: string
  /** What the record is about: `audit`, `task`, `policy_decision`, `security_event`, `config`, `progress`, `log`. */
  readonly type: string
}

/**
 * One log record as one line of JSON, whatever its values hold: control characters and characters that a viewer acts
 * on are written as escapes, long texts and lists are cut, a `Redacted` value stays hidden. No field can replace the head.
 */
export const jsonLine = (head: RecordHead, fields: Readonly<Record<string, unknown>>): string => {
  const { level: _level, ts: _ts, type: _type, ...others } = fields
  const record = { ts: head.time.toISOString(), level: head.level, type: head.type, ...others }
  return Formatter.formatJson(bounded(record, 0)).replace(HOSTILE, escapeHostile)
}

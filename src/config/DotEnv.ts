import { Option, Redacted, Schema } from "effect"
import { SecretName } from "./Names.ts"

/** The secrets of a `.env` file by name, and the lines (from 1) that hold none. */
export interface DotEnv {
  readonly secrets: ReadonlyMap<string, Redacted.Redacted<string>>
  readonly malformed: ReadonlyArray<number>
}

const isSecretName = Schema.is(SecretName)

/** Strips one pair of matching quotes; what is between them is taken as it is. */
const unquote = (value: string): string => {
  const quote = value[0]
  return value.length >= 2 && (quote === '"' || quote === "'") && value.endsWith(quote) ? value.slice(1, -1) : value
}

const parseLine = (line: string): Option.Option<readonly [string, string]> => {
  const separator = line.indexOf("=")
  const name = line.slice(0, Math.max(0, separator)).trim()
  return isSecretName(name) ? Option.some([name, unquote(line.slice(separator + 1).trim())]) : Option.none()
}

/**
 * Parses `.env`: `NAME=value` a line, split at the first `=`, both trimmed; lines that begin with `#` are comments. No
 * `export`, no interpolation, no escapes. A name given twice has its last value; an empty value is none.
 */
export const parseDotEnv = (text: string): DotEnv => {
  const secrets = new Map<string, Redacted.Redacted<string>>()
  const malformed: Array<number> = []
  for (const [index, raw] of text.split(/\r?\n/u).entries()) {
    const line = raw.trim()
    if (line === "" || line.startsWith("#")) continue
    const parsed = parseLine(line)
    if (Option.isNone(parsed)) {
      malformed.push(index + 1)
      continue
    }
    const [name, value] = parsed.value
    if (value === "") secrets.delete(name)
    else secrets.set(name, Redacted.make(value, { label: "secret" }))
  }
  return { secrets, malformed }
}

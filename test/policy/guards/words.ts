import { assert } from "@effect/vitest"
import type { Argument } from "../../../src/policy/guards/Argument.ts"
import { refusedArgument } from "../../../src/policy/guards/ArgumentGuards.ts"
import { type DynamicWord, staticWord, type Word, type Words } from "../../../src/policy/shell/Word.ts"

const TOKEN = /(?:[^\s'"]|'[^']*'|"[^"]*")+/g
const VARIABLE = /\$(\w+)/

const dynamicWord = (token: string, count: DynamicWord["count"], prefix: string, suffix: string): DynamicWord => {
  const isSafe = VARIABLE.exec(token)?.[1] === "safe"
  return {
    _tag: "Dynamic",
    text: token,
    count,
    prefix,
    suffix,
    mayBeOption: prefix === "" ? !isSafe : prefix.startsWith("-"),
    mayTraverse: count !== "each"
  }
}

const toWord = (token: string): Word => {
  if (/^'[^']*'$/.test(token)) return staticWord(token.slice(1, -1))
  const quoted = /^"([^"]*)"$/.exec(token)?.[1]
  const body = quoted ?? token.replaceAll("'", "").replaceAll('"', "")
  const isQuoted = quoted !== undefined || token.includes('"')
  if (body.includes("$")) {
    const suffix = body.slice(body.lastIndexOf("$")).replace(VARIABLE, "")
    return dynamicWord(token, isQuoted ? "one" : "any", body.slice(0, body.indexOf("$")), suffix)
  }
  if (quoted === undefined && body.includes("*")) {
    return dynamicWord(token, "each", body.slice(0, body.indexOf("*")), body.slice(body.lastIndexOf("*") + 1))
  }
  return staticWord(body)
}

/**
 * Words from a text: `'…'` and plain words are static, `"$x"` and `--y="$x"` become one word, `$x` any number, `*.log` one
 * or more. A variable called `safe` never begins with `-`.
 */
export const wordsOf = (text: string): Words => {
  const [name = staticWord(""), ...args] = (text.match(TOKEN) ?? []).map(toWord)
  return [name, ...args]
}

/** Why a command is refused. A word behind `@` is one that the rule names literally. */
export const refusal = (text: string): string | undefined => {
  const [name, ...tokens] = text.match(TOKEN) ?? []
  const args: ReadonlyArray<Argument> = tokens.map((token) => ({
    word: toWord(token.replace(/^@/, "")),
    literal: token.startsWith("@")
  }))
  return refusedArgument(name ?? "", args)
}

/** Asserts that no guard refuses any of the commands, one a line. */
export const accepts = (commands: string): void => {
  for (const command of commands.trim().split("\n")) assert.isUndefined(refusal(command.trim()), command)
}

/** Asserts that a guard refuses each of the commands, one a line. */
export const refuses = (commands: string): void => {
  for (const command of commands.trim().split("\n")) assert.isString(refusal(command.trim()), command)
}

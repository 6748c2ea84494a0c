import { Result } from "effect"
import { type DocumentProblem, error } from "../DocumentProblem.ts"
import { parseCommand, type SimpleCommand } from "../shell/ShellCommand.ts"
import { type CompiledRule, compileRule } from "./CompiledRule.ts"
import { mayRedirect, maySetVariable } from "./Permission.ts"
import type { RegexEngine } from "./RegexEngine.ts"
import { type Rule, ruleName } from "./Rule.ts"

const hasWords = (rule: CompiledRule, command: SimpleCommand): boolean =>
  rule.matchers.some((matcher) => matcher.match(command.words) !== undefined)

/** Whether a rule alone is enough for a command: its words, the files that it redirects to and the variables that it sets. */
const covers = (rule: CompiledRule, command: SimpleCommand): boolean =>
  hasWords(rule, command) &&
  command.redirections.every((redirection) => mayRedirect(rule, redirection)) &&
  command.assignments.every((name) => maySetVariable(rule, name))

/** Why an example is not what its list says it is, or none. */
const wrongIn = (
  allows: boolean,
  rule: CompiledRule,
  list: "match" | "not_match",
  example: string
): string | undefined => {
  const parsed = parseCommand(example)
  if (Result.isFailure(parsed)) {
    return list === "match"
      ? `does not match its example ${JSON.stringify(example)}: ${parsed.failure.reason}`
      : undefined
  }
  const { commands } = parsed.success
  const missed = commands.find((command) => !covers(rule, command))
  // One denied command denies the whole text; an allowed text needs a rule for every one.
  const matches = allows ? missed === undefined : commands.some((command) => hasWords(rule, command))
  if (matches === (list === "match")) return undefined
  if (list === "not_match") return `matches its example ${JSON.stringify(example)}`
  const part = commands.length > 1 && missed !== undefined && allows ? `: not ${JSON.stringify(missed.text)}` : ""
  return `does not match its example ${JSON.stringify(example)}${part}`
}

/**
 * The examples of a rule (`match`, `not_match`): whole texts that the rule alone must allow or deny, or must not. What
 * other rules, the host and the guards say about them is not its business.
 */
export const checkExamples = (rule: Rule, index: number, engine?: RegexEngine): ReadonlyArray<DocumentProblem> => {
  if ((rule.match?.length ?? 0) + (rule.not_match?.length ?? 0) === 0) return []
  const compiled = compileRule(rule, index, engine)
  return (["match", "not_match"] as const).flatMap((list) =>
    (rule[list] ?? []).flatMap((example, place) => {
      const wrong = wrongIn(rule.action === "allow", compiled, list, example)
      return wrong === undefined ? [] : [error(["rules", index, list, place], `${ruleName(rule, index)} ${wrong}`)]
    })
  )
}

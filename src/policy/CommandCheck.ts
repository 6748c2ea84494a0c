import { Result } from "effect"
import { builtinDenial } from "./BuiltinDenials.ts"
import type { CompiledRule, HostFacts } from "./rules/CompiledRule.ts"
import { refusedArgument } from "./guards/ArgumentGuards.ts"
import { type Argv, baseName } from "./rules/Pattern.ts"
import type { PlannedCommand } from "./Plan.ts"
import { findAllow, findDeny, type Match, type RuleBook } from "./rules/RuleBook.ts"
import { isProgramName, parseCommand } from "./shell/ShellCommand.ts"
import { quoteCommand } from "./shell/Quote.ts"
import { unwrap } from "./guards/Wrapper.ts"

/** What a command is checked against. */
export interface CheckContext {
  readonly book: RuleBook
  readonly host: HostFacts
  /** Whether the built-in denials are in force: no `deny_substrings` is configured for the host. */
  readonly builtins: boolean
}

/** A simple command and those that it runs, each with its decision: the command itself first. */
export interface CheckedPart {
  /** The words to execute: the given ones, with the shell text inside them brought to its canonical form. */
  readonly argv: Argv
  readonly parts: ReadonlyArray<PlannedCommand>
  /** The rules that allowed the parts. */
  readonly rules: ReadonlyArray<CompiledRule>
}

/** Wrappers in wrappers, at most. */
const MAX_DEPTH = 6

/** Shell built-ins that run code, or change what later names mean: no use in one command, and never harmless. */
const CODE_BUILTINS: ReadonlySet<string> = new Set(
  (
    "trap alias unalias source . enable bind complete compgen compopt fc hash mapfile readarray read let coproc " +
    "export declare typeset local readonly unset set shopt setopt unsetopt getopts autoload zmodload functions emulate"
  ).split(" ")
)

const shown = (word: string): string => JSON.stringify(word.length > 60 ? `${word.slice(0, 60)}…` : word)

const planned = (argv: Argv): Pick<PlannedCommand, "text" | "argv"> => ({ text: quoteCommand(argv), argv: [...argv] })

const deny = (argv: Argv, code: string, reason: string, rule?: string): CheckedPart => ({
  argv,
  parts: [{ ...planned(argv), allowed: false, code, reason, ...(rule === undefined ? {} : { rule }) }],
  rules: []
})

const denyByRule = (context: CheckContext, argv: Argv, rule: CompiledRule): CheckedPart => {
  const allow = findAllow(context.book, context.host, argv)
  const reason =
    allow === undefined
      ? `${rule.name} denies this command.`
      : `${rule.name} denies this command although ${allow.rule.name} allows it: a deny rule wins, whatever the order.`
  return deny(argv, "rule-deny", reason, rule.name)
}

/** A built-in denial gives way to a rule that names the program, or the dangerous arguments too where it is about them. */
const isBuiltinDenied = (context: CheckContext, argv: Argv, match: Match | undefined): boolean => {
  const denial = context.builtins ? builtinDenial(argv) : undefined
  if (denial === undefined) return false
  const coverage = match?.coverage ?? [false]
  return denial === "program" ? coverage[0] !== true : coverage.includes(false)
}

const allow = (argv: Argv, match: Match): CheckedPart => ({
  argv,
  parts: [{ ...planned(argv), allowed: true, rule: match.rule.name, pattern: match.matcher.source }],
  rules: [match.rule]
})

/** A wrapper's own decision, followed by those about what it runs. */
const allowWith = (argv: Argv, match: Match, inner: ReadonlyArray<CheckedPart>): CheckedPart => {
  const own = allow(argv, match)
  return {
    argv,
    parts: [...own.parts, ...inner.flatMap((each) => each.parts)],
    rules: [...own.rules, ...inner.flatMap((each) => each.rules)]
  }
}

const isAllowed = (checked: CheckedPart): boolean => checked.parts.every((part) => part.allowed)

const asArgv = (words: ReadonlyArray<string>): Argv => [words[0] ?? "", ...words.slice(1)]

const checkPlain = (argv: Argv, match: Match): CheckedPart => {
  const args = argv.slice(1).map((text, index) => ({ text, literal: match.coverage[index + 1] === true }))
  const refused = refusedArgument(baseName(argv[0]), args)
  return refused === undefined
    ? allow(argv, match)
    : deny(argv, "unsafe-argument", `${refused} A rule may allow it by naming the argument literally.`)
}

const checkInner = (context: CheckContext, argv: Argv, match: Match, index: number, depth: number): CheckedPart => {
  const inner = asArgv(argv.slice(index))
  if (match.coverage.slice(0, index + 1).every((literal) => literal)) {
    const covered = check(context, inner, depth + 1, { ...match, coverage: match.coverage.slice(index) })
    const outer = asArgv([...argv.slice(0, index), ...covered.argv])
    return isAllowed(covered)
      ? allowWith(outer, match, [{ ...covered, parts: covered.parts.slice(1) }])
      : { ...covered, argv: outer }
  }
  const checked = check(context, inner, depth + 1)
  return allowWith(asArgv([...argv.slice(0, index), ...checked.argv]), match, [checked])
}

const checkScript = (context: CheckContext, argv: Argv, match: Match, index: number, depth: number): CheckedPart => {
  const parsed = parseCommand(argv.slice(index).join(" "))
  const named = match.coverage.every((literal) => literal)
  if (Result.isFailure(parsed)) {
    return named ? allow(argv, match) : deny(argv, parsed.failure.code, `Inside it: ${parsed.failure.reason}`)
  }
  if (named) {
    const denied = parsed.success.commands.flatMap((each) => findDeny(context.book, context.host, each.argv) ?? [])
    return denied[0] === undefined ? allow(argv, match) : denyByRule(context, argv, denied[0])
  }
  const inner = parsed.success.commands.map((each) => check(context, each.argv, depth + 1))
  const script = inner.map((each) => quoteCommand(each.argv)).join("; ")
  return allowWith(asArgv([...argv.slice(0, index), script]), match, inner)
}

const checkUnknown = (context: CheckContext, argv: Argv, match: Match): CheckedPart => {
  const denied = argv.flatMap((_, index) => findDeny(context.book, context.host, asArgv(argv.slice(index))) ?? [])
  if (denied[0] !== undefined) return denyByRule(context, argv, denied[0])
  return match.coverage.every((literal) => literal)
    ? allow(argv, match)
    : deny(
        argv,
        "wrapper-option",
        `${shown(argv[0])} runs another command in a way that cannot be checked. Run that command itself, or have a rule name the whole command.`
      )
}

/**
 * Decides about one simple command and the commands that it runs, in the order: name, code built-ins, deny rules, built-in
 * denials, allow rules, then what it wraps or which arguments it has. `covered` is the match of a wrapper whose pattern
 * names this command literally, so that it needs no rule of its own.
 */
export const check = (context: CheckContext, argv: Argv, depth: number, covered?: Match): CheckedPart => {
  const [name] = argv
  if (depth > MAX_DEPTH) return deny(argv, "wrapper-option", "Too many commands run one another.")
  if (!isProgramName(name)) return deny(argv, "command-name", `${shown(name)} is not acceptable as a program's name.`)
  if (CODE_BUILTINS.has(name)) return deny(argv, "code-builtin", `${shown(name)} changes the shell itself.`)
  const denied = findDeny(context.book, context.host, argv)
  if (denied !== undefined) return denyByRule(context, argv, denied)
  const match = covered ?? findAllow(context.book, context.host, argv)
  if (isBuiltinDenied(context, argv, match)) {
    return deny(argv, "deny-substring", "The command is on the list of denied commands.")
  }
  if (match === undefined) return deny(argv, "no-rule", `No rule on this host allows this use of ${shown(name)}.`)
  const wrapped = unwrap(argv)
  switch (wrapped._tag) {
    case "Plain":
      return checkPlain(argv, match)
    case "Inner":
      return checkInner(context, argv, match, wrapped.index, depth)
    case "Script":
      return checkScript(context, argv, match, wrapped.index, depth)
    case "Unknown":
      return checkUnknown(context, argv, match)
  }
}

import { Result } from "effect"
import { builtinDenial } from "./BuiltinDenials.ts"
import { refusedArgument } from "./guards/ArgumentGuards.ts"
import { readsScriptFromInput } from "./guards/ScriptInput.ts"
import { unwrap, type Wrapped } from "./guards/Wrapper.ts"
import type { PlannedCommand } from "./Plan.ts"
import type { CompiledRule, HostFacts } from "./rules/CompiledRule.ts"
import { baseName } from "./rules/DenyPattern.ts"
import { mayRedirect, maySetVariable } from "./rules/Permission.ts"
import { findAllows, findDeny, type Match, type RuleBook } from "./rules/RuleBook.ts"
import { isForbiddenVariable, isScriptVariable } from "./shell/Environment.ts"
import { isProgramName } from "./shell/ProgramName.ts"
import { type FileRedirection, parseCanonicalScript, type SimpleCommand, wordsText } from "./shell/ShellCommand.ts"
import { showWord, staticText, type Words } from "./shell/Word.ts"

/** What a command is checked against. */
export interface CheckContext {
  readonly book: RuleBook
  readonly host: HostFacts
  /** Whether the built-in denials are in force: no `deny_substrings` is configured for the host. */
  readonly builtins: boolean
  /** What was found of commands that others run, by all that is checked: several rules may lead to the same one. */
  readonly checked: Map<string, CheckedPart>
}

/** Makes the context of one decision. */
export const checkContext = (book: RuleBook, host: HostFacts, builtins: boolean): CheckContext => ({
  book,
  host,
  builtins,
  checked: new Map()
})

/** A simple command and those that it runs, each with its decision: the command itself first. */
export interface CheckedPart {
  readonly parts: ReadonlyArray<PlannedCommand>
  /** The rules that allowed the parts. */
  readonly rules: ReadonlyArray<CompiledRule>
}

/** A command to check: one of the text, or one that another command runs. */
type Candidate = Pick<SimpleCommand, "words" | "written" | "assignments" | "redirections" | "text">

/** Wrappers in wrappers, at most. */
const MAX_DEPTH = 6

/** Shell built-ins that run code, or change what later names mean: no use in one command, and never harmless. */
const CODE_BUILTINS: ReadonlySet<string> = new Set(
  (
    "trap alias unalias source . enable bind complete compgen compopt fc hash mapfile readarray let coproc " +
    "export declare typeset local readonly unset set shopt setopt unsetopt getopts autoload zmodload functions emulate"
  ).split(" ")
)

const shown = (word: string): string => JSON.stringify(word.length > 60 ? `${word.slice(0, 60)}…` : word)

const planned = (command: Candidate): Pick<PlannedCommand, "text" | "argv"> => ({
  text: command.text,
  argv: command.words.map(showWord)
})

const deny = (command: Candidate, code: string, reason: string, rule?: string): CheckedPart => ({
  parts: [{ ...planned(command), allowed: false, code, reason, ...(rule === undefined ? {} : { rule }) }],
  rules: []
})

const allow = (command: Candidate, match: Match, inner: ReadonlyArray<CheckedPart> = []): CheckedPart => ({
  parts: [
    { ...planned(command), allowed: true, rule: match.rule.name, pattern: match.matcher.source },
    ...inner.flatMap((each) => each.parts)
  ],
  rules: [match.rule, ...inner.flatMap((each) => each.rules)]
})

const isAllowed = (checked: CheckedPart): boolean => checked.parts.every((part) => part.allowed)

/** A command that another one runs: it has neither assignments nor redirections of its own. */
const innerCommand = (words: Words): Candidate => ({
  words,
  written: words,
  assignments: [],
  redirections: [],
  text: wordsText(words)
})

const denyByRule = (context: CheckContext, command: Candidate, rule: CompiledRule): CheckedPart => {
  const [match] = findAllows(context.book, context.host, command.written)
  const reason =
    match === undefined
      ? `${rule.name} denies this command.`
      : `${rule.name} denies this command although ${match.rule.name} allows it: a deny rule wins, whatever the order.`
  return deny(command, "rule-deny", reason, rule.name)
}

/** Deny rules see the words as they were written and as they will run. */
const findDenied = (context: CheckContext, command: Candidate): CompiledRule | undefined =>
  findDeny(context.book, context.host, command.written) ??
  (command.words === command.written ? undefined : findDeny(context.book, context.host, command.words))

/** A built-in denial gives way to a rule that names the program, or the dangerous arguments too where it is about them. */
const isBuiltinDenied = (context: CheckContext, command: Candidate, match: Match | undefined): boolean => {
  const denial = context.builtins ? builtinDenial(command.words) : undefined
  if (denial === undefined) return false
  const coverage = match?.coverage ?? [false]
  return denial === "program" ? coverage[0] !== true : coverage.includes(false)
}

const redirectionReason = ({ access, path }: FileRedirection): string =>
  access === "write"
    ? `No rule that allows this command lets it write to ${shown(path)} (redirect_write).`
    : `No rule that allows this command lets it read from ${shown(path)} (redirect_read).`

/** What a command does beside running: the variables that are set for it, the files that it is redirected to. */
const checkSurroundings = (command: Candidate, match: Match): CheckedPart | undefined => {
  const variable = command.assignments.find((name) => !maySetVariable(match.rule, name))
  if (variable !== undefined) {
    const next = isForbiddenVariable(variable)
      ? "It may never be set."
      : isScriptVariable(variable)
        ? "To set it for the script, end the assignment with ;. To set it for the command, a rule must name it (env)."
        : "A rule must name it (env)."
    return deny(command, "env-assignment", `The variable ${shown(variable)} may not be set for this command. ${next}`)
  }
  const file = command.redirections.find((each) => !mayRedirect(match.rule, each))
  return file === undefined
    ? undefined
    : deny(command, file.access === "write" ? "redirect-write" : "redirect-read", redirectionReason(file))
}

/** The reason of a guard, or none: also wrappers have options that a guard knows. */
const checkArguments = (command: Candidate, match: Match): CheckedPart | undefined => {
  const [name, ...args] = command.written
  const program = staticText(name)
  if (program === undefined || match.rule.unsafeArgs) return undefined
  const refused = refusedArgument(
    baseName(program),
    args.map((word, index) => ({ word, literal: match.coverage[index + 1] === true }))
  )
  return refused === undefined ? undefined : deny(command, "unsafe-argument", refused)
}

const isNamed = (match: Match, words: Words): boolean =>
  words.every((_, index) => match.coverage[index] === true) && match.coverage.length <= words.length

/** Checks a command that another one runs and that needs a rule of its own. */
const checkOnce = (context: CheckContext, command: Candidate, depth: number): CheckedPart => {
  // Not by its text, which shows neither the redirections of compound commands around it nor what is known of a word.
  const key = JSON.stringify([depth, command.words, command.assignments, command.redirections])
  const known = context.checked.get(key)
  if (known !== undefined) return known
  const checked = check(context, command, depth)
  context.checked.set(key, checked)
  return checked
}

const checkInner = (
  context: CheckContext,
  command: Candidate,
  match: Match,
  wrapped: Extract<Wrapped, { readonly _tag: "Inner" }>,
  depth: number
): CheckedPart => {
  const variable = wrapped.assignments.find((name) => !maySetVariable(match.rule, name))
  if (variable !== undefined) {
    return deny(command, "env-assignment", `The variable ${shown(variable)} may not be set for this command.`)
  }
  // `eval` joins its words: the pattern then speaks of others than those that run.
  const aligned = command.words.length === command.written.length
  const inner = wrapped.commands.map(({ from, words }) => {
    // The outer pattern names everything up to the inner program: it speaks of that program itself.
    if (!aligned || !match.coverage.slice(0, from + 1).every((literal) => literal)) {
      return checkOnce(context, innerCommand(words), depth + 1)
    }
    const coverage = words.map((_, index) => match.coverage[from + index] === true)
    return check(context, innerCommand(words), depth + 1, { ...match, coverage })
  })
  return allow(command, match, inner)
}

const checkScript = (
  context: CheckContext,
  command: Candidate,
  match: Match,
  text: string,
  depth: number
): CheckedPart => {
  const parsed = parseCanonicalScript(text)
  const named = isNamed(match, command.written)
  if (Result.isFailure(parsed)) {
    return named ? allow(command, match) : deny(command, parsed.failure.code, `Inside it: ${parsed.failure.reason}`)
  }
  const { canonical, commands } = parsed.success
  if (named) {
    const denied = commands.flatMap((each) => findDenied(context, each) ?? [])[0]
    return denied === undefined ? allow(command, match) : denyByRule(context, command, denied)
  }
  // What is not in its canonical form could not be brought to it, and a shell may read it in another way.
  if (canonical !== text) {
    return deny(command, "parse", "Inside it: the text could not be brought to the form that is checked.")
  }
  return allow(
    command,
    match,
    commands.map((each) => checkOnce(context, each, depth + 1))
  )
}

/** What is not followed needs a rule that names the whole command; also then a deny rule may be about any end of it. */
const checkUnknown = (context: CheckContext, command: Candidate, match: Match): CheckedPart => {
  const { written } = command
  if (readsScriptFromInput(written)) {
    return deny(command, "wrapper-option", "A shell that reads its script from its input would run any text.")
  }
  if (!isNamed(match, written)) {
    return deny(
      command,
      "wrapper-option",
      `${shown(showWord(written[0]))} runs another command in a way that cannot be checked. Run that command itself, or have a rule name the whole command.`
    )
  }
  const [denied] = written.flatMap(
    (word, index) => findDeny(context.book, context.host, [word, ...written.slice(index + 1)]) ?? []
  )
  return denied === undefined ? allow(command, match) : denyByRule(context, command, denied)
}

const checkMatch = (context: CheckContext, command: Candidate, match: Match, depth: number): CheckedPart => {
  const refused = checkSurroundings(command, match) ?? checkArguments(command, match)
  if (refused !== undefined) return refused
  const wrapped = unwrap(command.words)
  switch (wrapped._tag) {
    case "Plain":
      return allow(command, match)
    case "Inner":
      return checkInner(context, command, match, wrapped, depth)
    case "Script":
      return checkScript(context, command, match, wrapped.text, depth)
    case "Unknown":
      return checkUnknown(context, command, match)
  }
}

/** `read` sets the script's own variables: their names must be literal, since bash evaluates an index in one. */
const isPlainRead = (words: Words): boolean =>
  words.slice(1).every((word) => word._tag === "Static" && (word.text === "-r" || isScriptVariable(word.text)))

const checkName = (command: Candidate): CheckedPart | undefined => {
  const name = staticText(command.words[0])
  if (name === undefined) {
    return deny(command, "dynamic-command-name", "The name of the program that it runs must be a literal.")
  }
  if (!isProgramName(name)) {
    return deny(command, "command-name", `${shown(name)} is not acceptable as a program's name.`)
  }
  if (CODE_BUILTINS.has(name)) return deny(command, "code-builtin", `${shown(name)} changes the shell itself.`)
  return name === "read" && !isPlainRead(command.words)
    ? deny(command, "code-builtin", "Only read -r with names of the script's own variables is accepted.")
    : undefined
}

const denyWithoutRule = (command: Candidate): CheckedPart => {
  const [name, ...args] = command.words
  const expanded = args.find((word) => word._tag === "Dynamic")
  const next =
    expanded === undefined ? "" : ` The host expands ${shown(expanded.text)}, which only a * covers: write it out.`
  return deny(command, "no-rule", `No rule on this host allows this use of ${shown(showWord(name))}.${next}`)
}

/**
 * Decides about one simple command and the commands that it runs, in the order: name, code built-ins, deny rules, built-in
 * denials, allow rules, then what is around it, its arguments and what it wraps. Of several rules that allow the command
 * one must allow all of that; the first that does decides. `covered` is the match of a wrapper whose pattern names this
 * command literally, so that it needs no rule of its own.
 */
export const check = (context: CheckContext, command: Candidate, depth: number, covered?: Match): CheckedPart => {
  if (depth > MAX_DEPTH) return deny(command, "wrapper-option", "Too many commands run one another.")
  const refused = checkName(command)
  if (refused !== undefined) return refused
  const denied = findDenied(context, command)
  if (denied !== undefined) return denyByRule(context, command, denied)
  const matches = covered === undefined ? findAllows(context.book, context.host, command.written) : [covered]
  const usable = matches.filter((match) => !isBuiltinDenied(context, command, match))
  if (usable.length === 0 && isBuiltinDenied(context, command, matches[0])) {
    return deny(command, "deny-substring", "The command is on the list of denied commands.")
  }
  let first: CheckedPart | undefined
  for (const match of usable) {
    const checked = checkMatch(context, command, match, depth)
    if (isAllowed(checked)) return checked
    first ??= checked
  }
  return first ?? denyWithoutRule(command)
}

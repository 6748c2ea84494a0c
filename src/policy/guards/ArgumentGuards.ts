import type { Argument, Guard } from "./Argument.ts"
import { CLIENT_GUARDS } from "./ClientGuards.ts"
import { guardFind } from "./FindGuard.ts"
import { guardGit } from "./GitGuard.ts"
import { OPERAND_GUARDS } from "./OperandGuards.ts"
import { guardOptions } from "./OptionGuard.ts"
import { OPTION_GUARDS } from "./OptionGuards.ts"
import { guardAwk, guardSed } from "./ScriptGuards.ts"
import { guardBracket, guardPrintf, guardTest } from "./TestGuards.ts"

export type { Argument } from "./Argument.ts"

const GUARDS: ReadonlyMap<string, Guard> = new Map<string, Guard>([
  ...[...OPTION_GUARDS].map(([program, guards]): [string, Guard] => [program, guardOptions(...guards)]),
  ...CLIENT_GUARDS,
  ...OPERAND_GUARDS,
  ["find", guardFind],
  ["git", guardGit],
  ["sed", guardSed],
  ["gsed", guardSed],
  ...["awk", "gawk", "mawk", "nawk", "original-awk"].map((program): [string, Guard] => [program, guardAwk]),
  ["test", guardTest],
  ["[", guardBracket],
  ["printf", guardPrintf]
])

/**
 * Why a command is refused although a rule matches it, and what to do instead: an argument that only a wildcard covers
 * makes this program write a file, run a program or reach elsewhere, or the shell may expand it to one that does. Known
 * options of known programs: a guard, not a proof.
 */
export const refusedArgument = (program: string, args: ReadonlyArray<Argument>): string | undefined =>
  GUARDS.get(program)?.(args)

/** Whether a program has a guard, so that a wildcard does not cover all of its arguments. */
export const isGuarded = (program: string): boolean => GUARDS.has(program)

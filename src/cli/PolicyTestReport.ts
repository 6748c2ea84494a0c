import type { Decision } from "../policy/Policy.ts"
import type { PlannedCommand } from "../policy/Plan.ts"
import type { PolicyTestCase } from "./PolicyTestCases.ts"
import { printable } from "./Table.ts"

/** Characters of a command or a reason that a mismatch shows. */
const MAX_SHOWN = 500

const shown = (text: string): string => {
  const line = printable(text.replaceAll("\n", "\\n"))
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line
}

/** Whether the policy decided as the case expects. */
export const isMatch = ({ expect }: PolicyTestCase, decision: Decision): boolean =>
  (decision._tag === "Allowed") === (expect === "allow")

/** A decision as one object of `--json`: `code` of a denial only, `argv` as a plan shows it. */
export const toJson = ({ id }: PolicyTestCase, decision: Decision) => {
  const commands = decision.parts.filter(({ argv }) => argv.length > 0).map(({ argv }) => ({ argv }))
  return decision._tag === "Allowed"
    ? { id, decision: "allow", rule: decision.rule, normalized: decision.command.canonical, commands }
    : {
        id,
        decision: "deny",
        code: decision.code,
        ...(decision.rule === undefined ? {} : { rule: decision.rule }),
        ...(decision.normalized === undefined ? {} : { normalized: decision.normalized }),
        commands
      }
}

const allowedPart = ({ pattern, rule, text }: PlannedCommand): string =>
  `  allowed  ${shown(text)}  (rule ${rule ?? "?"}${pattern === undefined ? "" : `, pattern ${shown(pattern)}`})`

const because = (decision: Decision): ReadonlyArray<string> =>
  decision._tag === "Allowed"
    ? decision.parts.map(allowedPart)
    : [
        ...(decision.deniedCommand === undefined ? [] : [`  denied   ${shown(decision.deniedCommand)}`]),
        `  reason   ${shown(decision.detail)}`,
        ...decision.nearest.map(({ pattern, rule }) => `  nearest  ${rule}: ${shown(pattern)}`)
      ]

const got = (decision: Decision): string =>
  decision._tag === "Allowed"
    ? `allow (rule ${decision.rule})`
    : `deny (${decision.code}${decision.rule === undefined ? "" : `, rule ${decision.rule}`})`

/** A decision that is not the expected one, for a person: one line an element, the place first as compilers print it. */
export const explainMismatch = (file: string, each: PolicyTestCase, decision: Decision): ReadonlyArray<string> => {
  const name = each.id === String(each.line) ? "" : `${printable(each.id)}: `
  return [
    `${file}:${each.line}: ${name}expected ${each.expect}, got ${got(decision)}`,
    `  host     ${[each.alias, ...each.tags.map((tag) => `[${tag}]`)].join(" ")}`,
    `  command  ${shown(each.command)}`,
    ...because(decision)
  ]
}

/** The last line: how many cases there were and how many of them came out as expected. */
export const summary = (cases: number, mismatches: number): string =>
  `policy test: ${cases} ${cases === 1 ? "case" : "cases"}, ${mismatches} ${mismatches === 1 ? "mismatch" : "mismatches"}`

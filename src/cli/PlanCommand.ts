import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Orchestrator } from "../Orchestrator.ts"
import type { Plan, PlannedCommand } from "../policy/Plan.ts"
import { CliFailure, EXIT, failed, wrongUsage } from "./CliFailure.ts"
import { printJson, printLines } from "./Printer.ts"
import { joinWords } from "./ShellWords.ts"
import { printable } from "./Table.ts"

const part = (command: PlannedCommand): ReadonlyArray<string> => [
  `  ${command.allowed ? "allow" : "deny "}  ${printable(command.text)}`,
  ...(command.rule === undefined
    ? []
    : [`         rule ${command.rule}${command.pattern === undefined ? "" : `, pattern ${command.pattern}`}`]),
  ...(command.reason === undefined
    ? []
    : [`         ${command.reason}${command.code === undefined ? "" : ` (${command.code})`}`])
]

/** The explanation of a plan for a person: the verdict first, then what it rests on. Pure; one line an element. */
export const explain = (plan: Plan): ReadonlyArray<string> => {
  const allowed = plan.allowed && plan.network.allowed
  return [
    `${allowed ? "ALLOWED" : "DENIED"} on ${plan.alias}: ${printable(plan.command)}`,
    ...(plan.normalized === undefined || plan.normalized === plan.command
      ? []
      : [`Would run as: ${printable(plan.normalized)}`]),
    ...(plan.commands.length === 0 ? [] : ["Commands:", ...plan.commands.flatMap(part)]),
    plan.network.allowed
      ? `Network: allowed${plan.network.addresses.length === 0 ? "" : ` (${plan.network.addresses.join(", ")})`}`
      : `Network: denied${plan.network.reason === undefined ? "" : `: ${plan.network.reason}`}`,
    ...(plan.allowed ? [`Limits: ${plan.limits.max_seconds} s, ${plan.limits.max_output_bytes} bytes of output`] : []),
    ...(plan.why === undefined ? [] : [plan.why]),
    ...(plan.nearest === undefined || plan.nearest.length === 0
      ? []
      : ["Nearest rules:", ...plan.nearest.map(({ pattern, rule }) => `  ${rule}: ${pattern}`)]),
    ...(plan.hint === undefined ? [] : [plan.hint])
  ]
}

/** `plan`: what would happen to a command, without connecting; fails when it would be denied. */
export const plan = Command.make(
  "plan",
  {
    host: Argument.String("HOST").pipe(Argument.withDescription("Alias of the host")),
    words: Argument.String("COMMAND").pipe(
      Argument.withDescription("The command: one argument, or several words after --"),
      Argument.variadic()
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print the plan as JSON, as ssh_plan answers it"),
      Flag.withDefault(false)
    )
  },
  Effect.fn("cli.plan")(function* ({ host, json, words }) {
    const [first, ...rest] = words
    if (first === undefined) return yield* wrongUsage("plan needs a command: plan HOST COMMAND")
    const orchestrator = yield* Orchestrator
    const answer = yield* orchestrator
      .plan(host, joinWords([first, ...rest]))
      .pipe(Effect.mapError((error) => failed(error.message)))
    yield* json ? printJson(answer) : printLines(explain(answer))
    if (!answer.allowed || !answer.network.allowed) return yield* new CliFailure({ exitCode: EXIT.failed, text: "" })
  })
).pipe(Command.withDescription("Explain what the policy decides about a command, without connecting"))

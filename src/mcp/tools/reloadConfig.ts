import { Effect, Schema } from "effect"
import { ReloadReport } from "../../config/ConfigDirectory.ts"
import { Orchestrator } from "../../Orchestrator.ts"
import { type Answer, defineTool, noArguments } from "../Tool.ts"

/** The answer to a reload that changed nothing, since the files have errors. */
const ReloadErrors = Schema.Struct({ status: Schema.Literal("error"), problems: Schema.Array(Schema.String) })

/** Reads the configuration again. */
export const reloadConfig = defineTool({
  name: "ssh_reload_config",
  title: "Reload the configuration",
  description:
    "Load servers.yml, credentials.yml and policy.yml again after an operator changed them; you cannot change them yourself. Use it when the user says they were edited, not to retry a denial. Returns numbers of hosts and rules and the aliases added, removed and modified. Files with errors: status error, problems with file, line and column, and the old configuration stays in force. Running tasks go on. Then check with ssh_list_hosts or ssh_plan.",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: noArguments,
  output: Schema.Union([ReloadReport, ReloadErrors]),
  run: () =>
    Orchestrator.use(({ reload }) => reload).pipe(
      Effect.map((value): Answer<ReloadReport | typeof ReloadErrors.Type> => ({ value, isError: false })),
      Effect.catchTag("ReloadFailed", ({ problems }) =>
        Effect.succeed({ value: { status: "error" as const, problems }, isError: true })
      )
    )
})

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
    "Read servers.yml, credentials.yml and policy.yml again after an operator changed them; you cannot change them yourself. Returns the number of hosts and rules and which hosts were added, removed or modified. With an error in the files: status error, the problems with file, line and column, and the old configuration stays in force. Running tasks are not affected.",
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

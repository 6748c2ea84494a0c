import { Effect } from "effect"
import { Orchestrator } from "../../Orchestrator.ts"
import { completePrefix } from "../Completion.ts"
import { invalidParams } from "../ProtocolError.ts"
import { completeAlias } from "./AliasCompletion.ts"
import { listChanges, resourceChanges } from "./ResourceChanges.ts"
import { badCursor } from "./ResourceErrors.ts"
import { listResources } from "./ResourceList.ts"
import { readResource } from "./ResourceReading.ts"
import type { Resources } from "./Resources.ts"
import { TEMPLATES } from "./Templates.ts"

const completeVariable = Effect.fn("Resources.complete")(function* (
  uriTemplate: string,
  variable: string,
  value: string
) {
  const template = TEMPLATES.find((known) => known.uriTemplate === uriTemplate)
  if (template === undefined) return yield* invalidParams("unknown resource template")
  if (!template.uriTemplate.includes(`{${variable}}`)) {
    return yield* invalidParams("the template has no such variable")
  }
  return variable === "alias"
    ? yield* completeAlias(value)
    : completePrefix(yield* Effect.flatMap(Orchestrator, ({ taskIds }) => taskIds), value)
})

/** The fleet as resources: the inventory, its hosts, the tasks and their output. */
export const sshResources: Resources<Orchestrator> = {
  list: listResources,
  // One page: a cursor can only be one that this server never gave.
  templates: (cursor) =>
    cursor === undefined ? Effect.succeed({ resourceTemplates: TEMPLATES }) : Effect.fail(badCursor),
  read: (uri) => readResource(uri),
  complete: completeVariable,
  changes: resourceChanges,
  listChanges
}

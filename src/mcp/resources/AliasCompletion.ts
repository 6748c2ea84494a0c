import { Effect } from "effect"
import { Orchestrator } from "../../Orchestrator.ts"
import { completePrefix } from "../Completion.ts"

/** The aliases that begin with `prefix`, in inventory order; none without a usable configuration. */
export const completeAlias = Effect.fn("Resources.completeAlias")(function* (prefix: string) {
  const { hostRecords } = yield* Orchestrator
  const hosts = yield* Effect.orElseSucceed(hostRecords, () => [])
  return completePrefix(
    hosts.map(({ alias }) => alias),
    prefix
  )
})

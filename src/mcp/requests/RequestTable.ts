import { Effect, type Ref, type Scope } from "effect"
import type { Catalogue } from "../Catalogue.ts"
import type { Session } from "../Session.ts"
import { makeEndedCalls } from "../tasks/EndedCalls.ts"
import { completionRequests } from "./Completions.ts"
import { loggingRequests, type LogLevel } from "./Logging.ts"
import { promptRequests } from "./Prompts.ts"
import type { RequestTable, WithServices } from "./RequestHandler.ts"
import { resourceRequests } from "./Resources.ts"
import { taskRequests } from "./Tasks.ts"
import { toolRequests } from "./Tools.ts"

/** Whether anything of a catalogue completes. */
export const completes = <R>({ prompts, resources }: Catalogue<R>): boolean =>
  resources !== undefined || prompts.some(({ complete }) => complete !== undefined)

/**
 * Every request that one session may make besides `initialize` and `ping`: what the catalogue does not have is not in
 * the table, and so an unknown method. Closing the Scope ends the session's subscriptions and notifications.
 */
export const requestTable = <R>(
  catalogue: Catalogue<R>,
  session: Session,
  logLevel: Ref.Ref<LogLevel>,
  withServices: WithServices<R>
): Effect.Effect<RequestTable, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { prompts, resources, tasks } = catalogue
    const endedCalls = yield* makeEndedCalls
    const none: RequestTable = new Map()
    return new Map([
      ...(yield* toolRequests(catalogue, session, endedCalls, withServices)),
      ...(resources === undefined ? none : yield* resourceRequests(resources, session, withServices)),
      ...(prompts.length === 0 ? none : promptRequests(prompts, withServices)),
      ...(completes(catalogue) ? completionRequests(catalogue, withServices) : none),
      ...(tasks === undefined ? none : yield* taskRequests(tasks, endedCalls, withServices)),
      ...loggingRequests(logLevel)
    ])
  })

import { Result } from "effect"

/** What something thrown by the library says. */
const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

/**
 * Calls the library, which throws for what it could also report: bad options, a connection that is gone. `failed` is told
 * the message; nothing is thrown on. Not for calls whose callbacks run at once and may throw themselves.
 */
export const callLibrary = (call: () => void, failed: (message: string) => void): void => {
  const answer = Result.try({ try: call, catch: messageOf })
  if (Result.isFailure(answer)) failed(answer.failure)
}

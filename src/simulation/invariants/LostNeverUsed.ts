import type { MakeWatch } from "./Watch.ts"

/** How long a command that was given a connection before it was lost may go on trying: four attempts, 50 ms apart. */
const GIVEN_BEFORE_MILLIS = 1_000

/**
 * A connection that is gone is never handed out: no command is tried on one that was lost, or closed, before the command
 * got it. A stop is, since it begins with the connection of its command.
 */
export const lostNeverUsed: MakeWatch = ({ violated }) => {
  const goneAt = new Map<number, number>()
  return {
    event: ({ at, event }) => {
      if (event._tag === "ConnectionLost" || event._tag === "ConnectionClosed") {
        if (!goneAt.has(event.connection)) goneAt.set(event.connection, at)
      }
      if (event._tag !== "ExecOnLost" || event.tag === "") return
      const gone = goneAt.get(event.connection) ?? at
      if (at - gone > GIVEN_BEFORE_MILLIS)
        violated(`${event.alias} was to run a command on a connection that was lost ${at - gone} ms before`)
    }
  }
}

import type { MakeWatch } from "./Watch.ts"

/** Contract: with commands that run, the server is gone within 5 s. */
const DEADLINE_MILLIS = 5_000

/** Shutdown ends within its deadline with every fiber joined; no command is sent after it. */
export const shutdownInTime: MakeWatch = ({ violated }) => {
  let beganAt: number | undefined
  let ended = false
  return {
    event: ({ at, event }) => {
      if (event._tag === "ShutdownBegan") beganAt = at
      if (event._tag === "ExecRequested" && ended) violated(`${event.alias} was sent a command after the shutdown`)
      if (event._tag !== "ShutdownEnded" || beganAt === undefined) return
      ended = true
      if (at - beganAt > DEADLINE_MILLIS) violated(`the shutdown took ${Math.ceil(at - beganAt)} ms`)
    },
    observe: ({ fleet: { channels, connecting, connections }, held: { fibers, queued, slots }, phase, running }) => {
      if (phase !== "closed") return
      if (fibers + slots + queued + running > 0) {
        violated(
          `after the shutdown there are ${fibers} fibers, ${slots} slots, ${queued} waiting and ${running} running`
        )
      }
      if (channels + connecting + connections > 0) {
        violated(
          `after the shutdown there are ${connections} connections, ${connecting} handshakes and ${channels} channels`
        )
      }
    }
  }
}

import type { MakeWatch } from "./Watch.ts"

/** No call dies, and the server logs no bug of its own. */
export const runEnds: MakeWatch = ({ facts, violated }) => ({
  event: ({ event }) => {
    if (event._tag === "Died") violated(`the call of step ${event.step} died: ${event.detail}`)
    if (event._tag === "Log" && event.defect) violated(`the server logs a bug: ${event.event}`)
  },
  observe: ({ phase }) => {
    if (phase !== "closed") return
    for (const { step, tool } of facts.calls) violated(`the call of step ${step} (${tool}) was never answered`)
  }
})

import { Effect } from "effect"
import { Command } from "effect/cli"
import { failed } from "./CliFailure.ts"
import { walkthrough } from "./demo/Walkthrough.ts"

/** `demo`: walks through the main job on an embedded fleet. */
export const demo = Command.make("demo", {}, () =>
  walkthrough.pipe(
    Effect.mapError((error) => failed(error.message)),
    Effect.scoped
  )
).pipe(Command.withDescription("Show the main job on three SSH servers that this process starts on loopback"))

import { Effect } from "effect"
import { Command } from "effect/cli"
import { failed } from "./CliFailure.ts"

/**
 * `demo`: walks through the main job on an embedded fleet. What it needs is loaded when it is asked for, since an SSH
 * server and an MCP client have no place in the start of the server.
 */
export const demo = Command.make(
  "demo",
  {},
  Effect.fn("cli.demo")(function* () {
    const { walkthrough } = yield* Effect.promise(() => import("./demo/Walkthrough.ts"))
    yield* walkthrough.pipe(Effect.mapError((error) => failed(error.message)))
  }, Effect.scoped)
).pipe(Command.withDescription("Show the main job on three SSH servers that this process starts on loopback"))

import type { Effect } from "effect"
import { Command } from "effect/cli"

/**
 * `serve`, also called `stdio` because existing client configurations pass that word: the MCP server on stdin and
 * stdout, until stdin ends or the process is told to stop. It is what runs without a command, too.
 */
export const makeServe = <E, R>(serve: Effect.Effect<void, E, R>) =>
  Command.make("serve", {}, () => serve).pipe(
    Command.withAlias("stdio"),
    Command.withDescription("Serve MCP on stdin and stdout (the default)")
  )

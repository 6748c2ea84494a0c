import { Effect } from "effect"
import type { Scope } from "effect"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { openDelayProxy } from "../../../test/support/DelayProxy.ts"

/**
 * The tests' proxy that makes a port of 127.0.0.1 look as far away as the round trip time says, for the Scope: in a
 * process of its own, so that work of the bench delays none of its timers. Yields its port.
 */
export const delayed = (port: number, rttMillis: number): Effect.Effect<number, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly port: number; readonly stop: () => void }>((resume) => {
        const child = spawn(process.execPath, [import.meta.filename, String(port), String(rttMillis)], {
          stdio: ["ignore", "pipe", "inherit"]
        })
        child.on("error", (error) => resume(Effect.die(error)))
        createInterface({ input: child.stdout }).once("line", (line) =>
          resume(Effect.succeed({ port: Number(line), stop: () => void child.kill("SIGKILL") }))
        )
      }),
      ({ stop }) => Effect.sync(stop)
    ),
    (proxy) => proxy.port
  )

if (import.meta.main) {
  const [, , port, rttMillis] = process.argv
  const serve = Effect.gen(function* () {
    const proxy = yield* openDelayProxy({ port: Number(port), rttMillis: Number(rttMillis) })
    process.stdout.write(`${proxy.port}\n`)
    return yield* Effect.never
  })
  await Effect.runPromise(Effect.scoped(serve))
}

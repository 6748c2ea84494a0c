import { Effect } from "effect"
import { spawn } from "node:child_process"
import { binaryPath } from "./Binary.ts"

/** What a finished command left. */
export interface CliOutcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs the binary as a person would, to its end. Interruption sends SIGINT, as Ctrl-C does, and still waits for the
 * end, so that what it leaves behind can be looked at.
 */
export const runCli = (
  args: ReadonlyArray<string>,
  environment: Record<string, string>,
  onStdout: (text: string) => void = () => undefined
): Effect.Effect<CliOutcome> =>
  Effect.callback((resume) => {
    const child = spawn(process.execPath, [binaryPath(), ...args], {
      env: { PATH: process.env["PATH"] ?? "", ...environment },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
      onStdout(text)
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.on("close", (code, signal) => resume(Effect.succeed({ code, signal, stdout, stderr })))
    return Effect.callback<void>((done) => {
      if (child.exitCode !== null || child.signalCode !== null) return done(Effect.void)
      child.on("close", () => done(Effect.void))
      child.kill("SIGINT")
    })
  })

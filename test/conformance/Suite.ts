import { Effect, Schema, type Scope } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

/** What one scenario of the suite came to. A scenario that was skipped has neither. */
export interface ScenarioOutcome {
  readonly scenario: string
  readonly succeeded: number
  /** What each failed check says. */
  readonly failed: ReadonlyArray<string>
}

const Checks = Schema.fromJsonString(
  Schema.Array(
    Schema.Struct({ id: Schema.String, status: Schema.String, errorMessage: Schema.optionalKey(Schema.String) })
  )
)

const suite = fileURLToPath(
  new URL("../../node_modules/@modelcontextprotocol/conformance/dist/index.js", import.meta.url)
)

/** The directory of a scenario is `server-`, its name and the time. */
const scenarioOf = (directory: string): string => directory.replace(/^server-(.+)-\d{4}-\d\d-\d\dT.*$/, "$1")

const outcomeIn =
  (directory: string) =>
  (name: string): ScenarioOutcome => {
    const checks = Schema.decodeUnknownSync(Checks)(fs.readFileSync(path.join(directory, name, "checks.json"), "utf8"))
    return {
      scenario: scenarioOf(name),
      succeeded: checks.filter(({ status }) => status === "SUCCESS").length,
      failed: checks
        .filter(({ status }) => status === "FAILURE")
        .map(({ errorMessage, id }) => `${id}: ${errorMessage}`)
    }
  }

/**
 * Runs what the suite requires of a server of revision 2025-11-25, and what it reports without requiring it, against
 * the server at `url`.
 */
export const runConformance = (url: string): Effect.Effect<ReadonlyArray<ScenarioOutcome>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "mcp-conformance-"))),
      (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
    )
    yield* Effect.callback<void>((resume) => {
      const child = spawn(
        process.execPath,
        [suite, "server", "--url", url, "--requirements", "2025-11-25", "--output-dir", directory],
        { cwd: directory, env: { PATH: process.env["PATH"] ?? "", HOME: directory }, stdio: "ignore" }
      )
      child.on("close", () => resume(Effect.void))
      return Effect.sync(() => child.kill("SIGKILL"))
    })
    return fs
      .readdirSync(directory)
      .filter((name) => name.startsWith("server-"))
      .map(outcomeIn(directory))
  })

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { makeHost } from "./Scenario.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The program that README "Embedding" shows, as it stands there. */
const readmeProgram = (): string => {
  const readme = fs.readFileSync(path.join(root, "README.md"), "utf8")
  const [, section = ""] = readme.split("\n## Embedding\n")
  const [, program = ""] = /```ts\n([\s\S]*?)```/.exec(section) ?? []
  return program
}

/** Runs a program against the built package, which it finds by its own name, as any that installed it would. */
const runProgram = (text: string, environment: Record<string, string>) =>
  Effect.callback<{ readonly stdout: string; readonly stderr: string }>((resume) => {
    const file = path.join(root, "dist", "embedding.ts")
    fs.writeFileSync(file, text)
    const child = execFile(
      process.execPath,
      [file],
      { env: { PATH: process.env["PATH"] ?? "", ...environment } },
      (_, stdout, stderr) => {
        fs.rmSync(file)
        resume(Effect.succeed({ stdout, stderr }))
      }
    )
    return Effect.sync(() => void child.kill())
  })

describe("embedding", () => {
  it.live("the program in the README runs a command on a host, and audits it", () =>
    Effect.gen(function* () {
      const program = readmeProgram()
      assert.isBelow(program.split("\n").length, 22)
      const { config } = yield* makeHost({ hosts: [{ alias: "web-1" }] })
      const { stderr, stdout } = yield* runProgram(program, config.environment)
      assert.match(stdout, /^completed: Linux /, stderr)
      const records = stderr
        .trim()
        .split("\n")
        .map((line): unknown => JSON.parse(line))
      const audits = records.filter(
        (r): r is object => typeof r === "object" && r !== null && "type" in r && r.type === "audit"
      )
      assert.lengthOf(audits, 1)
      assert.deepInclude(audits[0], { alias: "web-1", exit_code: 0, client: "my-program" })
    })
  )
})

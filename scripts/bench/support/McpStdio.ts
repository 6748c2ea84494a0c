import { Effect } from "effect"
import type { Scope } from "effect"
import { spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { createInterface } from "node:readline"
import { binaryPath } from "../../../test/support/Binary.ts"

/** An MCP server, spoken to over stdio with as little as a client can do: an SDK's own work is not what is measured. */
export interface McpStdio {
  readonly pid: number
  /** Calls a tool; rejects when it answers with an error. */
  readonly call: (name: string, args: Readonly<Record<string, unknown>>) => Promise<unknown>
  /** Bytes of the answer to `tools/list`, without its newline. */
  readonly listingBytes: number
}

/** The id of the request for the list of tools: the second one. */
const LISTING = 2

interface Answer {
  readonly id?: number
  readonly result?: { readonly isError?: boolean; readonly structuredContent?: unknown; readonly content?: unknown }
  readonly error?: unknown
}

/** Starts the binary with its log in /dev/null, and initializes the session; the Scope's end closes it. */
export const startBinary = (environment: Readonly<Record<string, string>>) => startMcpServer(binaryPath(), environment)

/** Starts a server as `startBinary` does, with further arguments for Node. */
export const startMcpServer = (
  file: string,
  environment: Readonly<Record<string, string>>,
  nodeArguments: ReadonlyArray<string> = []
): Effect.Effect<McpStdio, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const nowhere = openSync("/dev/null", "w")
      const child = spawn(process.execPath, [...nodeArguments, file], {
        env: { PATH: process.env["PATH"] ?? "", ...environment },
        stdio: ["pipe", "pipe", nowhere]
      })
      closeSync(nowhere)
      let listingBytes = 0
      const waiting = new Map<number, (answer: Answer) => void>()
      const send = (message: object): void => {
        child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
      }
      if (child.stdout !== null) {
        createInterface({ input: child.stdout }).on("line", (line) => {
          const answer = JSON.parse(line) as Answer
          if (answer.id === undefined) return
          if (answer.id === LISTING) listingBytes = Buffer.byteLength(line)
          waiting.get(answer.id)?.(answer)
          waiting.delete(answer.id)
        })
      }
      child.on("exit", () => {
        for (const settle of waiting.values()) settle({ error: "the binary ended" })
      })
      let last = 0
      const ask = (method: string, params: object): Promise<Answer> =>
        new Promise((resolve, reject) => {
          const id = ++last
          waiting.set(id, (answer) =>
            answer.result === undefined || answer.result.isError === true
              ? reject(new Error(JSON.stringify(answer).slice(0, 500)))
              : resolve(answer)
          )
          send({ id, method, params })
        })
      await ask("initialize", {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "bench", version: "1.0.0" }
      })
      send({ method: "notifications/initialized" })
      await ask("tools/list", {})
      return {
        pid: child.pid ?? -1,
        listingBytes,
        call: async (name: string, args: Readonly<Record<string, unknown>>) =>
          (await ask("tools/call", { name, arguments: args })).result?.structuredContent,
        close: () =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) return resolve()
            const tooLong = setTimeout(() => child.kill("SIGKILL"), 10_000)
            child.once("exit", () => {
              clearTimeout(tooLong)
              resolve()
            })
            child.stdin?.end()
          })
      }
    }),
    ({ close }) => Effect.promise(close)
  )

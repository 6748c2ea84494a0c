import { ConfigProvider, Context, Effect, Exit, FileSystem, Layer, Logger, Path, References, Scope } from "effect"
import { RE2JS } from "re2js"
import { AuditLog } from "../../audit/AuditLog.ts"
import { ConfigDirectory } from "../../config/ConfigDirectory.ts"
import { Directories } from "../../config/Directories.ts"
import { RegexEngineLoader } from "../../config/PolicyFile.ts"
import { Dispatcher } from "../../fleet/Dispatcher.ts"
import { Fleet } from "../../fleet/Fleet.ts"
import { TagDispatcher } from "../../fleet/TagDispatcher.ts"
import { findTool } from "../../mcp/ProductTools.ts"
import type { ToolResult } from "../../mcp/Tool.ts"
import { Orchestrator } from "../../Orchestrator.ts"
import { makeRegexEngine } from "../../policy/rules/Re2.ts"
import { DnsLookup } from "../../ssh/address/DnsLookup.ts"
import { HostResolver } from "../../ssh/address/HostResolver.ts"
import { ConnectionPool } from "../../ssh/pool/ConnectionPool.ts"
import { RunTag } from "../../ssh/process/RemoteCommand.ts"
import { Transport } from "../../ssh/Transport.ts"
import { TaskId } from "../../task/Task.ts"
import { suffixFrom, TaskIds } from "../../task/TaskIds.ts"
import { TaskSupervisor } from "../../task/TaskSupervisor.ts"
import type { EventLog } from "./EventLog.ts"
import { makeMemoryFiles } from "./MemoryFiles.ts"
import { recordingAudit, recordingLogger } from "./Recorders.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** The texts of a configuration directory. */
export interface ConfigTexts {
  readonly servers: string
  readonly credentials: string
  readonly policy: string
}

/** What a client gets for a call. */
export interface ToolAnswer {
  /** `rejected` is an error text without a result of its own kind. */
  readonly outcome: "answered" | "rejected"
  readonly isError: boolean
  /** The structured content, or the error text. */
  readonly value: unknown
}

/** What the task supervisor holds at a moment. */
export interface Held {
  readonly records: number
  readonly fibers: number
  readonly slots: number
  readonly queued: number
}

/** What a server is made of. */
export interface ServerOptions {
  readonly texts: ConfigTexts
  /** The hosts and the names. */
  readonly transport: Transport["Service"]
  readonly dns: DnsLookup["Service"]
  /** For the ids of tasks and the tags of runs. */
  readonly random: SeededRandom
  /** Gets the server's records. */
  readonly log: EventLog
}

/** The whole server on simulated edges, and what a harness looks at. */
export interface SimulatedServer {
  /**
   * Calls an MCP tool as a client does. Interruption is the client that leaves. `started` is told the id of a task that the
   * call started, at once.
   */
  readonly call: (
    tool: string,
    input: Readonly<Record<string, unknown>>,
    started?: (taskId: string) => Effect.Effect<void>
  ) => Effect.Effect<ToolAnswer>
  readonly orchestrator: Orchestrator["Service"]
  readonly held: Effect.Effect<Held>
  /** How many tasks are in the state `running`. */
  readonly running: Effect.Effect<number>
  /** Replaces files of the configuration directory; a reload reads them. */
  readonly writeConfig: (texts: Partial<ConfigTexts>) => Effect.Effect<void>
  /** Closes the server as SIGTERM does: stops every task, closes every connection, and returns when all is gone. Idempotent. */
  readonly shutdown: Effect.Effect<void>
}

const ROOT = "/simulated"
const KEYS = `${ROOT}/keys`
const SECRETS = `${ROOT}/secrets`

const directories = Layer.succeed(Directories, { config: `${ROOT}/config`, keys: KEYS, secrets: SECRETS })

/** Nothing of the machine's own environment but what an agent's users need to be usable. */
const environment = ConfigProvider.layer(
  ConfigProvider.fromEnv({ env: { HOME: `${ROOT}/home`, SSH_AUTH_SOCK: `${ROOT}/agent` } })
)

/** Characters of a task id's suffix. */
const SUFFIX_LENGTH = 26

const seededIds = (random: SeededRandom) =>
  Layer.succeed(
    TaskIds,
    TaskIds.of({
      next: (prefix, hash) =>
        Effect.sync(() => {
          const bytes = new Uint8Array(SUFFIX_LENGTH)
          for (let at = 0; at < SUFFIX_LENGTH; at++) bytes[at] = random.next()
          return TaskId.make(`${prefix}:${hash}:${suffixFrom(bytes)}`)
        })
    })
  )

const seededTag = (random: SeededRandom): Effect.Effect<string> =>
  Effect.sync(() => Array.from({ length: 4 }, () => random.next().toString(16).padStart(8, "0")).join(""))

const answerOf = (result: ToolResult): ToolAnswer => {
  switch (result._tag) {
    case "Answered":
      return { outcome: "answered", isError: result.isError, value: result.value }
    case "Rejected":
      return { outcome: "rejected", isError: true, value: result.text }
    case "Content":
      return { outcome: "answered", isError: result.isError, value: result.content }
  }
}

/**
 * Starts the real server, from the configuration files to the MCP tools, on simulated edges. It closes with the Scope. Must
 * run in a `SimulatedWorld` for its clock and its order to be simulated too.
 */
export const openServer = Effect.fnUntraced(function* ({ dns, log, random, texts, transport }: ServerOptions) {
  const files = makeMemoryFiles([KEYS, SECRETS])
  const write = (changed: Partial<ConfigTexts>) => {
    for (const [name, text] of Object.entries(changed)) files.write(`${ROOT}/config/${name}.yml`, text)
  }
  write(texts)

  const layer = Orchestrator.layerNoDeps.pipe(
    Layer.provide(TagDispatcher.layer),
    Layer.provide(Layer.mergeAll(Dispatcher.layer, Fleet.layer)),
    Layer.provideMerge(TaskSupervisor.layer),
    Layer.provide(Layer.mergeAll(ConnectionPool.layer, HostResolver.layer, seededIds(random.fork("task ids")))),
    Layer.provide(Layer.mergeAll(Layer.succeed(Transport, transport), Layer.succeed(DnsLookup, dns))),
    Layer.provide(ConfigDirectory.layer),
    Layer.provide(Layer.succeed(AuditLog, recordingAudit(log))),
    Layer.provide(Layer.mergeAll(directories, Layer.succeed(FileSystem.FileSystem, files.fileSystem), Path.layer)),
    Layer.provide(environment)
  )

  // What every fiber of the server is to find in its context, whoever's call it is that forks it.
  const references = Context.empty().pipe(
    Context.add(RunTag, seededTag(random.fork("run tags"))),
    // A run waits for no module: its time is its own.
    Context.add(RegexEngineLoader, Effect.succeed(makeRegexEngine({ RE2JS }))),
    Context.add(Logger.CurrentLoggers, new Set([recordingLogger(log)])),
    Context.add(References.MinimumLogLevel, "Warn" as const)
  )

  const scope = yield* Scope.fork(yield* Effect.scope)
  const context = yield* Layer.buildWithScope(layer, scope).pipe(Effect.provideContext(references))
  const orchestrator = Context.get(context, Orchestrator)
  const supervisor = Context.get(context, TaskSupervisor)

  const server: SimulatedServer = {
    call: (tool, input, started) =>
      Effect.suspend(() => {
        const found = findTool(tool)
        return found === undefined
          ? Effect.die(new Error(`there is no tool ${tool}`))
          : found.call(input, { client: "mcp:simulated", ...(started === undefined ? {} : { started }) })
      }).pipe(
        Effect.map(answerOf),
        Effect.provideService(Orchestrator, orchestrator),
        Effect.provideContext(references)
      ),
    orchestrator,
    held: supervisor.held,
    running: supervisor.running,
    writeConfig: (changed) => Effect.sync(() => write(changed)),
    shutdown: Effect.provideContext(Scope.close(scope, Exit.void), references)
  }
  return server
})

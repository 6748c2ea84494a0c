/**
 * What an embedding program imports: the public service and its layers, the services that a program may replace, the
 * errors it can meet and the schemas of the answers. See README "Embedding" for a complete program.
 *
 * `Orchestrator.layer` needs `Directories` and the platform's services (`NodeServices.layer` of
 * `@effect/platform-node`); `Orchestrator.layerNoDeps` leaves every dependency open.
 */
export { AuditLog } from "./audit/AuditLog.ts"
export * as JsonLogger from "./audit/JsonLogger.ts"
export { ConfigDirectory, ReloadFailed, ReloadReport } from "./config/ConfigDirectory.ts"
export { Directories } from "./config/Directories.ts"
export type { Host } from "./config/Host.ts"
export type { ConfigSnapshot, HostEntry } from "./config/Inventory.ts"
export { formatProblem, type Problem } from "./config/Problem.ts"
export { Dispatcher } from "./fleet/Dispatcher.ts"
export { Fleet } from "./fleet/Fleet.ts"
export { DeniedHost, FleetResult } from "./fleet/FleetResult.ts"
export { TagDispatcher } from "./fleet/TagDispatcher.ts"
export * from "./Orchestrator.ts"
export { Denial } from "./policy/Denial.ts"
export type { Limits } from "./policy/Limits.ts"
export { Plan, PlannedCommand } from "./policy/Plan.ts"
export { compilePolicy, type CompiledPolicy, decide, type Decision } from "./policy/Policy.ts"
export { PolicyDocument } from "./policy/PolicyDocument.ts"
export { ConnectionPool } from "./ssh/pool/ConnectionPool.ts"
export { SshError, SshFailure } from "./ssh/errors.ts"
export { HostResolver } from "./ssh/address/HostResolver.ts"
export type { RemoteProcess, StopReport } from "./ssh/process/RemoteProcess.ts"
export { Ssh2Transport } from "./ssh/ssh2/Ssh2Transport.ts"
export { Target } from "./ssh/Target.ts"
export { type Connection, type OutputChunk, type RemoteChannel, type RemoteExit, Transport } from "./ssh/Transport.ts"
export { InvalidCursor, LimitReached, TaskNotFinished, TaskNotFound } from "./task/errors.ts"
export { RunResult } from "./task/RunResult.ts"
export { RemoteStopped, TaskId, TaskStatus } from "./task/Task.ts"
export type { TaskDetail } from "./task/TaskDetail.ts"
export { TaskIds } from "./task/TaskIds.ts"
export type { CleanChunk } from "./task/TaskOutput.ts"
export { CancelReport, OutputPage, TaskReport } from "./task/TaskReport.ts"
export { TaskSupervisor } from "./task/TaskSupervisor.ts"

/**
 * What an embedding program imports as `mcp-ssh-orchestrator/simulation`: deterministic runs of the real server (policy,
 * task supervisor, connection pool, fan-out, MCP tools) on simulated hosts in virtual time.
 *
 * `rehearse` runs one's own commands on a fleet of one's own under one's own policy. `simulate` draws workloads and faults
 * from seeds and checks the invariants; `openSimulation` is the same run by run. `runScenario` runs one scenario, such
 * as that of a replay token. All of them are synchronous and keep the thread busy until they are done.
 */
export type { EventLog, LoggedEvent, SimulationEvent } from "./world/EventLog.ts"
export { eventLine } from "./world/EventLog.ts"
export { FAULT_STAGES, FaultKind, FaultLevel, type FaultPlan, type PlannedFault, Stage } from "./hosts/Faults.ts"
export type { InvariantName, Violation } from "./invariants/Invariants.ts"
export {
  type CommandReport,
  policyFromYaml,
  type RehearsedCommand,
  type RehearsedHost,
  type Rehearsal,
  type RehearsalReport,
  rehearsalScenario,
  rehearse
} from "./Rehearsal.ts"
export { InvalidReplayToken, readReplayToken, replayToken } from "./report/ReplayToken.ts"
export { Scenario, type ScenarioHost, type Step } from "./workload/Scenario.ts"
export {
  type FaultCount,
  openSimulation,
  type RunEnd,
  runScenario,
  type RunSettings,
  type ScenarioOutcome,
  scenarioOf,
  simulate,
  type SimulationFailure,
  type SimulationOptions,
  type SimulationProgress,
  type SimulationReport,
  type SimulationRuns
} from "./Simulation.ts"
export {
  type Coverage,
  coverageMarkdown,
  coverageOf,
  coverageTable,
  reportOfRun,
  type Summary,
  summaryLines,
  summaryOf
} from "./report/Summary.ts"
export { describeScenario, timeline, timelineOf } from "./report/Timeline.ts"

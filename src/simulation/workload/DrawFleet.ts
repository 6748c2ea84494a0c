import { TAGS } from "./DrawPolicy.ts"
import { drawFaultKinds, drawFaultPlan, type FaultLevel } from "../hosts/Faults.ts"
import { ipv4Of, ipv6Of, plainHost } from "../hosts/HostPlan.ts"
import type { ScenarioHost } from "./Scenario.ts"
import type { SeededRandom } from "../world/SeededRandom.ts"

/** Mostly the default of sshd_config(5); small values make the pool learn. */
const MAX_SESSIONS = [10, 10, 10, 10, 1, 2, 3, 6] as const

/** Milliseconds of a round trip. */
const LATENCIES = [0, 1, 2, 2, 2, 20, 80, 300] as const

/** The alias of the n-th host, from 0. */
export const aliasOf = (index: number): string => `h${index}`

/** Hosts below which a jump host is chosen, so that in a large fleet many hosts share one. */
const JUMP_HOSTS = 8

/** Draws `count` hosts and what goes wrong with them. */
export const drawFleet = (random: SeededRandom, count: number, faults: FaultLevel): ReadonlyArray<ScenarioHost> => {
  const kinds = drawFaultKinds(random.fork("fault-kinds"), faults)
  const jumping = random.pick([0, 0, 0.2, 0.5])
  const hosts: Array<ScenarioHost> = []
  for (let index = 0; index < count; index++) {
    const own = random.fork(aliasOf(index))
    const gate = hosts[own.below(Math.min(index, JUMP_HOSTS))]
    const jump = own.chance(jumping) && gate !== undefined && gate.jump === undefined ? { jump: gate.alias } : {}
    const ipv4 = ipv4Of(index)
    const ipv6 = ipv6Of(index)
    hosts.push({
      ...plainHost(aliasOf(index), index),
      addresses: own.pick([[ipv4], [ipv4], [ipv4], [ipv4, ipv6], [ipv6, ipv4]]),
      port: own.pick([22, 22, 2222]),
      shell: own.pick(["posix", "posix", "posix", "other", "foreign"]),
      maxSessions: own.pick(MAX_SESSIONS),
      latencyMillis: own.pick(LATENCIES),
      configured: own.pick(["name", "name", "address"]),
      tags: [TAGS[0], ...TAGS.slice(1).filter(() => own.chance(0.4))],
      ...jump,
      faults: drawFaultPlan(own.fork("faults"), faults, kinds)
    })
  }
  return hosts
}

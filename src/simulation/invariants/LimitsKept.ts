import { Predicate } from "effect"
import { MAX_COMMANDS_PER_CONNECTION } from "../../ssh/pool/ConnectionSlots.ts"
import { MAX_HANDSHAKES_PER_HOST } from "../../ssh/pool/Connections.ts"
import { highestLimit } from "../model/ExpectedLimits.ts"
import type { MakeWatch } from "./Watch.ts"

/** Handshakes with a host that do not wait for a turn: that of the connection for stops. */
const OUT_OF_TURN = 1

const count = <K>(counts: Map<K, number>, key: K, by: 1 | -1): number => {
  const now = (counts.get(key) ?? 0) + by
  if (now === 0) counts.delete(key)
  else counts.set(key, now)
  return now
}

/**
 * Concurrency never passes `max_concurrent_tasks`, `max_tasks_per_host`, the channels of a connection or the handshakes of
 * a host; a task that waits gets a place that is free, and none is refused while there is room.
 */
export const limitsKept: MakeWatch = ({ config, facts, violated }) => {
  const connections = new Map<number, string>()
  const handshakes = new Map<string, number>()
  const channels = new Map<number, number>()
  const connectionOf = new Map<number, number>()
  const refusals = { before: 0, then: 0, at: 0 }

  const endHandshake = (connection: number): void => {
    const address = connections.get(connection)
    if (connections.delete(connection) && address !== undefined) count(handshakes, address, -1)
  }

  const checkRunning = (alias: string): void => {
    const most = highestLimit(config.all(), "max_concurrent_tasks")
    const mostOnHost = highestLimit(config.all(), "max_tasks_per_host")
    if (facts.running() > most) violated(`${facts.running()} commands run, at most ${most} may`)
    if (facts.running(alias) > mostOnHost)
      violated(`${facts.running(alias)} commands run on ${alias}, at most ${mostOnHost} may`)
  }

  /** A command gave up waiting for a slot: then there must have been as many others as the limit says. */
  const checkWaited = (fields: unknown, at: number): void => {
    if (!Predicate.hasProperty(fields, "detail") || !Predicate.hasProperty(fields, "task_id")) return
    const [, name, number] = /: (max_tasks_per_host|max_concurrent_tasks) \((\d+)\)/.exec(String(fields.detail)) ?? []
    const self = facts.tasks.get(String(fields.task_id))
    if (name === undefined || self === undefined) return
    const where = name === "max_tasks_per_host" ? self.alias : undefined
    // What ended at this instant can have held a slot until then; it is one of those.
    const others = facts.unheard(where) + facts.live(where) + facts.ended(at).then - 1
    if (others < Number(number)) violated(`${self.id} waited in vain with ${others} others: ${name} ${number}`)
  }

  /**
   * A command was refused since too many wait: then so many, and one that runs, were admitted and had not ended. Counted are
   * those that can have been: what happened at the same instant may have come later.
   */
  const checkRefused = (detail: string, at: number): void => {
    if (at > refusals.at) {
      refusals.before += refusals.then
      refusals.then = 0
      refusals.at = at
    }
    refusals.then++
    const [, most] = /\(max_queued_tasks (\d+)\)/.exec(detail) ?? []
    if (most === undefined) return
    const left = facts.allowed() - facts.ended(at).before - refusals.before - 1
    if (left < Number(most) + 1) violated(`a command was refused with at most ${left} others: max_queued_tasks ${most}`)
  }

  return {
    event: ({ at, event }) => {
      switch (event._tag) {
        case "Transition":
          return event.to === "running" && !event.alias.startsWith("tag.") ? checkRunning(event.alias) : undefined
        case "Log":
          if (event.event === "task.failed") checkWaited(event.fields, at)
          return
        case "ConnectStarted": {
          if (event.via !== undefined) return
          const address = `${event.alias} ${event.address}`
          connections.set(event.connection, address)
          const most = MAX_HANDSHAKES_PER_HOST + OUT_OF_TURN
          const now = count(handshakes, address, 1)
          if (now > most) violated(`${now} handshakes with ${event.alias} at a time, at most ${most} may be`)
          return
        }
        case "Connected":
        case "ConnectFailed":
        case "ConnectAbandoned":
          return endHandshake(event.connection)
        case "ExecRequested": {
          connectionOf.set(event.channel, event.connection)
          const now = count(channels, event.connection, 1)
          if (now > MAX_COMMANDS_PER_CONNECTION) violated(`${now} commands on one connection to ${event.alias}`)
          return
        }
        case "ChannelClosed": {
          const connection = connectionOf.get(event.channel)
          if (connectionOf.delete(event.channel) && connection !== undefined) count(channels, connection, -1)
          return
        }
        default:
          return
      }
    },
    answer: ({ at, value }) => {
      const { detail, reason } =
        Predicate.hasProperty(value, "reason") && Predicate.hasProperty(value, "detail") ? value : {}
      if (reason === "limit" && typeof detail === "string") checkRefused(detail, at)
    },
    observe: ({ held, phase }) => {
      const states = config.all()
      const most = highestLimit(states, "max_concurrent_tasks")
      const queue = highestLimit(states, "max_queued_tasks")
      if (held.slots > most) violated(`${held.slots} commands hold a slot, at most ${most} may`)
      if (held.queued > queue) violated(`${held.queued} commands wait, at most ${queue} may`)
      if (held.queued > 0 && held.slots === 0) violated(`${held.queued} commands wait while none holds a slot`)
      if (phase !== "working" && held.slots + held.queued > 0) violated("slots are held in the end")
    }
  }
}

import { createHash } from "node:crypto"
import type { AuditRecord } from "../../audit/AuditLog.ts"
import { isTerminalStatus, statusNow, type TaskFacts } from "../model/Facts.ts"
import type { MakeWatch } from "./Watch.ts"

/** Exactly one audit record for each admitted command, none for a fan-out; it tells what the host saw. */
export const oneAuditRecord: MakeWatch = ({ facts, violated }) => {
  /** Tasks whose record was written and whose bytes are still to be compared. */
  const open = new Set<TaskFacts>()

  const checkRecord = (task: TaskFacts, record: AuditRecord): void => {
    const status = statusNow(task)
    const { alias, hash, id } = task
    if (task.fanOut) return violated(`${id} is a fan-out and has an audit record`)
    if (!isTerminalStatus(status)) violated(`${id} has an audit record while ${status}`)
    if (record.alias !== alias || record.hash !== hash) violated(`the audit record of ${id} is about another task`)
    if (record.cancelled !== (status === "cancelled"))
      violated(`${id} is ${status}, its audit says cancelled ${record.cancelled}`)
    if (record.timeout !== (status === "timeout"))
      violated(`${id} is ${status}, its audit says timeout ${record.timeout}`)
    if ((record.exit_code === 0) !== (status === "completed"))
      violated(`${id} is ${status}, its audit says exit ${record.exit_code}`)
    const host = facts.hosts.get(alias)
    if (record.target_ip !== "" && host?.addresses.includes(record.target_ip) === false && host.jump === undefined) {
      violated(`the audit of ${id} names ${record.target_ip}, which is not an address of ${alias}`)
    }
    const canonical = facts.commands.get(hash)?.canonical
    const isText = facts.commands.get(hash)?.steps.some(({ program }) => program._tag === "Text") === true
    if (canonical === undefined || isText) return
    const digest = createHash("sha256").update(canonical).digest("hex")
    if (record.command_sha256 !== digest) violated(`the audit of ${id} is not of the canonical text`)
  }

  /** Compares with what the host saw, once its channels are closed. */
  const checkBytes = (task: TaskFacts): void => {
    const record = task.audits[0]
    if (record === undefined || !facts.isOnly(task)) return
    // After so much noise of the login shell, the header counts as output to one side and not to the other.
    if (facts.hosts.get(task.alias)?.faults.some(({ kind }) => kind === "noisy-login") === true) return
    const [run] = facts.runsOf(task)
    const counted = record.bytes_out + record.bytes_err
    const read = run?.readBytes ?? 0
    // What was read and not yet counted when a stop came is lost; nothing is counted that was not read.
    const exact = record.exit_code >= 0
    if (exact ? counted !== read : counted > read)
      violated(`the audit of ${task.id} counts ${counted} bytes, ${read} were read`)
    if (!exact) return
    const ended = run?.ends.some(({ end }) => end._tag === "Exited" && end.code === record.exit_code) === true
    if (!ended) violated(`the audit of ${task.id} says exit ${record.exit_code}, its process ended otherwise`)
  }

  const checkDuration = (task: TaskFacts, record: AuditRecord): void => {
    const began = task.history.find(({ status }) => status === "running")
    const end = task.history.at(-1)
    if (end === undefined) return
    const millis = began === undefined ? 0 : end.at - began.at
    if (Math.abs(record.duration_ms - millis) > 1)
      violated(`the audit of ${task.id} says ${record.duration_ms} ms, it took ${millis}`)
  }

  return {
    event: ({ event }) => {
      if (event._tag !== "Audit") return
      const { task_id: id } = event.record as AuditRecord
      const task = facts.tasks.get(id)
      if (task === undefined) return
      const record = task.audits.at(-1)
      if (record === undefined) return
      if (task.audits.length > 1) violated(`${id} has ${task.audits.length} audit records`)
      checkRecord(task, record)
      checkDuration(task, record)
      open.add(task)
    },
    settled: () => {
      for (const task of open) {
        if (facts.runsOf(task).some(({ channels }) => channels.size > 0)) continue
        open.delete(task)
        checkBytes(task)
      }
    },
    observe: ({ phase }) => {
      if (phase === "working") return
      for (const task of facts.tasks.values()) {
        const records = task.audits.length
        if (!task.fanOut && records !== 1) violated(`${task.id} has ${records} audit records in the end`)
      }
    }
  }
}

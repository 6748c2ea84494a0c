import { readFileSync, writeFileSync } from "node:fs"

const field = (pid: number, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024

/** Bytes of a process that are in memory (VmRSS of proc_pid_status(5)). */
export const resident = (pid: number): number => field(pid, "VmRSS")

/** The most that it had in memory since it started, or since `forgetPeak` (VmHWM). */
export const peak = (pid: number): number => field(pid, "VmHWM")

/** Lets `peak` count from now (5 in proc_pid_clear_refs(5)). */
export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, "5")

/** Its share of memory, what it has in common with other processes divided among them (proc_pid_smaps(5)). */
export const proportional = (pid: number): number =>
  Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]) * 1024

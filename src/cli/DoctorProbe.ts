import { runText } from "../ssh/process/RemoteCommand.ts"
import type { Step } from "./DoctorSteps.ts"

/** Programs that the killer finds processes with; without one of them a stop is never confirmed. */
const NEEDED = ["grep", "awk", "sleep"] as const

/** Seconds of difference between the clocks from which certificates and logs become misleading. */
const CLOCK_TOLERANCE = 30

/**
 * Looks around and changes nothing. `sudo -n` runs `true`; where sudo asks for a password it refuses, which the host's
 * log may note.
 */
const SCRIPT = [
  'printf "clock %s\\n" "$(date +%s)"',
  'printf "system %s\\n" "$(uname -s)"',
  'printf "shell %s\\n" "$SHELL"',
  "[ -e /proc/self/stat ] && echo has proc",
  `for t in kill ${NEEDED.join(" ")} sudo; do command -v $t >/dev/null 2>&1 && echo has $t; done`,
  "command -v sudo >/dev/null 2>&1 && sudo -n true </dev/null >/dev/null 2>&1 && echo has sudo-n",
  "echo end"
].join("; ")

/** The command line of the probe: sent as the first command of a connection is, so that the login shell shows. */
export const probeText = (tag: string): string => runText(undefined, tag, SCRIPT)

/** What a probe brought. */
export interface ProbeAnswer {
  readonly stdout: string
  readonly stderr: string
  /** Our clock in milliseconds before the probe was sent and after its end. */
  readonly from: number
  readonly until: number
}

const shellStep = (kind: string, shell: string): Step => {
  const name = shell.slice(shell.lastIndexOf("/") + 1)
  const how =
    kind === "posix"
      ? "commands run in it"
      : kind === "other"
        ? "commands run in sh"
        : "reads quoting of its own; commands run in sh"
  return { step: "login shell", status: "ok", detail: `${name === "" ? "unknown" : name} (${how})` }
}

const stopStep = (has: ReadonlySet<string>, system: string): Step => {
  const missing = [...(has.has("proc") ? [] : ["/proc"]), ...["kill", ...NEEDED].filter((name) => !has.has(name))]
  const sudo = has.has("sudo-n") ? "sudo -n works" : has.has("sudo") ? "sudo asks for a password" : "no sudo"
  if (missing.length === 0) return { step: "stop", status: "ok", detail: `/proc, kill and the rest are there; ${sudo}` }
  return {
    step: "stop",
    status: "warning",
    detail: `${system === "" ? "the host" : system} has no ${missing.join(", ")}; ${sudo}`,
    fix: "a cancelled command is signalled through its process group only, and its end is reported as unconfirmed; install what is missing"
  }
}

const clockStep = (clock: string, { from, until }: ProbeAnswer): Step => {
  if (!/^[0-9]{1,12}$/u.test(clock)) return { step: "clock", status: "warning", detail: "date +%s gives no number" }
  const theirs = Number(clock)
  // Any reading between our two is right; `date` cuts the fraction off.
  const ahead = theirs > until / 1000 ? theirs - until / 1000 : theirs + 1 < from / 1000 ? theirs + 1 - from / 1000 : 0
  const detail = ahead === 0 ? "as here" : `${Math.abs(Math.round(ahead))} s ${ahead > 0 ? "ahead" : "behind"}`
  return Math.abs(ahead) <= CLOCK_TOLERANCE
    ? { step: "clock", status: "ok", detail }
    : {
        step: "clock",
        status: "warning",
        detail,
        fix: "set the clocks (NTP): the validity of certificates and the times in logs depend on them"
      }
}

/** What the answer of the probe says; one failed step when something else than the login shell answered. Pure and total. */
export const stepsOfProbe = (tag: string, answer: ProbeAnswer): ReadonlyArray<Step> => {
  const kind = new RegExp(`^MCPRUN ${tag} [0-9]+ ([a-z]+)$`, "mu").exec(answer.stderr)?.[1]
  const lines = answer.stdout.split("\n")
  if (kind === undefined || !lines.includes("end")) {
    return [
      {
        step: "login shell",
        status: "failed",
        detail: "the account does not run what it is sent",
        fix: "give the account a shell (not nologin), without a forced command (command= in authorized_keys, ForceCommand)"
      }
    ]
  }
  const value = (name: string): string =>
    lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? ""
  const has = new Set(lines.flatMap((line) => (line.startsWith("has ") ? [line.slice(4)] : [])))
  return [shellStep(kind, value("shell")), stopStep(has, value("system")), clockStep(value("clock"), answer)]
}

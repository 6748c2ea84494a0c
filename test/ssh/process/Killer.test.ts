import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { parseStopAnswer, type StopOrder, stopText } from "../../../src/ssh/process/Killer.ts"

const sh = (text: string, shell = "sh") =>
  execFileSync(shell, ["-c", text], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })

const order = (parts: Partial<StopOrder>): StopOrder => ({
  tag: randomUUID().replaceAll("-", ""),
  pid: 0,
  alive: false,
  graceTenths: 1,
  sudo: false,
  ...parts
})

const stop = (parts: Partial<StopOrder>) => parseStopAnswer(sh(stopText(order(parts))))

/** A command line in a session of its own, as sshd starts it, which is over with the Scope. */
const session = (command: string, environment: Record<string, string> = {}) =>
  Effect.acquireRelease(
    Effect.callback<ChildProcess>((resume) => {
      const child = spawn("sh", ["-c", command], {
        detached: true,
        stdio: ["ignore", "pipe", "ignore"],
        env: { PATH: process.env["PATH"] ?? "", ...environment }
      })
      child.stdout.once("data", () => resume(Effect.succeed(child)))
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** The arguments of every process that is alive and has this text in them. */
const processesWith = (text: string): ReadonlyArray<string> =>
  readdirSync("/proc").flatMap((name) => {
    if (!/^[0-9]+$/.test(name)) return []
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ")
      return command.includes(text) ? [command] : []
    } catch {
      return []
    }
  })

describe("the killer", () => {
  it("says that nothing is left when nothing is", () => {
    for (const shell of ["sh", "bash", "dash"]) {
      assert.deepStrictEqual(parseStopAnswer(sh(stopText(order({})), shell)), { dead: true, survivors: [] })
    }
  })

  it("does not touch a process group whose leader does not carry the tag", () => {
    assert.deepStrictEqual(stop({ pid: process.pid, graceTenths: 0 }), { dead: true, survivors: [] })
  })

  it.effect("neither touches nor vouches for a session whose leader cannot be told from another that got its pid", () =>
    Effect.gen(function* () {
      const stranger = yield* session("echo up; exec sleep 1000")
      assert.isUndefined(stop({ pid: stranger.pid ?? 0 }))
      assert.deepStrictEqual([stranger.exitCode, stranger.signalCode], [null, null])
      assert.isAbove(readFileSync(`/proc/${stranger.pid}/cmdline`, "latin1").length, 0)
    })
  )

  it.effect("takes a session for the run's when its leader carries the tag, whatever is known of its pid", () =>
    Effect.gen(function* () {
      const mark = `10${Math.floor(process.uptime() * 1000)}`
      const tag = randomUUID().replaceAll("-", "")
      yield* session(`env -i sleep ${mark} & echo up; exec sleep ${mark}`, { LC_MCP_RUN: tag })
      assert.deepStrictEqual(stop({ tag }), { dead: true, survivors: [] })
      assert.deepStrictEqual(processesWith(`sleep ${mark}`), [])
    })
  )

  it.effect("is not led astray by a process whose name looks like the rest of a line of /proc/PID/stat", () =>
    Effect.gen(function* () {
      const mark = `misnamed-${randomUUID()}`
      const tag = randomUUID().replaceAll("-", "")
      // A process group of its own, so that it is found by its session alone.
      const rename = `printf "a) Z 1\\n1 (b) S" > /proc/$$/comm; echo up; while :; do sleep 1; done # ${mark}`
      const leader = yield* session(`set -m; env -i PATH="$PATH" sh -c '${rename}' & wait`, { LC_MCP_RUN: tag })
      assert.isAtLeast(processesWith(`# ${mark}`).length, 2, "it and its leader")
      assert.deepStrictEqual(stop({ tag, pid: leader.pid ?? 0, alive: true }), { dead: true, survivors: [] })
      assert.deepStrictEqual(processesWith(`# ${mark}`), [])
    })
  )

  it.effect("finds every process of a session while others come and go", () =>
    Effect.gen(function* () {
      const mark = `unmarked-${randomUUID()}`
      const churn = yield* session("echo up; while :; do /bin/true; done")
      for (let times = 0; times < 5; times++) {
        const tag = randomUUID().replaceAll("-", "")
        const leader = yield* session(
          `set -m; env -i sh -c 'trap "" TERM; while :; do sleep 1; done # ${mark}' & echo up; wait`,
          { LC_MCP_RUN: tag }
        )
        assert.deepStrictEqual(stop({ tag, pid: leader.pid ?? 0, alive: true }), { dead: true, survivors: [] })
        assert.deepStrictEqual(processesWith(mark), [])
      }
      churn.kill("SIGKILL")
    })
  )

  it("is understood whatever it prints", () => {
    assert.deepStrictEqual(parseStopAnswer("noise\nDEAD\n"), { dead: true, survivors: [] })
    assert.deepStrictEqual(parseStopAnswer("SURVIVORS 12 34\n"), { dead: false, survivors: [12, 34] })
    assert.isUndefined(parseStopAnswer("UNSURE\n"))
    assert.isUndefined(parseStopAnswer("sh: kill: not found\n"))
    assert.isUndefined(parseStopAnswer(""))
  })
})

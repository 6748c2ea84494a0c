import { assert, describe, it } from "@effect/vitest"
import type { ProcessEnd } from "../../../src/simulation/hosts/HostEvent.ts"
import {
  makeProcessTable,
  reactionTo,
  type Resistance,
  type SimulatedProcess
} from "../../../src/simulation/hosts/ProcessTable.ts"

const setup = () => {
  const all = new Set<SimulatedProcess>()
  const ends: Array<ProcessEnd> = []
  const table = makeProcessTable("web", all)
  return {
    all,
    ends,
    table,
    spawn: (tag: string) => table.spawn(tag, "uptime", { onEnd: (end) => void ends.push(end), isHeard: () => true })
  }
}

const TERM: ProcessEnd = { _tag: "Signalled", signal: "TERM" }

describe("ProcessTable", () => {
  it.each([
    [{ _tag: "None" }, "ends", "ends"],
    [{ _tag: "IgnoresTerm" }, "none", "ends"],
    [{ _tag: "SlowToStop", millis: 7 }, { endsAfterMillis: 7 }, "ends"],
    [{ _tag: "Unstoppable" }, "none", "none"],
    [{ _tag: "Hidden" }, "ends", "ends"]
  ] as ReadonlyArray<[Resistance, unknown, unknown]>)("what TERM and KILL do to %o", (resistance, term, kill) => {
    assert.deepStrictEqual([reactionTo(resistance, "TERM"), reactionTo(resistance, "KILL")], [term, kill])
  })

  it("finds the processes of a tag that are alive, and no hidden one", () => {
    const { spawn, table } = setup()
    const [one, two, other] = [spawn("a"), spawn("a"), spawn("b")]
    assert.deepStrictEqual(table.find("a"), [one, two])
    table.end(one, TERM)
    assert.deepStrictEqual(table.find("a"), [two])
    table.resist(two, { _tag: "Hidden" })
    assert.deepStrictEqual([table.find("a"), table.alive()], [[], [two, other]])
  })

  it("tells the end of a process once", () => {
    const { all, ends, spawn, table } = setup()
    const process = spawn("a")
    assert.deepStrictEqual([...all], [process])
    table.end(process, TERM)
    table.end(process, { _tag: "Exited", code: 0 })
    assert.deepStrictEqual([ends, [...all], table.isAlive(process)], [[TERM], [], false])
  })

  it("gives no pid of a living process again, also when the numbers begin anew", () => {
    const { spawn, table } = setup()
    const kept = spawn("kept")
    for (let n = 0; n < 40_000; n++) {
      const process = spawn("a")
      assert.notStrictEqual(process.pid, kept.pid)
      table.end(process, TERM)
      assert.isTrue(table.isAlive(kept))
    }
    const later = spawn("later")
    table.resist(process(later.pid), { _tag: "Unstoppable" })
    assert.deepStrictEqual(table.resistance(later), { _tag: "None" })
  })
})

/** Another process that had the pid before. */
const process = (pid: number): SimulatedProcess => ({ alias: "web", pid, tag: "gone", command: "uptime" })

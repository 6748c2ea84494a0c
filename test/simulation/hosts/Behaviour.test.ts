import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { behaviourOf, bytesOf } from "../../../src/simulation/hosts/Behaviour.ts"

const OK = { _tag: "Exited", code: 0 } as const

describe("Behaviour", () => {
  it.each([
    ["echo a b", 4, 0, OK],
    ["lines 3 k1", 21, 0, OK],
    ["lines 0 k1", 0, 0, OK],
    ["ticks 2 100 k1", 14, 0, OK],
    ["flood 100000 k1", 100_000, 0, OK],
    ["sleep 1000 k1", 0, 0, OK],
    ["fail 7 k1", 0, 15, { _tag: "Exited", code: 7 }],
    ["die SEGV k1", 0, 0, { _tag: "Signalled", signal: "SEGV" }],
    ["uptime", 18, 0, OK]
  ] as const)("what %s writes, and how it ends", (command, stdout, stderr, exit) => {
    const behaviour = behaviourOf(command)
    assert.deepStrictEqual([bytesOf(behaviour), behaviour.exit], [{ stdout, stderr }, exit])
  })

  it("pauses as long as it is told", () => {
    const pauses = (command: string) =>
      behaviourOf(command).actions.reduce((sum, action) => sum + (action._tag === "Pause" ? action.millis : 0), 0)
    assert.deepStrictEqual([pauses("sleep 1500 k1"), pauses("ticks 3 200 k1"), pauses("echo k1")], [1500, 600, 1])
  })

  it.prop("every text is a command that ends", [Schema.String], ([command]) => {
    const { actions } = behaviourOf(command)
    return actions.every((action) => action._tag !== "Pause" || Number.isSafeInteger(action.millis))
  })
})

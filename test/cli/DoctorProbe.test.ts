import { assert, describe, it } from "@effect/vitest"
import { probeText, stepsOfProbe } from "../../src/cli/DoctorProbe.ts"

const TAG = "0123456789abcdef0123456789abcdef"
const NOW = 1_700_000_000_000

const answer = (lines: ReadonlyArray<string>, over: { readonly stderr?: string } = {}) => ({
  stdout: [...lines, "end", ""].join("\n"),
  stderr: `MCPRUN ${TAG} 4711 posix\n`,
  from: NOW,
  until: NOW + 100,
  ...over
})

const WELL = ["clock 1700000000", "system Linux", "shell /bin/bash", "has proc"].concat(
  ["kill", "grep", "awk", "sleep", "sudo", "sudo-n"].map((name) => `has ${name}`)
)

describe("the probe of doctor", () => {
  it("is content with a host that has everything", () => {
    assert.deepStrictEqual(stepsOfProbe(TAG, answer(WELL)), [
      { step: "login shell", status: "ok", detail: "bash (commands run in it)" },
      { step: "stop", status: "ok", detail: "/proc, kill and the rest are there; sudo -n works" },
      { step: "clock", status: "ok", detail: "as here" }
    ])
  })

  it.each([
    ["has awk", "Linux has no awk; sudo -n works"],
    ["has proc", "Linux has no /proc; sudo -n works"]
  ])("warns that a stop cannot be confirmed without what %j stands for", (line, detail) => {
    const [, stop] = stepsOfProbe(TAG, answer(WELL.filter((each) => each !== line)))
    assert.deepInclude(stop, { step: "stop", status: "warning", detail })
    assert.include(stop?.fix, "unconfirmed")
  })

  it.each([
    ["has sudo-n", "sudo asks for a password"],
    ["has sudo", "no sudo"]
  ])("is content without %j, and says so", (line, detail) => {
    const [, stop] = stepsOfProbe(TAG, answer(WELL.filter((each) => !each.startsWith(line))))
    assert.strictEqual(stop?.status, "ok")
    assert.include(stop?.detail, detail)
  })

  it.each<[string, "ok" | "warning", string]>([
    ["1700000000", "ok", "as here"],
    ["1700000020", "ok", "20 s ahead"],
    ["1700000100", "warning", "100 s ahead"],
    ["1699996400", "warning", "3599 s behind"],
    ["%s", "warning", "date +%s gives no number"],
    ["", "warning", "date +%s gives no number"]
  ])("reads the clock %j as %s: %s", (clock, status, detail) => {
    const lines = WELL.map((line) => (line.startsWith("clock ") ? `clock ${clock}` : line))
    assert.deepInclude(stepsOfProbe(TAG, answer(lines))[2], { step: "clock", status, detail })
  })

  it.each([
    ["without the header", answer(WELL, { stderr: "Last login: never\n" })],
    ["with the header of another run", answer(WELL, { stderr: `MCPRUN ${"f".repeat(32)} 1 posix\n` })],
    ["cut short", { ...answer(WELL), stdout: WELL.join("\n") }]
  ])("fails on an answer %s", (_, given) => {
    const [only, ...others] = stepsOfProbe(TAG, given)
    assert.deepInclude(only, { step: "login shell", status: "failed" })
    assert.deepStrictEqual(others, [])
  })

  it("is sent in the form that every login shell reads", () => {
    assert.match(probeText(TAG), /^exec sh -c /)
    assert.notInclude(probeText(TAG), "\n")
  })
})

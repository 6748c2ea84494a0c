import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { stopText } from "../../../src/ssh/process/Killer.ts"
import { loginShells } from "../../../src/ssh/process/LoginShell.ts"
import { runText } from "../../../src/ssh/process/RemoteCommand.ts"
import { isReadBy, readExec } from "../../../src/simulation/hosts/ExecText.ts"

const TAG = "0123456789abcdef0123456789abcdef"

const COMMANDS = [
  "uptime",
  "echo 'a b' \\'c",
  "printf '%s\\n' 'it'\\''s'",
  'a=1 && echo "$a"; exec ls',
  "echo 'höst €😀\n'",
  "grep -e '!' /etc/passwd | sort -u"
]

const text = Schema.String.check(Schema.isMaxLength(60))

describe("ExecText", () => {
  for (const form of [undefined, "posix", "other"] as const) {
    it.each(COMMANDS)(`reads back the text for the shell ${form ?? "that is not known"}: %s`, (command) => {
      assert.deepStrictEqual(readExec(runText(form, TAG, command)), { _tag: "Run", tag: TAG, command, form })
    })
  }

  it("reads back the probing text for a foreign shell", () => {
    assert.deepStrictEqual(readExec(runText("foreign", TAG, "uptime")), {
      _tag: "Run",
      tag: TAG,
      command: "uptime",
      form: undefined
    })
  })

  it.each([
    { tag: TAG, pid: 0, alive: false, graceTenths: 0, sudo: false },
    { tag: TAG, pid: 4711, alive: true, graceTenths: 20, sudo: true }
  ])("reads back the order to stop: $pid", (order) => {
    assert.deepStrictEqual(readExec(stopText(order)), { _tag: "Stop", order })
  })

  it.prop("reads nothing into a text that the product does not make", [text], ([any]) => {
    const request = readExec(any)
    return request._tag === "Unknown"
  })

  it("reads a changed text as none of the product's", () => {
    const known = [
      ...loginShells.map((shell) => runText(shell, TAG, "uptime")),
      stopText({ tag: TAG, pid: 1, alive: true, graceTenths: 20, sudo: false })
    ]
    for (const each of known) {
      for (const changed of [
        ` ${each}`,
        each.replace("exec sh", "nice sh"),
        each.replace("MCPRUN", "MCPRUM"),
        each.replace("; export", " ; export"),
        each.replace(TAG, TAG.toUpperCase())
      ]) {
        if (changed !== each) assert.strictEqual(readExec(changed)._tag, "Unknown", changed.slice(0, 80))
      }
    }
  })

  it("knows that a foreign shell reads the probing text alone", () => {
    const readable = (form: "posix" | "other" | undefined) =>
      isReadBy(readExec(runText(form, TAG, "uptime")), "foreign")
    assert.deepStrictEqual([readable(undefined), readable("posix"), readable("other")], [true, false, false])
  })
})

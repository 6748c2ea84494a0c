import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { parseResourceUri, type ResourceUri } from "../../../src/mcp/resources/ResourceUri.ts"
import { TASK_ID } from "../ScriptedOrchestrator.ts"

const CASES: ReadonlyArray<readonly [string, ResourceUri]> = [
  ["ssh://hosts", { _tag: "Hosts" }],
  ["SSH://Hosts", { _tag: "Hosts" }],
  ["ssh://tasks", { _tag: "Tasks" }],
  ["ssh://host/web-1", { _tag: "Host", alias: "web-1" }],
  ["ssh://host/web%2D1", { _tag: "Host", alias: "web-1" }],
  ["ssh://host/Web-1", { _tag: "Host", alias: "Web-1" }],
  ["ssh://host/a%2Fb", { _tag: "Host", alias: "a/b" }],
  ["ssh://host/web-1/tags", { _tag: "HostTags", alias: "web-1" }],
  ["ssh://host/web-1/capabilities", { _tag: "HostCapabilities", alias: "web-1" }],
  [`ssh://task/${TASK_ID}/output`, { _tag: "TaskOutput", taskId: TASK_ID }],
  [`ssh://task/${encodeURIComponent(TASK_ID)}/output`, { _tag: "TaskOutput", taskId: TASK_ID }],
  ["ssh://hosts/", { _tag: "Unknown" }],
  ["ssh://hosts/web-1", { _tag: "Unknown" }],
  ["ssh://host", { _tag: "Unknown" }],
  ["ssh://host/", { _tag: "Unknown" }],
  ["ssh://host//tags", { _tag: "Unknown" }],
  ["ssh://host/web-1/tags/", { _tag: "Unknown" }],
  ["ssh://host/web-1/rules", { _tag: "Unknown" }],
  ["ssh://host/web-1/tags/x", { _tag: "Unknown" }],
  ["ssh://host/web-1?x=1", { _tag: "Unknown" }],
  ["ssh://host/web-1#x", { _tag: "Unknown" }],
  [`ssh://task/${TASK_ID}`, { _tag: "Unknown" }],
  ["ssh://tasks/x/output", { _tag: "Unknown" }],
  ["file:///etc/passwd", { _tag: "Unknown" }],
  ["x:", { _tag: "Unknown" }],
  ["", { _tag: "Malformed" }],
  ["hosts", { _tag: "Malformed" }],
  ["://hosts", { _tag: "Malformed" }],
  ["ssh://host/{alias}", { _tag: "Malformed" }],
  ["ssh://host/web 1", { _tag: "Malformed" }],
  ["ssh://host/%", { _tag: "Malformed" }],
  ["ssh://host/%zz", { _tag: "Malformed" }],
  ["ssh://host/w\u00e9b", { _tag: "Malformed" }],
  ["ssh://hosts\n", { _tag: "Malformed" }],
  [`ssh://host/${"a".repeat(990)}`, { _tag: "Malformed" }]
]

describe("parseResourceUri", () => {
  for (const [text, expected] of CASES) {
    it(`reads ${JSON.stringify(text.slice(0, 60))} as ${expected._tag}`, () => {
      assert.deepStrictEqual(parseResourceUri(text), expected)
    })
  }

  it.prop("takes any text, and only printable ASCII for a uri", [Schema.String], ([text]) => {
    const named = parseResourceUri(text)
    assert.isTrue(named._tag === "Malformed" || /^[\x21-\x7e]{1,1000}$/.test(text))
  })

  it.prop("finds again the name that was percent-encoded into a template", [Schema.String], ([text]) => {
    const name = text.replaceAll(/[^\x01-\x7f]/g, "").slice(0, 100)
    if (name === "") return
    assert.deepStrictEqual(parseResourceUri(`ssh://host/${encodeURIComponent(name)}`), { _tag: "Host", alias: name })
  })
})

import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Orchestrator } from "../../../src/Orchestrator.ts"
import { initializedSession, type Reply } from "../Session.ts"
import { FILES, openFleet } from "./SpeakingHosts.ts"

/** The server on streams, with the means to ask it and to hear its notifications in between. */
const serve = Effect.gen(function* () {
  const { context, hosts, write } = yield* openFleet(FILES)
  const session = yield* initializedSession(Layer.succeedContext(context))
  const heard: Array<Reply> = []
  let id = 0
  const ask = Effect.fnUntraced(function* (method: string, params: object = {}) {
    const asked = ++id
    yield* session.send({ jsonrpc: "2.0", id: asked, method, params })
    while (true) {
      const reply = yield* session.receive
      if (reply.id === asked) return reply
      heard.push(reply)
    }
  })
  /** The next notification, one that came while waiting for an answer first. */
  const hear = Effect.suspend(() => {
    const first = heard.shift()
    return first === undefined ? session.receive : Effect.succeed(first)
  })
  const start = (command: string) =>
    Effect.map(
      Orchestrator.use((orchestrator) => orchestrator.start({ alias: "web-1", command })),
      ({ task_id }) => task_id
    ).pipe(Effect.provideContext(context))
  return { ask, hear, start, hosts, write }
})

const asText = Schema.decodeUnknownSync(
  Schema.Struct({ contents: Schema.Tuple([Schema.Struct({ uri: Schema.String, text: Schema.String })]) })
)

describe("resources and prompts on the wire", () => {
  it.live("lists, reads and completes resources", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve
      const list = yield* ask("resources/list")
      assert.deepStrictEqual(
        Schema.decodeUnknownSync(Schema.Struct({ resources: Schema.Array(Schema.Struct({ uri: Schema.String })) }))(
          list.result
        ).resources.map(({ uri }) => uri),
        ["ssh://hosts", "ssh://tasks", "ssh://host/web-1", "ssh://host/db-1"]
      )
      assert.lengthOf((yield* ask("resources/templates/list")).result?.["resourceTemplates"] as [], 4)
      const read = asText((yield* ask("resources/read", { uri: "ssh://host/web-1/tags" })).result)
      assert.deepStrictEqual(read.contents[0], {
        uri: "ssh://host/web-1/tags",
        text: '{"alias":"web-1","tags":["web","docker"]}'
      })
      const completed = yield* ask("completion/complete", {
        ref: { type: "ref/resource", uri: "ssh://host/{alias}" },
        argument: { name: "alias", value: "w" }
      })
      assert.deepStrictEqual(completed.result, { completion: { values: ["web-1"], total: 1, hasMore: false } })
    })
  )

  it.live("answers errors with the code and, for an unknown resource, its uri", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve
      assert.deepStrictEqual((yield* ask("resources/read", { uri: "ssh://host/web-9" })).error, {
        code: -32002,
        message: "Resource not found",
        data: { uri: "ssh://host/web-9" }
      } as Reply["error"])
      for (const [method, params] of [
        ["resources/read", { uri: "no uri" }],
        ["resources/read", {}],
        ["resources/list", { cursor: "x" }],
        ["resources/templates/list", { cursor: "x" }],
        ["resources/subscribe", { uri: "ssh://tasks" }],
        ["prompts/get", { name: "unknown" }]
      ] as const) {
        assert.strictEqual((yield* ask(method, params)).error?.code, -32602, method)
      }
    })
  )

  it.live("tells a subscriber of a task's output that it changed, and of its end", () =>
    Effect.gen(function* () {
      const { ask, hear, hosts, start } = yield* serve
      const uri = `ssh://task/${encodeURIComponent(yield* start("uptime"))}/output`
      const remote = yield* hosts.next
      assert.deepStrictEqual((yield* ask("resources/subscribe", { uri })).result, {})
      const updated = { jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri } }
      yield* remote.print("up 3 days\n")
      assert.deepStrictEqual(yield* hear, updated)
      assert.strictEqual(asText((yield* ask("resources/read", { uri })).result).contents[0].text, "up 3 days\n")
      yield* remote.print("bye\n")
      yield* remote.end
      assert.deepStrictEqual(yield* hear, updated)
      assert.deepStrictEqual((yield* ask("resources/unsubscribe", { uri })).result, {})
    })
  )

  it.live("tells of a reload: the list may have changed, and a subscribed host did", () =>
    Effect.gen(function* () {
      const { ask, hear, write } = yield* serve
      yield* ask("resources/subscribe", { uri: "ssh://host/db-1" })
      yield* write("config/servers.yml", String(FILES["config/servers.yml"]).replace("10.0.0.12", "10.0.0.13"))
      const reloaded = yield* ask("tools/call", { name: "ssh_reload_config", arguments: {} })
      assert.isFalse(reloaded.result?.["isError"])
      const methods = [yield* hear, yield* hear].map(({ method }) => method)
      assert.sameMembers(methods, ["notifications/resources/list_changed", "notifications/resources/updated"])
    })
  )

  it.live("lists prompts, fills one in and completes its alias", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve
      const listed = (yield* ask("prompts/list")).result?.["prompts"]
      assert.lengthOf(listed as [], 6)
      const name = "ssh_policy_denied_guidance"
      const got = yield* ask("prompts/get", { name, arguments: { alias: "web-1", command: "reboot" } })
      assert.match(JSON.stringify(got.result), /- alias: \\\\?"web-1/)
      const completed = yield* ask("completion/complete", {
        ref: { type: "ref/prompt", name },
        argument: { name: "alias", value: "db" }
      })
      assert.deepStrictEqual(completed.result, { completion: { values: ["db-1"], total: 1, hasMore: false } })
    })
  )
})

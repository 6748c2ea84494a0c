import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Orchestrator } from "../../../src/Orchestrator.ts"
import { readResource } from "../../../src/mcp/resources/ResourceReading.ts"
import { sshResources } from "../../../src/mcp/resources/SshResources.ts"
import { scripted, TASK_ID } from "../ScriptedOrchestrator.ts"
import { FILES, openFleet } from "./SpeakingHosts.ts"

const read = (uri: string) => sshResources.read(uri)

/** The one text that a resource holds, parsed. */
const readJson = (uri: string) =>
  Effect.map(read(uri), (contents): unknown => {
    assert.lengthOf(contents, 1)
    const [content] = contents
    assert.deepInclude(content, { uri, mimeType: "application/json" })
    return content !== undefined && "text" in content ? JSON.parse(content.text) : undefined
  })

const onFleet = <A, E>(body: Effect.Effect<A, E, Orchestrator>, files = FILES) =>
  Effect.flatMap(openFleet(files), ({ context }) => Effect.provideContext(body, context))

/** Text of a remote host, marked as such. */
const output = (uri: string, text: string) => ({
  uri,
  mimeType: "text/plain",
  text,
  _meta: { "mcp-ssh-orchestrator/untrusted": ["text"] }
})

const WEB = {
  alias: "web-1",
  host: "10.0.0.11",
  port: 2222,
  tags: ["web", "docker"],
  description: "Front \u202eend",
  has_credentials_ref: true
}
const DB = { alias: "db-1", host: "10.0.0.12", port: 22, tags: [], description: "", has_credentials_ref: false }

describe("resources/read", () => {
  it.effect("shows hosts, one host and its tags, and never a credential", () =>
    onFleet(
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* readJson("ssh://hosts"), { count: 2, hosts: [WEB, DB] })
        assert.deepStrictEqual(yield* readJson("ssh://host/web-1"), WEB)
        assert.deepStrictEqual(yield* readJson("ssh://host/db-1"), DB)
        assert.deepStrictEqual(yield* readJson("ssh://host/web-1/tags"), { alias: "web-1", tags: ["web", "docker"] })
        const everything = JSON.stringify([
          yield* read("ssh://hosts"),
          yield* read("ssh://host/web-1"),
          yield* read("ssh://host/web-1/capabilities")
        ])
        for (const secret of ["hunter2", "deployer", "admin", "known_hosts", "/tmp"]) {
          assert.notInclude(everything, secret)
        }
      })
    )
  )

  it.effect("shows limits in force, probes decided by the policy, and the network checks", () =>
    onFleet(
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* readJson("ssh://host/web-1/capabilities"), {
          alias: "web-1",
          tags: ["web", "docker"],
          limits: {
            max_seconds: 40,
            max_output_bytes: 1_048_576,
            require_known_host: true,
            host_key_auto_add: false,
            task_result_ttl: 30,
            task_progress_interval: 5,
            deny_patterns_enabled: true
          },
          policy_probes: [
            { probe: "basic_diagnostics", command: "uptime", allowed: true },
            { probe: "filesystem_overview", command: "df -h", allowed: false },
            { probe: "docker_status", command: "docker ps", allowed: true }
          ],
          network: { require_known_host: true, allowlist_enabled: true, blocklist_enabled: false },
          features: { supports_async: true, supports_cancellation: true }
        })
      })
    )
  )

  it.effect("probes docker only on hosts with that tag, and decides each probe as ssh_plan does", () =>
    onFleet(
      Effect.gen(function* () {
        const { plan } = yield* Orchestrator
        for (const [alias, probes] of [
          ["web-1", 3],
          ["db-1", 2]
        ] as const) {
          const { policy_probes } = yield* (yield* Orchestrator).hostCapabilities(alias)
          assert.lengthOf(policy_probes, probes)
          for (const { allowed, command } of policy_probes) {
            const { commands } = yield* plan(alias, command)
            assert.strictEqual(
              allowed,
              commands.every((each) => each.allowed)
            )
          }
        }
      })
    )
  )

  it.effect("shows a task's output as a result does: cleaned, head and tail within max_result_bytes", () =>
    Effect.gen(function* () {
      const { context, hosts } = yield* openFleet(FILES)
      yield* Effect.gen(function* () {
        const { start, taskResult } = yield* Orchestrator
        const { task_id } = yield* start({ alias: "web-1", command: "uptime" })
        const uri = `ssh://task/${task_id}/output`
        const remote = yield* hosts.next
        assert.deepStrictEqual(yield* read(uri), [output(uri, "")])
        yield* remote.print("up \u001b[31m3 days\u001b[0m\n")
        yield* Effect.yieldNow.pipe(Effect.repeat({ times: 20 }))
        assert.deepStrictEqual(yield* read(uri), [output(uri, "up 3 days\n")])
        yield* remote.print(`${"x".repeat(99)}\n`.repeat(100))
        yield* remote.end
        const result = yield* taskResult(task_id, 5)
        const text = "output" in result ? result.output : ""
        const encoded = `ssh://task/${encodeURIComponent(task_id)}/output`
        const [content] = yield* read(encoded)
        assert.deepStrictEqual(content, output(encoded, text))
        assert.isAtMost(Buffer.byteLength(text), 1024)
        assert.include(text, "up 3 days")
        const listed = yield* readJson("ssh://tasks")
        assert.nestedPropertyVal(listed, "tasks[0].task_id", task_id)
        assert.nestedPropertyVal(listed, "tasks[0].status", "completed")
      }).pipe(Effect.provideContext(context))
    })
  )

  it.effect("shows the output of a fan-out, and lists and completes its task", () =>
    Effect.gen(function* () {
      const { context, hosts } = yield* openFleet(FILES)
      yield* Effect.gen(function* () {
        const { runOnTag, taskIds } = yield* Orchestrator
        const fanOut = yield* Effect.forkChild(runOnTag({ tag: "web", command: "uptime" }))
        const remote = yield* hosts.next
        yield* remote.print("up 3 days\n")
        yield* remote.end
        yield* Fiber.join(fanOut)
        const ids = yield* taskIds
        assert.deepStrictEqual(
          ids.map((id) => id.split(":")[0]),
          ["web-1", "tag.web"]
        )
        const id = String(ids[1])
        const uri = `ssh://task/${id}/output`
        assert.deepStrictEqual(yield* read(uri), [output(uri, "web-1: up 3 days\n")])
        const { resources } = yield* sshResources.list()
        assert.deepInclude(
          resources.find((resource) => resource.uri === uri),
          { name: id, title: "Output of the hosts tagged web (completed)" }
        )
        assert.deepStrictEqual(
          (yield* sshResources.complete("ssh://task/{task_id}/output", "task_id", "tag.")).values,
          [id]
        )
      }).pipe(Effect.provideContext(context))
    })
  )

  it.effect("answers -32002 with the uri for what does not exist, and -32602 for what is not a uri", () =>
    onFleet(
      Effect.gen(function* () {
        for (const uri of [
          "ssh://host/web-9",
          "ssh://host/web-9/tags",
          "ssh://host/WEB-1",
          "ssh://host/__proto__/capabilities",
          `ssh://task/${TASK_ID}/output`,
          "ssh://task/x/output",
          "ssh://rules",
          "file:///etc/passwd"
        ]) {
          const error = yield* Effect.flip(read(uri))
          assert.deepInclude(error, { code: -32002, message: "Resource not found", data: { uri } })
        }
        for (const uri of ["", "web-1", "ssh://host/web 1", `ssh://host/${"a".repeat(2000)}`]) {
          const error = yield* Effect.flip(read(uri))
          assert.strictEqual(error.code, -32602)
          assert.strictEqual(error.message, "Invalid params: uri is not valid")
        }
      })
    )
  )

  it.effect("does not ask for a task by what is no task id", () =>
    Effect.gen(function* () {
      for (const id of ["x", "web-1:0:1", `${TASK_ID}0`, "%0a"]) {
        assert.strictEqual((yield* Effect.flip(read(`ssh://task/${id}/output`))).code, -32002)
      }
    }).pipe(Effect.provide(scripted({})))
  )

  it.effect("names the problems of an unusable configuration, by the file's base name", () =>
    onFleet(
      Effect.gen(function* () {
        for (const uri of ["ssh://hosts", "ssh://host/web-1", "ssh://host/web-1/capabilities"]) {
          const error = yield* Effect.flip(read(uri))
          assert.strictEqual(error.code, -32603)
          assert.match(error.message, /^Configuration error: servers\.yml:1:1: .*ssh_reload_config\.$/)
        }
        assert.deepStrictEqual(yield* readJson("ssh://tasks"), { tasks: [] })
      }),
      { ...FILES, "config/servers.yml": "hots: []\n" }
    )
  )

  it.effect("leaves hosts out of an inventory that is too large for one answer, and says so", () =>
    Effect.gen(function* () {
      const records = Array.from({ length: 100 }, (_, i) => ({ ...DB, alias: `db-${i}` }))
      const size = Buffer.byteLength(JSON.stringify(records[99]))
      const [content] = yield* readResource("ssh://hosts", size * 50).pipe(
        Effect.provide(scripted({ hostRecords: Effect.succeed(records) }))
      )
      const { count, hosts, truncated } = JSON.parse(content !== undefined && "text" in content ? content.text : "")
      assert.strictEqual(count, 100)
      assert.isTrue(truncated)
      assert.deepStrictEqual(hosts, records.slice(0, hosts.length))
      assert.isAbove(hosts.length, 45)
      assert.isBelow(hosts.length, 51)
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Latch, Ref, Sink } from "effect"
import { TestClock } from "effect/testing"
import {
  CommandDenied,
  HostNotFound,
  type Orchestrator,
  type RunRequest,
  type TagRequest
} from "../../src/Orchestrator.ts"
import type { FleetResult } from "../../src/fleet/FleetResult.ts"
import { HINTS } from "../../src/policy/Denial.ts"
import type { RunResult } from "../../src/task/RunResult.ts"
import type { TaskReport } from "../../src/task/TaskReport.ts"
import { invoke } from "./CliHarness.ts"

type Service = Orchestrator["Service"]

const TASK = "web-1:0123456789abcdef:00000000000000000000000000"

const result = (over: Partial<RunResult> = {}): RunResult => ({
  task_id: TASK,
  alias: "web-1",
  hash: "0123456789abcdef",
  status: "completed",
  exit_code: 0,
  duration_ms: 12,
  cancelled: false,
  timeout: false,
  target_ip: "127.0.0.1",
  output: "hello\n",
  bytes_out: 6,
  bytes_err: 0,
  truncated: false,
  ...over
})

/** An orchestrator whose one task prints `chunks` and ends as told; the requests it got are kept. */
const runs = (end: RunResult, requests: Array<RunRequest> = []): Partial<Service> => ({
  start: (request) =>
    Effect.gen(function* () {
      requests.push(request)
      if (request.onOutput !== undefined) {
        yield* request.onOutput({ stream: "stdout", text: "hello\n" })
        yield* request.onOutput({ stream: "stderr", text: "careful\n" })
      }
      return {
        task_id: TASK,
        status: "pending" as const,
        keepAlive: 300,
        pollFrequency: 5,
        alias: request.alias,
        command: request.command,
        hash: end.hash
      }
    }),
  taskResult: () => Effect.succeed(end)
})

const recordCancel =
  (cancelled: Array<string>): Service["cancel"] =>
  (id) =>
    Effect.sync(() => {
      cancelled.push(id)
      return { task_id: id, cancelled: true, message: "Cancelled", remote_stopped: "confirmed" as const }
    })

const denial = new CommandDenied({
  denial: {
    status: "denied",
    reason: "policy",
    alias: "web-1",
    hash: "0123456789abcdef",
    detail: "No rule allows it",
    hint: HINTS.policy
  }
})

const files = {
  "servers.yml": `hosts:
  - {alias: web-1, host: 10.0.0.1, credentials: good, tags: [web, prod], description: "Front end"}
  - {alias: db-1, host: db.example.org, port: 2222, credentials: bad, tags: [prod]}
`,
  "credentials.yml": `entries:
  - {name: good, username: u, password: p}
  - {name: bad, username: u, password_secret: is_missing}
`,
  "policy.yml": `rules:
  - {action: allow, commands: ["uptime"]}
`
}

describe("the command line", () => {
  it.effect("serves when no command is named, and as serve and stdio", () =>
    Effect.gen(function* () {
      const served = yield* Ref.make(0)
      const serve = Ref.update(served, (n) => n + 1)
      for (const args of [[], ["serve"], ["stdio"]]) {
        const outcome = yield* invoke(args, { serve })
        assert.deepStrictEqual([outcome.exitCode, outcome.stdout], [0, ""])
        assert.deepStrictEqual(outcome.built, [[{}, "serve"]])
      }
      assert.strictEqual(yield* Ref.get(served), 3)
    })
  )

  it.effect("takes the common flags before and after the command's name", () =>
    Effect.gen(function* () {
      const flags = ["--keys-dir", "/k", "--secrets-dir", "/s", "--log-level", "warn"]
      const expected = [[{ keysDir: "/k", secretsDir: "/s", logLevel: "Warn" }, "serve"]] as const
      assert.deepStrictEqual((yield* invoke([...flags, "serve"], { serve: Effect.void })).built, expected)
      assert.deepStrictEqual((yield* invoke(["serve", ...flags], { serve: Effect.void })).built, expected)
    })
  )

  it.effect("ends with 2 and says so on stderr alone when the usage is wrong", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<ReadonlyArray<string>> = [
        ["nonsense"],
        ["--nonsense"],
        ["--log-level", "loud"],
        ["plan"],
        ["plan", "web-1"],
        ["run"],
        ["run", "web-1"],
        ["run", "--tag", "web"],
        ["run", "web-1", "uptime", "--concurrency", "3"],
        ["run", "--tag", "web", "uptime", "--concurrency", "0"],
        ["run", "--tag", "web", "uptime", "--batch", "0"],
        ["run", "--tag", "web", "uptime", "--max-failures", "some"],
        ["run", "web-1", "uptime", "--timeout", "0"]
      ]
      for (const args of wrong) {
        const outcome = yield* invoke(args)
        assert.deepStrictEqual([args, outcome.exitCode, outcome.stdout], [args, 2, ""])
        assert.notStrictEqual(outcome.stderr, "")
      }
    })
  )

  it.effect("prints help and the version as results", () =>
    Effect.gen(function* () {
      const help = yield* invoke(["run", "--help"])
      assert.deepStrictEqual([help.exitCode, help.stderr], [0, ""])
      assert.include(help.stdout, "--max-failures")
      assert.include((yield* invoke(["--version"])).stdout, "9.9.9")
    })
  )
})

describe("a bug", () => {
  it.effect("is told on stderr and ends with 255", () =>
    Effect.gen(function* () {
      const broken = Effect.die(new Error("broken"))
      const ran = yield* invoke(["run", "web-1", "uptime"], { orchestrator: { start: () => broken } })
      assert.deepStrictEqual([ran.exitCode, ran.stdout], [255, ""])
      assert.match(ran.stderr, /^Internal error: .*broken/)
    })
  )
})

describe("check", () => {
  it.effect("prints every problem with its place, and fails on an error", () =>
    Effect.gen(function* () {
      const outcome = yield* invoke(["check"], {
        files: { ...files, "policy.yml": "rulez: []\n" }
      })
      assert.strictEqual(outcome.exitCode, 1)
      assert.match(outcome.stdout, /^policy\.yml:1:1: rulez: .*did you mean rules\?/m)
    })
  )

  it.effect("fails when a host is disabled, and names the credential's place", () =>
    Effect.gen(function* () {
      const outcome = yield* invoke(["check"], { files })
      assert.strictEqual(outcome.exitCode, 1)
      assert.match(outcome.stdout, /^credentials\.yml:3:\d+: /m)
      assert.match(outcome.stdout, /1 error, \d+ warnings?, 2 hosts, 1 rule\n$/)
    })
  )

  it.effect("ends well on a directory with warnings only", () =>
    Effect.gen(function* () {
      const outcome = yield* invoke(["check"], {
        files: { "servers.yml": "hosts: []\n", "credentials.yml": "entries: []\n" }
      })
      assert.strictEqual(outcome.exitCode, 0)
      assert.match(outcome.stdout, /^policy\.yml:1:1: warning: /m)
    })
  )
})

describe("hosts", () => {
  it.effect("lists the inventory and marks a disabled host with its reason", () =>
    Effect.gen(function* () {
      const { exitCode, stdout } = yield* invoke(["hosts"], { files })
      const [header, web, db] = stdout.split("\n")
      assert.strictEqual(exitCode, 0)
      assert.match(header ?? "", /^ALIAS +HOST +PORT +TAGS +DESCRIPTION$/)
      assert.match(web ?? "", /^web-1 +10\.0\.0\.1 +22 +web,prod +Front end$/)
      assert.match(db ?? "", /^db-1 +db\.example\.org +2222 +prod +DISABLED: /)
    })
  )

  it.effect("selects by tag and prints JSON", () =>
    Effect.gen(function* () {
      const { stdout } = yield* invoke(["hosts", "--tag", "web", "--json"], { files })
      assert.deepStrictEqual(JSON.parse(stdout), [
        { alias: "web-1", host: "10.0.0.1", port: 22, tags: ["web", "prod"], description: "Front end" }
      ])
    })
  )

  it.effect("fails when the configuration cannot be used", () =>
    Effect.gen(function* () {
      const outcome = yield* invoke(["hosts"], { files: { ...files, "servers.yml": "hosts: 3\n" } })
      assert.deepStrictEqual([outcome.exitCode, outcome.stdout], [1, ""])
      assert.include(outcome.stderr, "servers.yml:1:")
    })
  )
})

const parentTask: TaskReport = {
  task_id: "tag.web:0123456789abcdef:00000000000000000000000000",
  kind: "fan_out",
  tag: "web",
  status: "running",
  keepAlive: 300,
  pollFrequency: 5,
  progress_percent: 0,
  elapsed_ms: 0,
  bytes_read: 0,
  output_lines_available: 0
}

describe("run HOST", () => {
  it.effect("streams both streams live and ends with 0", () =>
    Effect.gen(function* () {
      const requests: Array<RunRequest> = []
      const outcome = yield* invoke(["run", "web-1", "--timeout", "9", "--", "cat", "my file"], {
        orchestrator: runs(result(), requests)
      })
      assert.deepStrictEqual([outcome.exitCode, outcome.stdout, outcome.stderr], [0, "hello\n", "careful\n"])
      assert.deepInclude(requests[0], { alias: "web-1", command: "cat 'my file'", timeoutSeconds: 9, client: "cli" })
    })
  )

  it.effect("passes the remote exit code on, and 255 when there is none", () =>
    Effect.gen(function* () {
      const ends: ReadonlyArray<readonly [Partial<RunResult>, number, RegExp]> = [
        [{ status: "failed", exit_code: 3 }, 3, /^careful\n$/],
        [{ status: "failed", exit_code: -1, exit_signal: "KILL" }, 255, /ended by signal KILL/],
        [{ status: "timeout", exit_code: -1, timeout: true, duration_ms: 2000 }, 255, /timed out after 2\.0 s/],
        [{ status: "cancelled", exit_code: -1, cancelled: true }, 255, /cancelled/],
        [{ status: "failed", exit_code: -1, status_message: "SSH connection refused" }, 255, /SSH connection refused/]
      ]
      for (const [end, code, said] of ends) {
        const outcome = yield* invoke(["run", "web-1", "uptime"], { orchestrator: runs(result(end)) })
        assert.strictEqual(outcome.exitCode, code)
        assert.match(outcome.stderr, said)
      }
    })
  )

  it.effect("prints one JSON object and no live output with --json", () =>
    Effect.gen(function* () {
      const requests: Array<RunRequest> = []
      const outcome = yield* invoke(["run", "web-1", "uptime", "--json"], { orchestrator: runs(result(), requests) })
      assert.deepStrictEqual(JSON.parse(outcome.stdout), result())
      assert.isUndefined(requests[0]?.onOutput)
    })
  )

  it.effect("shows on a terminal, after a second, how long the command runs", () =>
    Effect.gen(function* () {
      const asked = yield* Latch.make()
      const orchestrator: Partial<Service> = {
        ...runs(result()),
        taskStatus: () => Effect.as(asked.open, { ...parentTask, kind: "command", progress_percent: 3 }),
        taskResult: () =>
          Effect.yieldNow.pipe(
            Effect.andThen(TestClock.adjust("1 second")),
            Effect.repeat({ until: () => asked.isOpen() }),
            Effect.andThen(Effect.yieldNow),
            Effect.as(result())
          )
      }
      const shown = yield* invoke(["run", "web-1", "uptime"], { orchestrator, stderrIsTerminal: true })
      assert.match(shown.stderr, /^careful\nweb-1: running, \d+ s \(3 % of the time limit\)\r\u001b\[K/)
      assert.strictEqual(shown.stdout, "hello\n")
    })
  )

  it.effect("ends with 126 when denied and with 255 when the host is not known", () =>
    Effect.gen(function* () {
      const refused = yield* invoke(["run", "web-1", "reboot"], { orchestrator: { start: () => Effect.fail(denial) } })
      assert.strictEqual(refused.exitCode, 126)
      assert.include(refused.stderr, "No rule allows it")
      const unknown = yield* invoke(["run", "web-9", "uptime"], {
        orchestrator: { start: ({ alias }) => Effect.fail(new HostNotFound({ alias })) }
      })
      assert.deepStrictEqual([unknown.exitCode, unknown.stderr], [255, "Host alias not found: web-9\n"])
    })
  )

  it.effect("cancels the task when interrupted and says that the remote process is gone", () =>
    Effect.gen(function* () {
      const waiting = yield* Latch.make()
      const cancelled: Array<string> = []
      const outcome = yield* invoke(["run", "web-1", "uptime"], {
        interruptAfter: waiting.await,
        orchestrator: {
          ...runs(result()),
          taskResult: () => Effect.andThen(waiting.open, Effect.never),
          cancel: recordCancel(cancelled)
        }
      })
      assert.deepStrictEqual([outcome.exitCode, cancelled], [130, [TASK]])
      assert.include(outcome.stderr, "web-1: cancelled; the remote process is confirmed stopped\n")
    })
  )

  it.effect("cancels the task when nobody reads stdout any more", () =>
    Effect.gen(function* () {
      const cancelled: Array<string> = []
      const outcome = yield* invoke(["run", "web-1", "uptime"], {
        stdout: () => Sink.fail("EPIPE" as never),
        orchestrator: {
          ...runs(result()),
          taskResult: () => Effect.never,
          cancel: recordCancel(cancelled)
        }
      })
      assert.deepStrictEqual([outcome.exitCode, cancelled], [255, [TASK]])
      assert.include(outcome.stderr, "the remote process is confirmed stopped")
    })
  )
})

describe("run --tag", () => {
  const summary = { total_hosts: 2, successful: 2, failed: 0, cancelled: 0, timeout: 0, denied: 0 }
  const fleet: FleetResult = {
    tag: "web",
    results: [result(), result({ alias: "web-2" })],
    failed_hosts: [],
    not_started: [],
    summary
  }
  const answers = (end: FleetResult, requests: Array<TagRequest> = []): Partial<Service> => ({
    runOnTagToEnd: (request) =>
      Effect.gen(function* () {
        requests.push(request)
        if (request.onOutput !== undefined) {
          yield* request.onOutput("web-1", { stream: "stdout", text: "one\ntw" })
          yield* request.onOutput("web-2", { stream: "stderr", text: "oh\n" })
          yield* request.onOutput("web-1", { stream: "stdout", text: "o\nrest" })
        }
        return end
      }),
    listTasks: () => Effect.succeed({ tasks: [] })
  })

  it.effect("puts the alias before each whole line and keeps the streams apart", () =>
    Effect.gen(function* () {
      const requests: Array<TagRequest> = []
      const args = ["run", "--tag", "web", "uptime", "--concurrency", "2", "--batch", "1,50%", "--max-failures", "10%"]
      const outcome = yield* invoke([...args, "--only", "web-1,web-2", "--timeout", "5"], {
        orchestrator: answers(fleet, requests)
      })
      assert.strictEqual(outcome.exitCode, 0)
      assert.strictEqual(outcome.stdout, "web-1: one\nweb-1: two\nweb-1: rest\n")
      assert.strictEqual(outcome.stderr, "web-2: oh\ntag web: 2 of 2 hosts succeeded\n")
      assert.deepInclude(requests[0], {
        tag: "web",
        command: "uptime",
        concurrency: 2,
        batch: ["1", "50%"],
        maxFailures: "10%",
        only: ["web-1", "web-2"],
        timeoutSeconds: 5,
        client: "cli"
      })
    })
  )

  it.effect("fails and names the hosts when one did not succeed", () =>
    Effect.gen(function* () {
      const end: FleetResult = {
        ...fleet,
        results: [
          result({ status: "failed", exit_code: 4 }),
          { alias: "web-2", denied: true, reason: "policy", hint: HINTS.policy }
        ],
        not_started: ["web-3"],
        summary: { ...summary, total_hosts: 3, successful: 0, failed: 1, denied: 1 }
      }
      const outcome = yield* invoke(["run", "--tag", "web", "uptime"], { orchestrator: answers(end) })
      assert.strictEqual(outcome.exitCode, 1)
      assert.include(outcome.stderr, "web-1: failed with exit code 4\n")
      assert.include(outcome.stderr, `web-2: denied (policy): ${HINTS.policy}\n`)
      assert.include(outcome.stderr, "not started: web-3\n")
      assert.include(outcome.stderr, "tag web: 0 of 3 hosts succeeded, 1 failed, 1 denied, 1 not started\n")
    })
  )

  it.effect("fails when no host matched", () =>
    Effect.gen(function* () {
      const end: FleetResult = { tag: "none", results: [], note: "No hosts matched." }
      const outcome = yield* invoke(["run", "--tag", "none", "uptime", "--json"], { orchestrator: answers(end) })
      assert.strictEqual(outcome.exitCode, 1)
      assert.deepStrictEqual(JSON.parse(outcome.stdout), end)
      assert.include(outcome.stderr, "No hosts matched.")
    })
  )

  it.effect("rewrites one line on a terminal and none elsewhere", () =>
    Effect.gen(function* () {
      const asked = yield* Latch.make()
      const orchestrator: Partial<Service> = {
        runOnTagToEnd: () => Effect.as(Effect.andThen(asked.await, Effect.yieldNow), fleet),
        listTasks: () => Effect.as(asked.open, { tasks: [parentTask] })
      }
      const shown = yield* invoke(["run", "--tag", "web", "uptime"], { orchestrator, stderrIsTerminal: true })
      assert.strictEqual(shown.stderr, "0 s: 0 done, 0 running, 0 waiting\r\u001b[Ktag web: 2 of 2 hosts succeeded\n")
      const hidden = yield* invoke(["run", "--tag", "web", "uptime"], { orchestrator })
      assert.strictEqual(hidden.stderr, "tag web: 2 of 2 hosts succeeded\n")
    })
  )

  it.effect("cancels the fan-out when interrupted and still prints the summary", () =>
    Effect.gen(function* () {
      const waiting = yield* Latch.make()
      const ended = yield* Deferred.make<FleetResult>()
      const cancelled: Array<string> = []
      const end: FleetResult = {
        ...fleet,
        results: [result({ status: "cancelled", exit_code: -1, cancelled: true })],
        summary: { ...summary, total_hosts: 1, successful: 0, cancelled: 1 }
      }
      const outcome = yield* invoke(["run", "--tag", "web", "uptime"], {
        interruptAfter: waiting.await,
        orchestrator: {
          runOnTagToEnd: () => Effect.andThen(waiting.open, Deferred.await(ended)),
          listTasks: () => Effect.succeed({ tasks: [parentTask] }),
          cancel: (id) => Effect.andThen(Deferred.succeed(ended, end), recordCancel(cancelled)(id))
        }
      })
      assert.deepStrictEqual([outcome.exitCode, cancelled], [130, [parentTask.task_id]])
      assert.include(outcome.stderr, "tag web: cancelled; the remote process is confirmed stopped\n")
      assert.include(outcome.stderr, "tag web: 0 of 1 hosts succeeded, 1 cancelled\n")
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { makeConfigFixture } from "../support/ConfigFixture.ts"
import { connectMcpClient } from "../support/McpClient.ts"
import * as Sshd from "../support/Sshd.ts"
import { corpus } from "./Corpus.ts"
import { makeScenario } from "./Scenario.ts"

const SERVERS = `# servers.yml
hosts:
  - {alias: "prod-web-1", host: "10.0.0.11", port: 22, credentials: "prod-admin", tags: ["production","web"], description: "Primary web front-end"}
  - {alias: "lab-sensor-1", host: "192.168.1.140", port: "2222", credentials: "lab-maint", tags: ["lab","longrun"]}
`
const CREDENTIALS = `# credentials.yml
entries:
  - {name: "prod-admin", username: "ubuntu", key_path: "prod/id_ed25519", key_passphrase_secret: "prod_admin_passphrase", password_secret: ""}
  - {name: "lab-maint", username: "maint", key_path: "", key_passphrase_secret: "", password_secret: "lab_maint_password"}
`
const RELEASED_POLICY = `# policy.yml, released rule language
known_hosts_path: "/app/keys/known_hosts"
limits: {max_seconds: 60, max_output_bytes: 1048576, host_key_auto_add: false, require_known_host: true, task_result_ttl: 300, task_progress_interval: 5}
network: {allow_ips: [], allow_cidrs: ["10.0.0.0/8"], block_ips: [], block_cidrs: [], require_known_host: true}
rules:
  - {action: "allow", aliases: ["prod-*"], tags: ["production"], commands: ["uptime*", "df -h*", "systemctl status *"]}
  - {action: "deny",  aliases: ["prod-*"], commands: ["systemctl restart*", "docker *"]}
overrides: {aliases: {prod-web-1: {max_seconds: 30}}, tags: {longrun: {max_seconds: 180, task_result_ttl: 1800}}}
`
const NEWER_POLICY = `# policy.yml, newer rule language
rules:
  - {action: "allow", aliases: ["*"], tags: [], simple_binaries: [uname, uptime, whoami], simple_max_args: 6}
  - {action: "allow", aliases: ["*"], binary: "df", arg_prefix: ["-h"], allow_extra_args: false}
  - {action: "allow", aliases: ["*"], binary: "cat", allow_extra_args: false, path_args: {indices: [1], patterns: ["/etc/os-release","/etc/*release"]}}
`

/** The original's directory with one of its policies, and a server on it. */
const originalDirectory = (policy: string) =>
  Effect.gen(function* () {
    const sshd = yield* Sshd.start()
    const locked = yield* sshd.makeKey("locked", { passphrase: "open sesame" })
    const config = yield* makeConfigFixture({
      hosts: SERVERS,
      credentials: CREDENTIALS,
      policy,
      knownHosts: `10.0.0.11 ${sshd.key.publicKey.split(" ").slice(0, 2).join(" ")}\n`,
      keys: { "prod/id_ed25519": locked.pem },
      secrets: { ".env": "prod_admin_passphrase=open sesame\n", lab_maint_password: "secret\n" }
    })
    const client = yield* connectMcpClient({ environment: config.environment })
    return { client, config }
  })

const decisions = (
  client: Effect.Success<ReturnType<typeof connectMcpClient>>,
  cases: ReadonlyArray<readonly [alias: string, command: string, allowed: boolean]>
) =>
  Effect.forEach(cases, ([alias, command, allowed]) =>
    Effect.map(client.call("ssh_plan", { alias, command }), (plan) =>
      assert.strictEqual(plan.json["allowed"], allowed, `${alias} ${command}: ${plan.text}`)
    )
  )

/** The tools that a broken configuration must refuse, each with the problem in its text. */
const expectUnusable = (client: Effect.Success<ReturnType<typeof connectMcpClient>>, root: string, what: string) =>
  Effect.gen(function* () {
    const ping = yield* client.call("ssh_ping")
    assert.deepInclude(ping.json, { status: "pong", hosts: 0 }, what)
    const problems = ping.json["config_problems"]
    assert.isTrue(Array.isArray(problems) && problems.length > 0, what)
    for (const [tool, args] of [
      ["ssh_list_hosts", {}],
      ["ssh_run", { alias: "web1", command: "true" }],
      ["ssh_run_on_tag", { tag: "web", command: "true" }],
      ["ssh_plan", { alias: "web1", command: "true" }]
    ] as const) {
      const answer = yield* client.call(tool, args)
      assert.isTrue(answer.isError, `${what} ${tool}: ${answer.text}`)
      assert.isTrue(answer.text.startsWith("Error: "), `${what} ${tool}: ${answer.text}`)
      assert.notInclude(answer.text, root, what)
    }
    return String(problems)
  })

describe("existing configuration directories", () => {
  it.live("the original's files with the released rule language load unchanged", () =>
    Effect.gen(function* () {
      const { client } = yield* originalDirectory(RELEASED_POLICY)
      const ping = yield* client.call("ssh_ping")
      assert.strictEqual(ping.json["hosts"], 2, ping.text)
      const hosts = yield* client.call("ssh_list_hosts")
      assert.deepStrictEqual(hosts.json["hosts"], ["prod-web-1", "lab-sensor-1"])
      const web = yield* client.call("ssh_describe_host", { alias: "prod-web-1" })
      assert.deepInclude(web.json, { host: "10.0.0.11", port: 22, has_credentials: true })
      assert.deepInclude(web.json["limits"], { max_seconds: 30, task_result_ttl: 300 })
      assert.deepInclude(web.json["network"], { allowed: true })
      const lab = yield* client.call("ssh_describe_host", { alias: "lab-sensor-1" })
      assert.deepInclude(lab.json, { port: 2222 })
      assert.deepInclude(lab.json["limits"], { max_seconds: 180, task_result_ttl: 1800 })
      assert.deepInclude(lab.json["network"], { allowed: false })
      yield* decisions(client, [
        ["prod-web-1", "uptime", true],
        ["prod-web-1", "uptime -s", true],
        ["prod-web-1", "df -h /var", true],
        ["prod-web-1", "systemctl status nginx", true],
        ["prod-web-1", "systemctl restart nginx", false],
        ["prod-web-1", "docker ps", false],
        ["prod-web-1", "whoami", false],
        ["lab-sensor-1", "uptime", false]
      ])
      const run = yield* client.call("ssh_run", { alias: "lab-sensor-1", command: "uptime" })
      assert.strictEqual(run.json["status"], "denied")
    })
  )

  it.live("the original's files with the newer rule language load unchanged", () =>
    Effect.gen(function* () {
      const { client } = yield* originalDirectory(NEWER_POLICY)
      assert.strictEqual((yield* client.call("ssh_ping")).json["hosts"], 2)
      yield* decisions(client, [
        ["prod-web-1", "uname -a", true],
        ["lab-sensor-1", "whoami", true],
        ["prod-web-1", "uname 1 2 3 4 5 6", true],
        ["prod-web-1", "uname 1 2 3 4 5 6 7", false],
        ["prod-web-1", "/usr/bin/uname", false],
        ["prod-web-1", "df -h", true],
        ["prod-web-1", "df -h /", false],
        ["prod-web-1", "cat /etc/os-release", true],
        ["prod-web-1", "cat /etc/lsb-release", true],
        ["prod-web-1", "cat /etc/shadow", false],
        ["prod-web-1", "cat /etc/os-release /etc/shadow", false],
        ["prod-web-1", "rm -rf /", false]
      ])
    })
  )

  const WRONG: ReadonlyArray<readonly [file: "policy" | "hosts", text: string, right: RegExp]> = [
    ["policy", "network: {allow: [10.0.0.0/8]}\n", /allow_(ips|cidrs)/],
    ["policy", "network: {deny: [10.0.0.0/8]}\n", /block_(ips|cidrs)/],
    ["policy", "network: {allowlist: [10.0.0.0/8]}\n", /allow_(ips|cidrs)/],
    ["policy", "require_known_host: true\n", /limits|network/],
    ["hosts", "entries:\n  - {alias: web1, host: 10.0.0.1}\n", /hosts/],
    ["hosts", "hosts:\n  - {alias: web1, hostname: 10.0.0.1}\n", /host\b/],
    ["hosts", "servers:\n  hosts:\n    - {alias: web1, host: 10.0.0.1}\n", /hosts/]
  ]
  for (const [file, text, right] of WRONG) {
    it.live(`the wrong key in ${JSON.stringify(text)} is an error that names the right one`, () =>
      Effect.gen(function* () {
        const config = yield* makeConfigFixture({
          hosts: [{ alias: "web1", host: "127.0.0.1" }],
          credentials: [],
          policy: {},
          [file]: text
        })
        const client = yield* connectMcpClient({ environment: config.environment })
        const problems = yield* expectUnusable(client, config.root, text)
        assert.match(problems, file === "policy" ? /policy\.yml:\d+:\d+: / : /servers\.yml:\d+:\d+: /)
        assert.match(problems, right)
      })
    )
  }

  it.live("an empty configuration directory answers, with no host and a warning for each file", () =>
    Effect.gen(function* () {
      const config = yield* makeConfigFixture({})
      const client = yield* connectMcpClient({ environment: config.environment })
      const ping = yield* client.call("ssh_ping")
      assert.deepInclude(ping.json, { status: "pong", hosts: 0 })
      for (const file of ["servers.yml", "credentials.yml", "policy.yml"]) assert.include(ping.text, file)
      const run = yield* client.call("ssh_run", { alias: "web1", command: "true" })
      assert.include(run.text, "Host alias not found: web1")
    })
  )

  it.live("a configuration directory that does not exist is told, and the server runs", () =>
    Effect.gen(function* () {
      const config = yield* makeConfigFixture({})
      const client = yield* connectMcpClient({
        environment: { ...config.environment, MCP_SSH_CONFIG_DIR: `${config.root}/nowhere` }
      })
      const ping = yield* client.call("ssh_ping")
      assert.strictEqual(ping.json["hosts"], 0)
      assert.notDeepEqual(ping.json["config_problems"], [])
      assert.notInclude(ping.text, config.root)
    })
  )

  it.live("a policy without a rule denies everything", () =>
    Effect.gen(function* () {
      const { client, config, sshd } = yield* makeScenario()
      yield* config.writePolicy("")
      assert.isFalse((yield* client.call("ssh_reload_config")).isError)
      const run = yield* client.call("ssh_run", { alias: "web1", command: "true" })
      assert.deepInclude(run.json, { status: "denied", reason: "policy" })
      assert.notInclude(yield* sshd.log, "Connection from")
    })
  )
})

describe("corpus of bad inputs: configuration", () => {
  for (const line of corpus("config.servers")) {
    it.live(`${line.id}: ${line.why}`, () =>
      Effect.gen(function* () {
        const { client, config, sshd } = yield* makeScenario()
        yield* config.writeHosts(`${String(line.input).replaceAll("10.0.0.5", "127.0.0.1")}\n`)
        const reload = yield* client.call("ssh_reload_config")
        assert.isTrue(reload.isError, reload.text)
        assert.strictEqual(reload.json["status"], "error")
        assert.match(String(reload.json["problems"]), /servers\.yml:\d+:\d+: /)
        assert.notInclude(yield* sshd.log, "Connection from")
      })
    )
  }

  for (const line of corpus("path.key")) {
    it.live(`${line.id}: ${line.why}`, () =>
      Effect.gen(function* () {
        const { client, config, sshd } = yield* makeScenario()
        if (line.input === "link_key") fs.symlinkSync(sshd.key.path, `${config.keysDir}/link_key`)
        if (line.input === "weak") {
          execFileSync("ssh-keygen", ["-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", `${config.keysDir}/weak`])
        }
        yield* config.writeCredentials([{ name: "key", username: sshd.user, key_path: line.input }])
        const reload = yield* client.call("ssh_reload_config")
        if (line.expect.startsWith("accept")) {
          assert.isFalse(reload.isError, reload.text)
          return
        }
        const run = yield* client.call("ssh_run", { alias: "web1", command: "true" })
        assert.isTrue(reload.isError || run.isError, run.text)
        const ping = yield* client.call("ssh_ping")
        const texts = `${reload.text}${reload.isError ? "" : run.text}${ping.text}`
        assert.notInclude(texts, "/root/.ssh")
        assert.notInclude(texts, config.root)
        if (!reload.isError) assert.notDeepEqual(ping.json["config_problems"], [])
        if (!reload.isError) assert.notInclude(yield* sshd.log, "Connection from")
      })
    )
  }

  for (const line of corpus("path.secret")) {
    it.live(`${line.id}: ${line.why}`, () =>
      Effect.gen(function* () {
        const { client, config, sshd } = yield* makeScenario()
        if (line.input === "link") fs.symlinkSync("/etc/passwd", `${config.secretsDir}/link`)
        if (line.input === "fifo") execFileSync("mkfifo", [`${config.secretsDir}/fifo`])
        if (line.input === "big") fs.writeFileSync(`${config.secretsDir}/big`, "x".repeat(1024 * 1024))
        yield* config.writeCredentials([{ name: "key", username: sshd.user, password_secret: line.input }])
        const reload = yield* client.call("ssh_reload_config")
        const ping = yield* client.call("ssh_ping")
        if (!reload.isError) {
          const run = yield* client.call("ssh_run", { alias: "web1", command: "true" })
          assert.isTrue(run.isError, "the host is disabled")
          assert.isTrue(run.text.startsWith("Error: "), run.text)
          assert.notDeepEqual(ping.json["config_problems"], [])
          assert.notInclude(run.text, "root:x:")
        }
        assert.notInclude(`${reload.text}${ping.text}`, config.root)
        assert.notInclude(yield* sshd.log, "Connection from")
      })
    )
  }

  it.live("network: addresses that hide another one are denied", () =>
    Effect.gen(function* () {
      const literal = corpus("network").filter((line) => ["network-004", "network-005"].includes(line.id))
      assert.strictEqual(literal.length, 2)
      const { client } = yield* makeScenario({
        network: { block_cidrs: ["169.254.0.0/16"] },
        hosts: [
          ...literal.map((line) => ({ alias: line.id, host: String(line.input) })),
          { alias: "mapped", host: "::ffff:169.254.169.254" },
          { alias: "plain", host: "169.254.169.254" }
        ]
      })
      for (const alias of ["network-004", "network-005", "mapped", "plain"]) {
        const run = yield* client.call("ssh_run", { alias, command: "true" })
        assert.deepInclude(
          run.json,
          { status: "denied", reason: "network", detail: "No resolved IPs allowed by policy.network" },
          alias
        )
      }
    })
  )

  it.live("network-006: a zone id is not an address that could slip through", () =>
    Effect.gen(function* () {
      const { client, config } = yield* makeScenario()
      yield* config.writeHosts([{ alias: "web1", host: "fe80::1%eth0", credentials: "key" }])
      const reload = yield* client.call("ssh_reload_config")
      if (!reload.isError) {
        const run = yield* client.call("ssh_run", { alias: "web1", command: "true" })
        assert.deepInclude(run.json, { status: "denied", reason: "network" })
      }
    })
  )

  it.live("network-012: a trailing dot changes nothing about what is blocked", () =>
    Effect.gen(function* () {
      const { client, sshd } = yield* makeScenario({
        network: { block_cidrs: ["127.0.0.0/8"], block_ips: ["::1"] },
        hosts: [
          { alias: "name", host: "localhost" },
          { alias: "dotted", host: "localhost." }
        ]
      })
      for (const alias of ["name", "dotted"]) {
        const run = yield* client.call("ssh_run", { alias, command: "true" })
        assert.deepInclude(run.json, { status: "denied", reason: "network" }, alias)
      }
      assert.notInclude(yield* sshd.log, "Connection from")
    })
  )

  it.live("network-013: a punycode name is shown as it is", () =>
    Effect.gen(function* () {
      const { client } = yield* makeScenario({ hosts: [{ alias: "idn", host: "xn--e1afmkfd.invalid" }] })
      const host = yield* client.call("ssh_describe_host", { alias: "idn" })
      assert.strictEqual(host.json["host"], "xn--e1afmkfd.invalid")
    })
  )

  it.live("a name is resolved and the checked address is dialled", () =>
    Effect.gen(function* () {
      const { client, sshd, config } = yield* makeScenario({ hosts: [{ alias: "name", host: "localhost" }] })
      yield* config.writeKnownHosts(`${yield* sshd.knownHosts}\n`)
      const plan = yield* client.call("ssh_plan", { alias: "name", command: "true" })
      assert.deepInclude(plan.json["network"], { allowed: true })
      const run = yield* client.call("ssh_run", { alias: "name", command: "true" })
      assert.strictEqual(run.json["exit_code"], 0, run.text)
      assert.strictEqual(run.json["target_ip"], "127.0.0.1")
    })
  )
})

describe("secrets", () => {
  it.live("the process environment is no store of secrets but for MCP_SSH_SECRET_ and SSH_ names", () =>
    Effect.gen(function* () {
      const { client, config, sshd } = yield* makeScenario({
        environment: { PATHLIKE: "leak-1", MCP_SSH_SECRET_GOOD: "x" }
      })
      yield* config.writeCredentials([{ name: "key", username: sshd.user, password_secret: "PATHLIKE" }])
      yield* client.call("ssh_reload_config")
      const bad = yield* client.call("ssh_run", { alias: "web1", command: "true" })
      assert.isTrue(bad.text.startsWith("Error: "), bad.text)
      assert.notInclude(bad.text, "leak-1")
      yield* config.writeCredentials([{ name: "key", username: sshd.user, password_secret: "good" }])
      yield* client.call("ssh_reload_config")
      const good = yield* client.call("ssh_run", { alias: "web1", command: "true" })
      assert.match(String(good.json["status_message"]), /^SSH authentication failed/)
    })
  )
})

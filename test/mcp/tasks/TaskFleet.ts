import { Effect, Layer } from "effect"
import { openExchange } from "../Exchange.ts"
import { openFleet } from "../resources/SpeakingHosts.ts"

/** Three hosts of a tag and a policy that lets `uptime` run, for 40 s at most; results are kept 30 s. */
export const FILES = {
  "config/servers.yml": `hosts:
  - { alias: web-1, host: 10.0.0.11, credentials: admin, tags: [web] }
  - { alias: web-2, host: 10.0.0.12, credentials: admin, tags: [web] }
  - { alias: web-3, host: 10.0.0.13, credentials: admin, tags: [web] }
`,
  "config/credentials.yml": `entries:
  - { name: admin, username: deployer, password_secret: admin_password }
`,
  "config/policy.yml": `version: 3
limits: { max_seconds: 40, task_result_ttl: 30 }
network: { allow_cidrs: ["10.0.0.0/24"] }
rules:
  - { id: look, action: allow, commands: ["uptime"] }
`,
  "keys/known_hosts": "10.0.0.11 ssh-ed25519 AAAA\n",
  "secrets/admin_password": "hunter2"
}

/** A session with the whole server on simulated hosts, on which every command prints and ends as the test says. */
export const openTaskFleet = Effect.gen(function* () {
  const { context, hosts } = yield* openFleet(FILES)
  const exchange = yield* openExchange(Layer.succeedContext(context))
  return { ...exchange, hosts }
})

/** The params of a call of `ssh_run`. */
export const RUN = { name: "ssh_run", arguments: { alias: "web-1", command: "uptime" } }

/** The params of a call of `ssh_run_on_tag`. */
export const RUN_ON_TAG = { name: "ssh_run_on_tag", arguments: { tag: "web", command: "uptime" } }

/** An unknown task's id, of the right shape. */
export const UNKNOWN_ID = `web-1:0123456789abcdef:${"0".repeat(26)}`

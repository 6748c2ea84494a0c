import { readFileSync } from "node:fs"
import { Effect } from "effect"
import { policyFromYaml, rehearse, replayToken } from "../../../src/simulation/index.ts"

const policy = Effect.runSync(policyFromYaml(readFileSync("policy.yml", "utf8")))

const { commands, outcome } = rehearse({
  seed: 7,
  policy,
  hosts: Array.from({ length: 1_000 }, (_, n) =>
    n % 4 === 0 ? { alias: `db-${n}`, tags: ["production", "db"] } : { alias: `web-${n}`, tags: ["production", "web"] }
  ),
  commands: [
    { tag: "production", command: "uptime" },
    { tag: "production", command: "systemctl restart nginx" },
    { tag: "db", command: "df -h / | sort -k 5" },
    { tag: "web", command: "systemctl stop nginx" }
  ],
  faults: "low"
})

for (const { command, completed, denied, failed, seconds } of commands) {
  const counts = `${completed} completed, ${failed} failed, ${denied} denied`
  process.stdout.write(`${command}: ${counts}, ${seconds.toFixed(1)} s\n`)
}
for (const { detail, invariant } of outcome.violations) {
  process.stdout.write(`${invariant}: ${detail}\n${replayToken(outcome.scenario)}\n`)
}

import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, FileSystem } from "effect"
import { execFile, execFileSync } from "node:child_process"
import { lookupName, matchesHosts, parseKnownHosts } from "../../../src/ssh/KnownHosts.ts"

/** The line numbers that `ssh-keygen -F` finds. */
const found = (file: string, name: string) =>
  Effect.callback<ReadonlyArray<number>>((resume) => {
    execFile("ssh-keygen", ["-F", name, "-f", file], (_error, stdout) => {
      resume(Effect.succeed([...stdout.matchAll(/found: line ([0-9]+)/g)].map((match) => Number(match[1]))))
    })
  })

const HOSTS = ["web", "web1", "db.example.org", "a.b.example.org", "example.org", "192.0.2.1", "2001:db8::1", "x"]
const PORTS = [22, 2222, 65535]
const PATTERNS = [
  "*",
  "web*",
  "*.example.org",
  "?",
  "web?",
  "!db.example.org,*.example.org",
  "192.0.2.*",
  "[web]:2222,db.example.org",
  "*,!web",
  "[*.example.org]:*",
  "WEB,x"
]

describe("looking a host up", () => {
  it.live("finds the lines that ssh-keygen -F finds", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "known-hosts-" })
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${directory}/key`])
      const key = (yield* fs.readFileString(`${directory}/key.pub`)).trim().split(" ").slice(0, 2).join(" ")
      const names = HOSTS.flatMap((host) => PORTS.map((port) => lookupName(host, port)))
      yield* fs.writeFileString(`${directory}/hashed`, names.map((name) => `${name} ${key}\n`).join(""))
      execFileSync("ssh-keygen", ["-q", "-H", "-f", `${directory}/hashed`], { stdio: "ignore" })
      const hashed = yield* fs.readFileString(`${directory}/hashed`)
      const text = `# comment\n\n${PATTERNS.map((pattern) => `${pattern} ${key}\n`).join("")}@revoked web1 ${key}\n${hashed}`
      yield* fs.writeFileString(`${directory}/file`, text)
      const known = parseKnownHosts(text)
      yield* Effect.forEach(
        names,
        (name) =>
          Effect.gen(function* () {
            const expected = yield* found(`${directory}/file`, name)
            const ours = known.filter((line) => matchesHosts(line.hosts, name)).map((line) => line.line)
            assert.deepStrictEqual(ours, [...expected], name)
          }),
        { concurrency: 4 }
      )
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { writeFileSync } from "node:fs"
import * as Sshd from "../../support/Sshd.ts"

/** Runs the `ssh` binary against the server and gives what it printed. */
const ssh = (sshd: Sshd.Sshd, knownHosts: string, command: string) =>
  Effect.callback<string>((resume) => {
    execFile(
      "ssh",
      [
        "-F",
        "none",
        "-i",
        sshd.privateKeyPath,
        "-o",
        `UserKnownHostsFile=${knownHosts}`,
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "BatchMode=yes",
        "-p",
        String(sshd.port),
        `${sshd.user}@${sshd.address}`,
        command
      ],
      (error, stdout, stderr) => resume(Effect.succeed(error === null ? stdout : `failed: ${stderr}`))
    )
  })

describe("the sshd fixture", () => {
  it.live("accepts its key, shows the processes of its sessions, and changes its identity on request", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const file = `${sshd.directory}/known_hosts`
      writeFileSync(file, `${yield* sshd.knownHosts}\n`)
      assert.strictEqual(yield* ssh(sshd, file, "echo hello"), "hello\n")
      yield* ssh(sshd, file, "setsid sleep 600 >/dev/null 2>&1 </dev/null &")
      assert.deepStrictEqual(
        (yield* sshd.processes).map((process) => process.command),
        ["sleep 600"]
      )
      yield* sshd.restart({ newHostKeys: true })
      assert.include(yield* ssh(sshd, file, "echo hello"), "HOST IDENTIFICATION HAS CHANGED")
      yield* sshd.kill
      assert.include(yield* ssh(sshd, file, "echo hello"), "Connection refused")
    })
  )
})

import { execFileSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { runCli } from "../support/CliProcess.ts"
import { makeConfigFixture } from "../support/ConfigFixture.ts"
import * as Sshd from "../support/Sshd.ts"

describe("init --from-ssh-config", () => {
  it.live("makes a directory from ~/.ssh/config with which doctor reaches a host behind a jump host", () =>
    Effect.gen(function* () {
      const gate = yield* Sshd.start()
      const inner = yield* Sshd.start()
      const { environment, root } = yield* makeConfigFixture({})
      const home = environment["HOME"] ?? ""
      const config = join(root, "fleet")
      const fleet = { HOME: home, MCP_SSH_CONFIG_DIR: config }
      mkdirSync(join(home, ".ssh/conf.d"), { recursive: true, mode: 0o700 })
      writeFileSync(join(home, ".ssh/id_inner"), inner.key.pem, { mode: 0o600 })
      writeFileSync(join(home, ".ssh/id_gate"), gate.key.pem, { mode: 0o600 })
      writeFileSync(join(home, ".ssh/known_hosts"), `${yield* gate.knownHosts}\n${yield* inner.knownHosts}\n`)
      writeFileSync(
        join(home, ".ssh/conf.d/gate.conf"),
        `Host gate\n HostName ${gate.address}\n Port ${gate.port}\n IdentityFile ~/.ssh/id_gate\n`
      )
      writeFileSync(
        join(home, ".ssh/config"),
        [
          "Include conf.d/*.conf",
          "Host app",
          `  HostName ${inner.address}`,
          `  Port ${inner.port}`,
          "  ProxyJump gate",
          "Host *",
          "  IdentityFile %d/.ssh/id_inner",
          "  ServerAliveInterval 10",
          ""
        ].join("\n")
      )

      const dry = yield* runCli(["init", "--from-ssh-config", "--dry-run"], fleet)
      assert.strictEqual(dry.code, 0, dry.stderr)
      assert.notInclude(readdirSync(root), "fleet")
      const outcome = yield* runCli(["init", "--from-ssh-config"], fleet)
      assert.strictEqual(outcome.code, 0, outcome.stderr)
      assert.include(outcome.stdout, "2 hosts with 2 logins carried over")
      assert.include(outcome.stdout, "of no use here: ServerAliveInterval")
      assert.notInclude(readdirSync(join(config, "keys")), "id_inner", "private keys are not copied")

      // What a person does who reads the list.
      const copies = outcome.stdout.split("\n").filter((line) => line.startsWith("  install "))
      assert.strictEqual(copies.length, 2, outcome.stdout)
      for (const line of copies) execFileSync("sh", ["-c", line])
      const checked = yield* runCli(["check"], fleet)
      assert.strictEqual(checked.code, 0, checked.stdout)

      const doctor = yield* runCli(["doctor"], fleet)
      assert.strictEqual(doctor.code, 0, doctor.stdout + doctor.stderr)
      assert.include(doctor.stdout, "(gate)")
      const denied = yield* runCli(["run", "app", "uptime"], fleet)
      assert.strictEqual(denied.code, 126, "the starter policy denies everything")

      const again = yield* runCli(["init", "--from-ssh-config"], fleet)
      assert.strictEqual(again.code, 1)
      assert.include(again.stderr, "Nothing was written")
      assert.include(readFileSync(join(config, "servers.yml"), "utf8"), "jump: [gate]")
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { judgeKeys, planTrust, showKeys } from "../../src/cli/TrustReport.ts"
import { fingerprint } from "../../src/ssh/trust/Fingerprint.ts"
import { type HostIdentity, KnownHosts, verifyHostKey } from "../../src/ssh/trust/KnownHosts.ts"
import { appendKeys } from "../../src/ssh/trust/KnownHostsEdit.ts"
import { hashedName, publicKey, stored } from "../ssh/trust/PublicKeys.ts"
import { invoke } from "./CliHarness.ts"

const ED = publicKey("ssh-ed25519", "one")
const ED2 = publicKey("ssh-ed25519", "two")
const RSA = publicKey("ssh-rsa", "one")
const WEB: HostIdentity = { hostname: "Web", address: "192.0.2.1", port: 22 }

/** What would be done with a host that presents an ed25519 and an RSA key: the types to add, or how often it refuses. */
const plan = (text: string, fingerprints: ReadonlyArray<string> = [], host = WEB) => {
  const planned = planTrust("F", judgeKeys(new KnownHosts(text), host, [ED, RSA]), fingerprints)
  switch (planned._tag) {
    case "Add":
      return planned.keys.map(({ key }) => (key === ED ? "ed" : "rsa")).join(" ")
    case "Nothing":
      return "nothing"
    case "Refuse":
      return `refuse: ${planned.reasons.join("; ")}`
  }
}

describe("what trust does", () => {
  it("adds what is new, once, and stops at a changed or revoked key", () => {
    const rows: ReadonlyArray<readonly [text: string, fingerprints: ReadonlyArray<string>, expected: string | RegExp]> =
      [
        ["", [], "ed rsa"],
        [`web ${stored(ED)}`, [], "rsa"],
        [`web ${stored(ED)}\nweb ${stored(RSA)}`, [], "nothing"],
        [`192.0.2.1 ${stored(ED)}`, [], "rsa"],
        [`web ${stored(ED2)}`, [], /^refuse: .* line 1 of F/],
        [`192.0.2.1 ${stored(ED2)}`, [], /^refuse: .* line 1 of F/],
        [`db,192.0.2.1 ${stored(ED2)}`, [], "ed rsa"],
        [`\n@revoked * ${stored(RSA)}`, [], /^refuse: .* revoked by line 2 of F/],
        [`@cert-authority * ${stored(ED)}`, [], "ed rsa"],
        ["", [fingerprint(RSA)], "rsa"],
        ["", [fingerprint(RSA), fingerprint(ED2)], "rsa"],
        ["", [fingerprint(ED2)], /^refuse: No key of the host/],
        [`web ${stored(ED)}`, [fingerprint(ED)], "nothing"],
        [`web ${stored(ED2)}`, [fingerprint(RSA)], "rsa"],
        [`web ${stored(ED2)}`, [fingerprint(ED)], /^refuse: .* line 1 of F/],
        [`@revoked * ${stored(ED)}`, [fingerprint(ED)], /^refuse: .* line 1 of F/]
      ]
    for (const [text, fingerprints, expected] of rows) {
      const found = plan(text, fingerprints)
      if (typeof expected === "string") assert.strictEqual(found, expected, text)
      else assert.match(found, expected, text)
    }
    assert.match(JSON.stringify(planTrust("F", [], [])), /no key of a type/)
  })

  it("shows what is stored for the host and is not there any more", () => {
    const text = `web ${stored(publicKey("ecdsa-sha2-nistp256", "x"))}\nweb ${stored(ED)}\nweb ${stored(RSA)}`
    const known = new KnownHosts(text)
    const shown = showKeys(known, WEB, judgeKeys(known, WEB, [ED, publicKey("ssh-rsa", "two")])).join("\n")
    assert.match(shown, /ssh-ed25519 +SHA256:\S+ +known \(line 2\)/)
    assert.match(shown, /ssh-rsa +SHA256:\S+ +CHANGED \(line 3 has ssh-rsa SHA256:/)
    assert.match(shown, /Line 1 of known_hosts has ecdsa-sha2-nistp256 SHA256:/)
  })

  it("appends lines that trust the host from then on, and leaves what was there", () => {
    const keys = [ED, RSA].map((key) => ({ key, salt: Buffer.alloc(20, 7) }))
    for (const before of ["", "x", "x\n", `${hashedName("db")} ${stored(ED2)}`, `# \u00ff\r\ndb ${stored(ED2)}\n\n`]) {
      for (const host of [WEB, { ...WEB, port: 2222 }, { hostname: "2001:DB8::1", address: undefined, port: 22 }]) {
        const after = appendKeys(before, host, keys)
        assert.isTrue(after.startsWith(before))
        assert.strictEqual(after.includes("|1|BwcHBwcHBwcHBwcHBwcHBwcHBwc=|"), before.startsWith("|1|"))
        const known = new KnownHosts(after)
        for (const key of [ED, RSA]) assert.strictEqual(verifyHostKey(known, host, key)._tag, "Trusted")
      }
    }
  })
})

describe("trust", () => {
  const files = {
    "servers.yml": "hosts:\n  - {alias: web, host: 192.0.2.1, credentials: c}\n",
    "credentials.yml": "entries:\n  - {name: c, username: u, password: p}\n",
    "policy.yml": "network: {block_cidrs: [192.0.2.0/24]}\n"
  }

  it.effect("is wrong usage without a host or with what is no fingerprint, and explains itself", () =>
    Effect.gen(function* () {
      for (const args of [["trust"], ["trust", "web", "--fingerprint", "MD5:00:11"], ["trust", "web", "--yes"]]) {
        assert.strictEqual((yield* invoke(args, { files })).exitCode, 2, args.join(" "))
      }
      const help = yield* invoke(["trust", "--help"])
      assert.strictEqual(help.exitCode, 0)
      assert.include(help.stdout, "mcp-ssh-orchestrator trust web-1 --fingerprint SHA256:")
    })
  )

  it.effect("fails for a host that is not there, and for one that the network policy blocks", () =>
    Effect.gen(function* () {
      const missing = yield* invoke(["trust", "nosuch"], { files })
      assert.deepInclude(missing, { exitCode: 1, stderr: "Host alias not found: nosuch\n" })
      const blocked = yield* invoke(["trust", "web"], { files })
      assert.strictEqual(blocked.exitCode, 1)
      assert.include(blocked.stderr, "Denied (network)")
      const broken = yield* invoke(["trust", "web"], { files: { ...files, "servers.yml": "hosts: 3\n" } })
      assert.strictEqual(broken.exitCode, 1)
      assert.include(broken.stderr, "servers.yml:1")
    })
  )
})

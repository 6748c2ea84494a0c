import { assert, describe, it } from "@effect/vitest"
import { decide } from "../../src/policy/Policy.ts"
import { policyOf } from "./corpus.ts"
import { allowing, check, HOST } from "./Decisions.ts"

describe("a command inside a wrapper", () => {
  it("asks about the command inside a wrapper too", () => {
    const policy = policyOf({
      limits: { deny_substrings: [] },
      rules: [
        {
          action: "allow",
          commands: [
            "timeout *",
            "env *",
            "sudo *",
            "nice *",
            "sh *",
            "bash *",
            "eval *",
            "busybox *",
            "find *",
            "xargs *",
            "command *",
            "uptime*",
            "ls *"
          ]
        },
        {
          action: "allow",
          commands: ["sudo systemctl restart nginx", "sudo journalctl -u nginx *", "sh -c 'a; b'", "xargs -0 rm"]
        },
        { action: "deny", commands: ["rm*"] }
      ]
    })
    check(policy, {
      allowed: [
        "timeout 5 uptime",
        "timeout -k 1 --signal=KILL 5 uptime -p",
        "env LC_ALL=C TZ=UTC ls /x",
        "sudo -n -u app ls /x",
        "sudo timeout 5 nice -n 5 uptime",
        "nice -10 uptime",
        "sh -c uptime",
        "bash -c 'ls \"/x y\"'",
        "eval ls /x",
        "busybox ls /x",
        "find /x -name y",
        "command -v anything",
        "sudo systemctl restart nginx",
        "sudo journalctl -u nginx -n 5",
        "sh -c 'a; b'",
        "sh -c 'uptime; ls /x'",
        "find . -exec ls {} ';'",
        "ls /x | xargs ls"
      ],
      "no-rule": [
        "sh -c 'ls $(x)'",
        "timeout 5 reboot",
        "env reboot",
        "sudo systemctl restart mysql",
        "sh -c reboot",
        "eval reboot",
        "nice reboot"
      ],
      "rule-deny": [
        "sudo rm x",
        "timeout 5 /bin/rm x",
        "sh -c 'rm x'",
        "xargs rm",
        "find . -exec rm {} ';'",
        "xargs -0 rm",
        "busybox rm x"
      ],
      "wrapper-option": [
        "timeout --kil=1 5 uptime",
        "env -S uptime",
        "sudo -e x",
        "sudo A=b ls /x",
        "sh x.sh",
        "sh -s",
        "bash -lc uptime",
        "bash --rcfile x -c uptime",
        "ls /x | xargs env"
      ],
      "env-assignment": ["env LD_PRELOAD=/x ls /y", "env PATH=/x ls /y", "env LC_MCP_RUN=x ls /y"]
    })
  })

  it("refuses shell text that it could not bring to its canonical form, and that shells read in different ways", () => {
    // To dash, `&` ends the first command.
    const text = "uptime &>/dev/null reboot"
    const policy = allowing(["sh *", "eval *", "timeout *", "find *", "uptime*"])
    check(policy, {
      allowed: [`sh -c '${text}'`, `timeout 5 sh -c ' ${text} \n'`],
      parse: [
        `sh -c '${text} #\\\n'`,
        `sh -c '${text}\\\n'`,
        `eval '${text} #\\\n'`,
        `timeout 5 sh -c '${text} #\\\n'`,
        `sh -c "sh -c '${text} #\\\\\n'"`,
        `find /x -exec sh -c '${text} #\\\n' ';'`
      ]
    })
  })

  it("sends shell text inside a wrapper in its canonical form", () => {
    const decision = decide(allowing(["sh *", "sudo *", "ls *"]), HOST, "sudo sh -c 'ls  \"/x y\"  # note'")
    assert.strictEqual(decision._tag, "Allowed")
    if (decision._tag === "Denied") return
    assert.strictEqual(decision.command.canonical, "sudo sh -c 'ls '\\''/x y'\\'''")
    assert.deepStrictEqual(
      decision.parts.map((part) => part.argv[0]),
      ["sudo", "sh", "ls"]
    )
  })
})

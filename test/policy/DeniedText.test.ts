import { describe, it } from "@effect/vitest"
import { policyOf } from "./corpus.ts"
import { allowing, check } from "./Decisions.ts"

describe("denied texts", () => {
  it("matches the built-in denials on parsed commands, unless a rule names the program", () => {
    const open = allowing(["*", "kubectl get *", "rm *", "sudo *"], {})
    check(open, {
      allowed: [
        "journalctl -u ssh -n 5",
        "echo 'rm -rf /'",
        "kubectl get pods",
        "rm -rf /tmp/x",
        "rm x",
        "ls /bin/nc",
        "rsync -a x y"
      ],
      "deny-substring": [
        "rm -rf /",
        "rm -r -f /",
        "rm -fr //",
        "rm --recursive --force '/*'",
        "rm --rec --fo /.",
        "rm -Rf '/*'",
        "sudo rm -rf /",
        "mkfs.ext4 /dev/sda",
        "mkfs x",
        "dd if=/dev/zero of=x",
        "dd of=x if=//dev/zero",
        "shutdown -h now",
        "reboot",
        "sudo reboot",
        "timeout 5 reboot",
        "userdel x",
        "passwd x",
        "ssh x",
        "scp x y",
        "rsync -e ssh x y",
        "rsync -ae 'ssh -p 2' x y",
        "rsync --rsh=ssh x y",
        "curl http://x",
        "wget x",
        "nc x",
        "nmap x",
        "telnet x",
        "aws x",
        "gcloud x",
        "az x"
      ]
    })
  })

  it("searches configured denied texts in every form of the command", () => {
    const policy = allowing(["*"], { deny_substrings: ["/etc/shadow", "rm  x", "a b"] })
    check(policy, {
      allowed: ["uptime", "curl http://x", "reboot", "rm -x"],
      "deny-substring": [
        "cat /etc/shadow",
        "cat /etc/sha''dow",
        "cat $'/etc/shado\\x77'",
        "rm  x",
        "echo a   b",
        "echo 'a b'"
      ]
    })
  })

  it("adds a rule's own denied texts to the commands that it allows", () => {
    const policy = policyOf({
      limits: { deny_substrings: [] },
      rules: [{ action: "allow", commands: ["echo *"], limits: { deny_substrings: ["secret"] } }]
    })
    check(policy, { allowed: ["echo x"], "deny-substring": ["echo secret"] })
  })
})

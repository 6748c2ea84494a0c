import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { DEFAULT_LIMITS } from "../../src/policy/Limits.ts"
import { type CompiledPolicy, decide, denyAll, type HostFacts, limitsFor } from "../../src/policy/Policy.ts"
import { policyOf } from "./corpus.ts"

const HOST: HostFacts = { alias: "web-1", tags: ["production", "web"] }

const codeOf = (policy: CompiledPolicy, command: string, host = HOST): string => {
  const decision = decide(policy, host, command)
  return decision._tag === "Allowed" ? "allowed" : decision.code
}

const allowing = (commands: ReadonlyArray<string>, limits: object = { deny_substrings: [] }): CompiledPolicy =>
  policyOf({ limits, rules: [{ action: "allow", commands }] })

const check = (policy: CompiledPolicy, expected: Readonly<Record<string, ReadonlyArray<string>>>): void => {
  for (const [code, commands] of Object.entries(expected)) {
    for (const command of commands) assert.strictEqual(codeOf(policy, command), code, command)
  }
}

describe("decide", () => {
  it("denies everything without rules", () => {
    check(denyAll, { "no-rule": ["uptime", "ls -l", "a | b", "x=1", "exit 0", "for i in 1; do break; done"] })
  })

  it("shows the rule, the pattern, the words and the text that runs", () => {
    const policy = policyOf({
      rules: [
        { id: "base", action: "allow", commands: ["df *"] },
        { action: "allow", commands: ["df -h *"], limits: { max_seconds: 5 } }
      ]
    })
    const decision = decide(policy, HOST, " 'df'  -h /srv")
    assert.strictEqual(decision._tag, "Allowed")
    if (decision._tag === "Denied") return
    assert.strictEqual(decision.rule, "rules[1]")
    assert.strictEqual(decision.command.requested, "'df'  -h /srv")
    assert.strictEqual(decision.command.canonical, "df -h /srv")
    assert.deepStrictEqual(decision.parts, [
      { text: "df -h /srv", argv: ["df", "-h", "/srv"], allowed: true, rule: "rules[1]", pattern: "df -h *" }
    ])
    assert.strictEqual(decision.limits.max_seconds, 5)
  })

  it("explains a denial with the closest rules of this host, never those of another or a deny rule", () => {
    const policy = policyOf({
      rules: [
        { action: "allow", commands: ["systemctl status *", "systemctl restart nginx", "journalctl *"] },
        { action: "allow", aliases: ["db-*"], commands: ["systemctl restart *"] },
        { action: "deny", commands: ["systemctl restart secret*"] },
        { action: "allow", commands: ["systemctl show *", "systemctl cat *"] }
      ]
    })
    const decision = decide(policy, HOST, "systemctl restart redis")
    assert.strictEqual(decision._tag, "Denied")
    if (decision._tag === "Allowed") return
    assert.strictEqual(decision.why, "Policy blocked this command.")
    assert.strictEqual(decision.detail, 'No rule on this host allows this use of "systemctl".')
    assert.strictEqual(decision.deniedCommand, "systemctl restart redis")
    assert.strictEqual(decision.normalized, "systemctl restart redis")
    assert.strictEqual(decision.nearest.length, 3)
    assert.deepStrictEqual(decision.nearest[0], { rule: "rules[0]", pattern: "systemctl restart nginx" })
    assert.isFalse(decision.nearest.some((each) => each.rule === "rules[1]" || each.rule === "rules[2]"))
    const typo = decide(policy, HOST, "systemclt status x")
    assert.strictEqual(typo._tag === "Denied" && typo.nearest[0]?.rule, "rules[0]")
  })

  it("lets deny win whatever the order, and names both rules", () => {
    for (const rules of [
      [
        { action: "allow", commands: ["systemctl *"] },
        { action: "deny", commands: ["systemctl stop*"] }
      ],
      [{ commands: ["systemctl stop*"] }, { action: "allow", commands: ["systemctl *"] }]
    ]) {
      const decision = decide(policyOf({ rules }), HOST, "systemctl stop nginx")
      assert.strictEqual(decision._tag, "Denied")
      if (decision._tag === "Allowed") continue
      assert.strictEqual(decision.code, "rule-deny")
      assert.include(decision.detail, "rules[0]")
      assert.include(decision.detail, "rules[1]")
    }
  })

  it("applies a rule by alias and by any one tag", () => {
    const policy = policyOf({
      rules: [
        { action: "allow", aliases: ["web-*"], commands: ["a"] },
        { action: "allow", tags: ["db", "prod*"], commands: ["b"] },
        { action: "allow", aliases: ["web-*"], tags: ["db"], commands: ["c"] },
        { action: "allow", aliases: [], tags: [], commands: ["d"] }
      ]
    })
    check(policy, { allowed: ["a", "b", "d"], "no-rule": ["c"] })
    assert.strictEqual(codeOf(policy, "a", { alias: "db-1", tags: [] }), "no-rule")
    assert.strictEqual(codeOf(policy, "b", { alias: "db-1", tags: [] }), "no-rule")
  })

  it("decides the newer language by exact words", () => {
    const policy = policyOf({
      limits: { deny_substrings: [] },
      rules: [
        { action: "allow", simple_binaries: ["uname", "uptime"], simple_max_args: 2 },
        { action: "allow", simple_binaries: ["who"] },
        { action: "allow", binary: "df", arg_prefix: ["-h"], allow_extra_args: false },
        { action: "allow", binary: "systemctl", arg_prefix: ["status"] },
        {
          action: "allow",
          binary: "cat",
          allow_extra_args: false,
          path_args: { indices: [1], patterns: ["/etc/os-release", "/etc/*release"] }
        },
        {
          action: "allow",
          binary: "tail",
          arg_prefix: ["-n", "5"],
          allow_extra_args: false,
          path_args: { indices: [3], patterns: ["/var/log/*"] }
        },
        { action: "allow", binary: "alone" },
        { action: "deny", binary: "systemctl", arg_prefix: ["stop"] },
        { action: "deny", simple_binaries: ["rm"] }
      ]
    })
    check(policy, {
      allowed: [
        "uname",
        "uname -a",
        "uptime a b",
        "who a b c d",
        "df -h",
        "systemctl status",
        "systemctl status x -l",
        "cat /etc/os-release",
        "cat /etc/debian-release",
        "tail -n 5 /var/log/x"
      ],
      "no-rule": [
        "uname a b c",
        "/bin/uname",
        "df",
        "df -h /",
        "df -k",
        "cat",
        "cat /etc/shadow",
        "cat /etc/os-release /etc/shadow",
        "cat /etc/../x/release",
        "tail -n 5",
        "tail -n 5 /var/log/x /etc/shadow",
        "tail -n 5 /etc/shadow",
        "alone",
        "alone x"
      ],
      "rule-deny": ["systemctl stop x", "systemctl --now stop x", "/bin/systemctl stop x", "rm x", "/usr/bin/rm"]
    })
  })

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

  it("refuses built-ins that run code or change the shell", () => {
    check(allowing(["*"]), {
      "code-builtin": [
        "trap x EXIT",
        "source x",
        "alias x",
        "read 'a[$(reboot)]'",
        "read -p x y",
        "export X",
        "unset X",
        "set -x",
        "hash -r"
      ],
      "command-name": [". x"]
    })
  })

  it("guards arguments that only a wildcard covers", () => {
    const policy = allowing(["*", "sort -o /tmp/x *", "git -c color.ui=never log", "tar -xf /srv/a.tar", "date -s now"])
    check(policy, {
      allowed: [
        "sort -u x",
        "sort -k 1o x",
        "sort -o /tmp/x y",
        "git -c color.ui=never log",
        "git log -c",
        "git log -SOLD --oneline",
        "tar -xf /srv/a.tar",
        "tar tzf x",
        "date -d yesterday +%F",
        "date -s now",
        "awk '/a|b/ {print $1, ($2 > 3)}' x",
        "awk '$3 > 80 {print}' x",
        "awk -F: -v a=b 'NR == 1 || /x/ {n++} END {print n}' y",
        "sed -n -e '1,5p;$p' x",
        "sed -E 's#a/b#c#g' x",
        "sed '0~3d' x",
        "find . -name x -print",
        "uniq -c -f 1 a",
        "ip -br addr show",
        "ip route get 10.0.0.1",
        "journalctl -u x",
        "docker --log-level debug ps",
        "kubectl get pods -l app=x",
        "systemctl status x",
        "test -f x",
        "printf '%s' x",
        "grep -e '-f' x"
      ],
      "unsafe-argument": [
        "sort -o x y",
        "sort -uo x y",
        "sort --out=x y",
        "sort --compress-program=sh y",
        "git -c a=b log",
        "git -C /x -c a=b log",
        "git --exec-path=/x log",
        "git log --outp=x",
        "git grep -Osh x",
        "git grep -nOsh x",
        "git diff -Ox",
        "git difftool",
        "git fetch ext::sh",
        "tar -xf a",
        "tar cf a b",
        "tar -tf a -I sh",
        "tar -tf h:a",
        "tar -t --to-command=sh",
        "date -s now +%F",
        "date 0101",
        "awk 'BEGIN{system(\"x\")}'",
        "awk '{print | \"x\"}' y",
        "awk '{print > \"x\"}' y",
        'awk \'{printf("x") > "y"}\'',
        "awk '{\"x\" | getline}'",
        "awk '{x++ / \"a\" | getline / 1}'",
        "awk '@load \"x\"'",
        "awk -f x",
        "gawk --file=x",
        "sed -i s/a/b/ x",
        "sed --in-pl s/a/b/ x",
        "sed 's/a/b/e' x",
        "sed 's/a/b/w y' x",
        "sed '1e x' y",
        "sed 'w x' y",
        "sed -n '/a/{w x\n}' y",
        "sed -f x y",
        "sed r/etc/shadow x",
        "find . -delete",
        "find . -fprintf x y",
        "uniq a b",
        "ip link set x down",
        "ip l s x",
        "ip netns exec x sh",
        "ip -b x",
        "ss -K",
        "ss --kill",
        "curl -o x http://y",
        "curl -sSo x http://y",
        "curl --config x",
        "curl -w '%output{x}' http://y",
        "journalctl --vacuum-size=1",
        "journalctl --rot",
        "docker -H x ps",
        "docker --context x ps",
        "kubectl --kubeconfig=x get pods",
        "kubectl get pods --token x",
        "kubectl logs -fs x y",
        "systemctl -H x status",
        "systemctl --host=x status",
        "hostname x",
        "test -v 'a[$(x)]'",
        "[ 'a[$(x)]' -eq 0 ]",
        "printf -v 'a[0]' x",
        "grep -f x y"
      ]
    })
  })

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

  it.prop("is total", [Schema.String, Schema.String, Schema.Array(Schema.String)], ([command, alias, tags]) => {
    const decision = decide(allowing(["*"]), { alias, tags }, command)
    return decision._tag === "Allowed" || decision.code !== ""
  })
})

describe("limitsFor", () => {
  const policy = policyOf({
    limits: { max_seconds: 60, max_output_bytes: 1000 },
    rules: [
      { action: "allow", commands: ["a*"], limits: { max_seconds: 100, max_output_bytes: 10 } },
      { action: "allow", commands: ["b"], limits: { max_seconds: 0 } }
    ],
    overrides: {
      aliases: { "web-1": { task_result_ttl: 7 }, free: { max_seconds: 0 } },
      tags: { production: { max_seconds: 20, task_result_ttl: 5 }, web: { max_seconds: 40 } }
    }
  })

  it("takes alias before tag before limits before default, and the later of two tags", () => {
    const limits = limitsFor(policy, HOST)
    assert.strictEqual(limits.max_seconds, 40)
    assert.strictEqual(limitsFor(policy, { ...HOST, tags: ["web", "production"] }).max_seconds, 20)
    assert.strictEqual(limits.task_result_ttl, 7)
    assert.strictEqual(limits.max_output_bytes, 1000)
    assert.strictEqual(limits.max_tasks_per_host, 8)
    assert.deepStrictEqual(limitsFor(denyAll, HOST), DEFAULT_LIMITS)
  })

  it("lets a rule only lower them, with 0 as no limit", () => {
    const seconds = (alias: string, command: string) => decide(policy, { alias, tags: [] }, command).limits.max_seconds
    assert.strictEqual(seconds("x", "a"), 60)
    assert.strictEqual(seconds("free", "a"), 100)
    assert.strictEqual(seconds("free", "b"), 0)
    assert.strictEqual(seconds("x", "b"), 60)
    assert.strictEqual(decide(policy, HOST, "a").limits.max_output_bytes, 10)
  })

  it("takes no limits from the prototype of a record", () => {
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
      assert.deepStrictEqual(limitsFor(denyAll, { alias: name, tags: [name] }), DEFAULT_LIMITS)
    }
  })
})

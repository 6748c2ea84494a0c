import { assert, describe, it } from "@effect/vitest"
import { Option, Schema } from "effect"
import { parseAddress } from "../../src/policy/network/Address.ts"
import { checkAddress, compileNetwork, NetworkDocument } from "../../src/policy/network/Network.ts"
import { decide, type HostFacts } from "../../src/policy/Policy.ts"
import { checkPolicyDocument, PolicyDocument } from "../../src/policy/PolicyDocument.ts"
import { decodeDocument, policyOf } from "./corpus.ts"

const HOST: HostFacts = { alias: "prod-web-1", tags: ["production"] }

const decodes = (document: unknown): boolean =>
  Option.isSome(Schema.decodeUnknownOption(PolicyDocument, { onExcessProperty: "error" })(document))

const reaches = (document: unknown, address: string): boolean =>
  checkAddress(
    compileNetwork(Schema.decodeUnknownSync(NetworkDocument)(document)),
    Option.getOrThrow(parseAddress(address))
  )

/** Without the built-in denials, so that no case is decided by them. */
const bare = (rules: ReadonlyArray<object>) => policyOf({ limits: { deny_substrings: [] }, rules })

const allowing = (...commands: ReadonlyArray<string>) => bare([{ action: "allow", commands }])

const isAllowed = (policy: ReturnType<typeof policyOf>, command: string): boolean =>
  decide(policy, HOST, command)._tag === "Allowed"

const denied = (policy: ReturnType<typeof policyOf>, commands: ReadonlyArray<string>): void => {
  for (const command of commands) assert.isFalse(isAllowed(policy, command), command)
}

const allowed = (policy: ReturnType<typeof policyOf>, commands: ReadonlyArray<string>): void => {
  for (const command of commands) assert.isTrue(isAllowed(policy, command), command)
}

describe("what failed open in the original is closed", () => {
  const simple = bare([{ action: "allow", simple_binaries: ["uptime"] }])

  it("& ends a command", () => denied(simple, ["uptime & reboot", "uptime&reboot", "uptime &"]))

  it("a newline ends a command", () => denied(simple, ["uptime\nreboot", "uptime\r\nreboot"]))

  it("a redirection is no argument of simple_binaries", () =>
    denied(simple, ["uptime > /etc/cron.d/x", "uptime >/etc/cron.d/x", "uptime 2>> /root/x", "uptime < /etc/shadow"]))

  it("an invalid entry of allow_cidrs refuses the file instead of leaving an empty list that allows all", () => {
    assert.isFalse(decodes({ network: { allow_cidrs: ["10.0.0.0/33"] } }))
    assert.isFalse(decodes({ network: { allow_cidrs: ["10.0.0.0/8", "intranet"] } }))
    assert.isTrue(decodes({ network: { allow_cidrs: ["10.0.0.0/8"] } }))
  })

  it("a text in place of a list of blocks refuses the file instead of allowing all", () => {
    for (const key of ["allow_ips", "allow_cidrs", "block_ips", "block_cidrs"]) {
      assert.isFalse(decodes({ network: { [key]: "10.0.0.0/8" } }), key)
    }
  })

  it("a block in block_ips blocks", () => {
    assert.isFalse(reaches({ block_ips: ["169.254.0.0/16"] }, "169.254.169.254"))
    assert.isTrue(reaches({ block_ips: ["169.254.0.0/16"] }, "10.0.0.1"))
  })

  it("aliases as a text refuse the file instead of making a deny rule that never fires", () => {
    for (const key of ["aliases", "tags", "commands", "simple_binaries"]) {
      assert.isFalse(decodes({ rules: [{ action: "deny", commands: ["x"], [key]: "prod-*" }] }), key)
    }
  })

  it("IPv4 inside IPv6 does not pass a block of IPv4 addresses", () => {
    for (const address of ["::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"]) {
      assert.isFalse(reaches({ block_cidrs: ["169.254.0.0/16"] }, address), address)
    }
  })

  it("a star in deny_substrings, which matched nothing, is told; as a deny rule it works", () => {
    const problems = checkPolicyDocument(decodeDocument({ limits: { deny_substrings: ["shutdown*"] } }))
    assert.match(problems[0]?.message ?? "", /literal text/)
    denied(
      bare([
        { action: "allow", commands: ["*"] },
        { action: "deny", commands: ["shutdown*"] }
      ]),
      ["shutdown", "shutdown -r now", "/sbin/shutdown -r now"]
    )
  })

  it("built-in denials are about programs: nc, az and ssh deny no rsync, gnaz and journalctl -u ssh", () => {
    const policy = policyOf({ rules: [{ action: "allow", commands: ["*"] }] })
    allowed(policy, ["rsync -a /a /b", "gnaz x", "journalctl -u ssh -n 5"])
    denied(policy, ["nc -l 80", "nc\t-l 80", "az login", "ssh host", "/usr/bin/ssh host", "s''sh host"])
  })

  it("a deny rule wins wherever it stands in the file", () => {
    const allow = { action: "allow", commands: ["systemctl *"] }
    const deny = { action: "deny", commands: ["systemctl stop*"] }
    for (const rules of [
      [allow, deny],
      [deny, allow]
    ]) {
      denied(bare(rules), ["systemctl stop nginx", "systemctl --now stop nginx"])
      allowed(bare(rules), ["systemctl status nginx"])
    }
  })

  it("a star behind a program's name is no longer name", () =>
    denied(allowing("hostname*", "ss*", "uptime*"), ["hostnamectl set-hostname x", "ssh host", "uptimectl"]))

  it("YAML 1.1 booleans, which are texts, refuse the file", () => {
    assert.isFalse(decodes({ rules: [{ action: "allow", binary: "df", arg_prefix: ["-h"], allow_extra_args: "no" }] }))
    assert.isFalse(decodes({ rules: [{ action: "allow", commands: ["x"], unsafe_args: "off" }] }))
  })
})

describe("published failures of other systems do not happen here", () => {
  const TOOLS = [
    ..."ls echo cat grep find sed sort env bash sh git rg tar awk xargs sudo timeout nice head".split(" "),
    ..."wc printf test".split(" ")
  ].map((program) => `${program} *`)
  const tools = bare([
    { action: "allow", commands: [...TOOLS, "true", "uptime*", "cd *"] },
    { action: "deny", commands: ["rm*", "whoami*", "git push*"] }
  ])

  const cases: ReadonlyArray<readonly [name: string, policy: ReturnType<typeof policyOf>, ReadonlyArray<string>]> = [
    [
      "sudoers: * in an argument covers no second word",
      allowing("cat /var/log/messages*"),
      ["cat /var/log/messages /etc/shadow", "cat /var/log/messages.1 /etc/shadow", "cat /var/log/messages/../../shadow"]
    ],
    [
      "sudoers: a copy of a denied program",
      tools,
      ["/tmp/rm x", "./rm x", "busybox rm x", "\\rm x", "r''m x", "command rm x"]
    ],
    [
      "OpenSSH wrappers: a checked prefix of the original command",
      allowing("git *", "ls *"),
      ["git status; reboot", "ls x\nreboot", "ls x && sh -c reboot", "git status | sh"]
    ],
    [
      "git-shell CVE-2017-8386: an operand that begins with -",
      allowing("git-upload-pack /srv/*"),
      ["git-upload-pack --help"]
    ],
    [
      "git: options that run programs",
      tools,
      ["git -c core.pager=reboot log", "git --exec-path=/tmp log", "git -c alias.x='!reboot' x", "git grep -Oreboot x"]
    ],
    [
      "Claude Code CVE-2025-54795: quotes that close echo",
      tools,
      ['echo "\\""; reboot #"', "echo ''; reboot; echo ''", 'echo "$(reboot)"', 'echo "a\\\\"; reboot; "b"']
    ],
    ["Claude Code CVE-2025-58764: rg --pre", tools, ["rg --pre sh x", "rg --pre=sh x", "rg --hostname-bin=sh x"]],
    [
      "Claude Code CVE-2025-64755: sed w and e",
      tools,
      ["sed 'w /tmp/x' y", "sed 's/a/b/w /tmp/x' y", "sed '1e reboot' y"]
    ],
    [
      "Claude Code CVE-2025-66032: $IFS and short options",
      tools,
      ["sort$IFS-o$IFS/x y", "sort -no /x y", "sed -ni s/a/b/ x", "cat${IFS}x", "xargs -I{} sh -c {}"]
    ],
    [
      "Claude Code CVE-2026-24887: find that runs and writes",
      tools,
      [
        "find . -exec reboot ';'",
        "find . -execdir reboot {} +",
        "find . -ok reboot ';'",
        "find . -delete",
        "find . -fprint /x"
      ]
    ],
    [
      "Claude Code CVE-2026-25722: cd before a command",
      tools,
      ["cd /tmp && ./x", "cd /tmp; rm x", "cd -P /tmp\nreboot"]
    ],
    [
      "Claude Code: no number of commands skips the rules",
      tools,
      [`${"true; ".repeat(60)}rm x`, `${"true && ".repeat(250)}reboot`, `${"true; ".repeat(2_000)}rm x`]
    ],
    ["Claude Code: a carriage return", tools, ["ls x\rreboot", "ls x\r\nreboot"]],
    [
      "Codex: a denied name in another spelling",
      tools,
      ["r\\m x", "'rm' x", '"r"m x', "$'rm' x", "$'\\x72m' x", "/bin/rm x"]
    ],
    [
      "opencode: an assignment in front",
      tools,
      ["CI=1 git push", "CI=1 rm x", "PATH=/tmp ls x", "GIT_SSH_COMMAND=reboot git fetch x", "env CI=1 rm x"]
    ],
    [
      "opencode: redirections",
      tools,
      ["echo x > /etc/passwd", "echo x >> ~/.ssh/authorized_keys", "cat < /etc/shadow", "echo x &> /x"]
    ],
    ["opencode: -- before the sub-command", tools, ["git -- push", "git push -- x", "env -- rm x", "sudo -- rm x"]],
    ["opencode: ls* is not lsof", allowing("ls*"), ["lsof", "lsof -i", "lsattr"]],
    [
      "Cursor CVE-2026-22708: built-ins of the shell",
      allowing("*"),
      ["export PATH=/tmp", "typeset -x PATH=/tmp", "alias ls=reboot", "trap reboot EXIT", "source x", "set -o xtrace"]
    ],
    [
      "Roo Code CVE-2025-57771: & and process substitution",
      tools,
      ["ls x & reboot", "cat <(reboot)", "ls x >(reboot)", "ls x &reboot"]
    ],
    [
      "Roo Code CVE-2026-110206: a substituted name",
      tools,
      ["$(echo rm) x", "`echo rm` x", "$cmd x", '"$(echo reboot)"', "x=rm; $x y", "${x:-rm} y"]
    ],
    [
      "Roo Code CVE-2026-30305, -30314, -30313: substitutions and newlines in arguments",
      tools,
      ["ls $(reboot)", "ls `reboot`", 'ls "$(rm x)"', "ls x\nreboot", "ls ${x:-$(reboot)}", "ls $((`reboot`))"]
    ],
    [
      "OpenClaw CVE-2026-27566: wrappers",
      tools,
      [
        "env sh -c reboot",
        "env bash -c 'rm x'",
        "sudo sh -c 'rm x'",
        "timeout 5 nice rm x",
        "xargs rm",
        "xargs -n 1 sh -c rm"
      ]
    ],
    [
      "OpenClaw CVE-2026-31992: env -S",
      tools,
      ["env -S 'rm x'", "env --split-string='rm x'", "env -vS 'rm x'", "env --spl='rm x'"]
    ],
    [
      "OpenClaw CVE-2026-28460: $, a line continuation and (",
      tools,
      ["echo $\\\n(reboot)", 'echo "$\\\n(reboot)"', "ec\\\nho $\\\n(rm x)"]
    ],
    [
      "OpenClaw CVE-2026-44115: here-documents that expand",
      tools,
      [
        "cat <<E\n$(reboot)\nE",
        "cat <<E\n`reboot`\nE",
        "cat <<-E\n\t$(rm x)\n\tE",
        "sh <<E\nreboot\nE",
        "cat <<< $(reboot)"
      ]
    ],
    [
      "OpenClaw CVE-2026-28363: abbreviated long options",
      tools,
      [
        "sort --compress-prog=sh x",
        "sort --compress-p sh x",
        "sort --outp=/x y",
        "tar -tf x --to-comm=sh",
        "sed --in-pl s/a/b/ x"
      ]
    ],
    ["OpenClaw CVE-2026-31996: sort -o", tools, ["sort -o /x y", "sort -uo/x y", "sort y -o /x"]],
    [
      "OpenClaw CVE-2026-53861: combined -lc",
      tools,
      ["bash -lc reboot", "sh -ic reboot", "bash -lc 'rm x'", "bash -c rm x -l"]
    ],
    [
      "OpenClaw CVE-2026-27183: wrappers in wrappers",
      tools,
      [`${"env ".repeat(12)}rm x`, `${"nice ".repeat(40)}reboot`, "sh -c \"sh -c 'sh -c rm'\""]
    ],
    [
      "OpenClaw CVE-2026-32003: SHELLOPTS and PS4",
      tools,
      [
        "SHELLOPTS=xtrace PS4='$(reboot)' bash -c true",
        "env SHELLOPTS=xtrace 'PS4=$(reboot)' bash -c true",
        "PS4=x ls y"
      ]
    ],
    [
      "OpenClaw CVE-2026-32973, -62229: globs and traversal",
      allowing("cat /var/log/*", "ls /srv/app/*"),
      [
        "cat /var/log/../../etc/shadow",
        "cat /var/log/x/../../../etc/shadow",
        "ls /srv/app/..",
        "cat /var/log/.*/../x",
        "ls /srv/app/*/../.."
      ]
    ],
    ["cli-mcp-server CVE-2026-85660: a substitution in an allowed command", tools, ["echo $(rm x)", 'echo "`rm x`"']],
    ["mac-shell-mcp CVE-2026-108953: ; in an argument", tools, ["ls ;rm x", "ls x;rm x", "ls 'x';rm x"]],
    [
      "mcp-shell CVE-2026-55580: nothing is configured",
      policyOf({}),
      ["ls", "uptime", "true", "echo x", ":", "exit 0", "x=1"]
    ],
    [
      "AutoGPT CVE-2024-6091: another path to a denied program",
      allowing("*"),
      ["/bin/./whoami", "/bin//whoami", "/usr/../bin/whoami"]
    ],
    ["AutoGPT CVE-2024-6091: a denied program by its path", tools, ["/bin/whoami", "/usr/bin/whoami"]],
    [
      "tree-sitter users: here-document backquotes, @P and indirect variables",
      tools,
      ["cat <<E\n`rm x`\nE", "echo ${x@P}", "echo ${!x}", "echo ${x[$(rm y)]}", "echo $[`rm x`]"]
    ],
    [
      "bash: operands that are evaluated",
      tools,
      ["test -v 'a[$(reboot)]'", "printf -v 'a[$(reboot)]' x", "[[ 'a[$(reboot)]' -eq 0 ]]", "let 'a[$(reboot)]=1'"]
    ],
    [
      "a script that a pipe or a here-document gives to a shell",
      tools,
      ["echo reboot | sh", "echo reboot | bash -s", "cat x | sudo sh", "sh <<'E'\nreboot\nE", "echo x | env bash"]
    ]
  ]

  it.each(cases)("%s", (_name, policy, commands) => denied(policy, commands))

  it("the tools of these cases are allowed in their plain use", () =>
    allowed(tools, [
      "ls x",
      "echo x",
      "git log",
      "sort x",
      "find . -name x",
      "sed -n 1p x",
      "env LC_ALL=C ls x",
      "sh -c 'ls x'",
      "rg x",
      "true"
    ]))

  it("sample texts of the cases are complete commands, denied for what they run", () => {
    // A case that is only denied because it cannot be parsed or decoded at all would prove little.
    const parsed = cases.flatMap(([, policy, commands]) => commands.map((command) => decide(policy, HOST, command)))
    const unread = parsed.filter((each) => each._tag === "Denied" && ["parse", "invalid-text"].includes(each.code))
    assert.isBelow(unread.length, parsed.length / 10)
  })
})

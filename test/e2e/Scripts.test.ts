import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { RunResult } from "../../src/task/RunResult.ts"
import type { ConfigFixture } from "../support/ConfigFixture.ts"
import { connectMcpClient, decodeAnswer } from "../support/McpClient.ts"
import { eventually, makeHost } from "./Scenario.ts"

/** Texts that are run here and on the host, each in a directory with the files that `fill` makes. */
const TEXTS: ReadonlyArray<readonly [fact: string, text: string]> = [
  ["a pipeline that counts processes", "ps aux | grep '[n]o-such-program' | wc -l"],
  ["a pipeline of filters", "cat a.log b.log | grep -i error | sort -r | head -n 2 | cut -d ' ' -f 1"],
  ["a here-document with a quoted delimiter", "cat <<'EOF'\n$HOME `id` $(id) \\n \"x\" 'y'\n\n  EOF\nEOF"],
  ["a here-document without expansions", "sort <<EOF | head -n 1\nb\na\nEOF"],
  ["an indented here-document", "cat <<-'END'\n\tone\n\t\ttwo\n\tEND\necho after"],
  ["an if", "if test -f none; then echo file; elif test -d sub; then echo directory; else echo nothing; fi"],
  ["a for loop over words", 'for word in one "two three" \'*\'; do echo "<$word>"; done'],
  [
    "a for loop over files, with a substitution",
    'for f in *.log; do n=$(cat "$f" | wc -l); echo "${f%.log}: $n"; done'
  ],
  ["a while with a counter", 'i=0; while test "$i" -lt 3; do echo "round $i"; i=$((i + 1)); done; echo "$i"'],
  ["an until with break", "i=5; until test $i -eq 0; do i=$((i - 1)); if test $i -eq 2; then break; fi; echo $i; done"],
  [
    "a case",
    'for f in a.log sub x.txt; do case "$f" in *.log) echo log;; s*|t*) echo other;; *) echo "$f";; esac; done'
  ],
  ["nested substitutions", 'echo "<$(echo "[$(echo inner)]")>"'],
  ["backquotes", "echo `echo one; echo two`"],
  ["groups and subshells", "{ echo a; (cd sub; pwd | sed 's/.*work/work/'); ls; } | tail -n 3"],
  ["parameter defaults and lengths", 'x=; echo "${x:-none}" ${#x} "${y-unset}"; x=abc; echo ${#x}'],
  ["quotes of every kind", "printf '<%s>\\n' 'a  b' \"c'd\" e\\ f \"\" '$x' \"*\""],
  ["globs", "echo *.log; ls sub/*; echo no-*-match; echo '*.log' \"*\""],
  ["a variable before a command", "LC_ALL=C sort mixed; LC_ALL=C TZ=UTC0 date -d @0"],
  ["find -exec with ;", "find . -name '*.log' -exec grep -c error {} \\; | sort"],
  ["find -exec with +", "find . -name '*.log' -exec cat {} + | sort | head -n 2"],
  ["xargs", "find . -name '*.log' | sort | xargs wc -c"],
  ["xargs with a count", "printf '%s\\n' 1 2 3 | xargs -n 1 echo number"],
  ["sh -c", "sh -c 'for i in 1 2; do echo \"in $i\"; done; exit 3'"],
  ["eval", "eval 'echo one;' echo two"],
  ["stderr in order, by 2>&1", "{ echo out; ls no-such-file; echo end; } 2>&1 | wc -l"],
  ["stderr away", "ls no-such-file 2>/dev/null; ls no-such-file > /dev/null 2>&1"],
  ["the code of a list is that of its last command", "false; true"],
  ["the code of &&", "true && false && echo no"],
  ["the code of ||", "false || exit 7"],
  ["the code of a pipeline is that of its last command", "false | true"],
  ["the code of a pipeline that fails", "true | grep x"],
  ["a negated code", "! true"],
  ["the code of a subshell", "(exit 4)"],
  ["$?", "(exit 9); echo $?; echo $?"],
  ["comments and line ends", "echo a # not this\n\n# nor this\necho b \\\n  c"],
  ["letters of all kinds", "echo 'äöü € 日本 😀' | wc -c"]
]

const PROGRAMS =
  "cat cd cut date echo eval false find grep head id ls printf ps pwd sed sh sleep sort tail tee test true uniq wc xargs yes"

const fill = ({ workDir }: ConfigFixture): void => {
  mkdirSync(`${workDir}/sub`)
  writeFileSync(`${workDir}/a.log`, "2 error one\n1 ok\n3 ERROR two\n")
  writeFileSync(`${workDir}/b.log`, "9 error three\n")
  writeFileSync(`${workDir}/sub/c d.txt`, "blank in its name\n")
  writeFileSync(`${workDir}/sub/e.txt`, "e\n")
  writeFileSync(`${workDir}/mixed`, "b\nA\na\nB\nä\n")
}

/** The text as this machine's `sh` runs it: exit code, and stdout followed by stderr. */
const runHere = (text: string, directory: string): Effect.Effect<{ readonly code: number; readonly output: string }> =>
  Effect.callback((resume) => {
    const child = execFile(
      "sh",
      ["-c", text],
      { cwd: directory, env: { PATH: "/usr/local/bin:/usr/bin:/bin" } },
      (error, stdout, stderr) =>
        resume(Effect.succeed({ code: typeof error?.code === "number" ? error.code : 0, output: stdout + stderr }))
    )
    child.stdin?.end()
  })

/** One host on which the programs above may run, and write to files named `report-*` of the work directory. */
const makeScripts = Effect.gen(function* () {
  const host = yield* makeHost()
  const { config } = host
  fill(config)
  const anything = PROGRAMS.split(" ").flatMap((name) => [name, `${name} *`])
  yield* config.writePolicy({
    version: 3,
    rules: [
      {
        id: "scripts",
        action: "allow",
        commands: anything,
        redirect_write: [`${config.workDir}/report-*`],
        redirect_read: [`${config.workDir}/report-*`]
      }
    ]
  })
  const client = yield* connectMcpClient({ environment: config.environment })
  const inWorkDir = (text: string): string => `cd ${config.workDir}\n${text}`
  const run = (text: string) =>
    Effect.map(client.call("ssh_run", { alias: "web1", command: inWorkDir(text) }), (answer) =>
      answer.json["status"] === "denied" ? answer.text : decodeAnswer(RunResult, answer)
    )
  return { ...host, client, inWorkDir, run }
})

describe("scripts on a host", () => {
  it.live("do what the same text does under this machine's sh: output and exit code", () =>
    Effect.gen(function* () {
      const { config, run } = yield* makeScripts
      const differences: Array<unknown> = []
      for (const [fact, text] of TEXTS) {
        const there = yield* run(text)
        const here = yield* runHere(text, config.workDir)
        const got = typeof there === "string" ? there : { code: there.exit_code, output: there.output }
        if (JSON.stringify(got) !== JSON.stringify(here)) differences.push({ fact, text, got, expected: here })
      }
      assert.deepStrictEqual(differences, [])
    })
  )

  it.live("write to the files that a rule names, and to no others", () =>
    Effect.gen(function* () {
      const { client, config, inWorkDir, run } = yield* makeScripts
      const report = `${config.workDir}/report-1`
      const written = yield* run(`{ echo one; ls no-such-file; } > ${report} 2>&1; echo two >> ${report}`)
      assert.deepInclude(written, { exit_code: 0, output: "" })
      const read = yield* run(`wc -l < ${report}; tail -n 1 ${report}`)
      assert.deepInclude(read, { exit_code: 0, output: "3\ntwo\n" })
      const refused: ReadonlyArray<readonly [code: string, text: string]> = [
        ["redirect-write", `echo x > ${config.workDir}/other`],
        ["redirect-write", `echo x >> ${config.workDir}/report-2/../other`],
        ["redirect-write", "echo x > other"],
        ["redirect-write", `for i in 1 2; do echo $i; done > ${config.workDir}/other`],
        ["redirect-read", "cat < /etc/passwd"]
      ]
      for (const [code, text] of refused) {
        const plan = yield* client.call("ssh_plan", { alias: "web1", command: inWorkDir(text) })
        assert.include(plan.text, `"code":"${code}"`, text)
        const ran = yield* client.call("ssh_run", { alias: "web1", command: inWorkDir(text) })
        assert.deepInclude(ran.json, { status: "denied", reason: "policy" }, text)
      }
      assert.isFalse(existsSync(`${config.workDir}/other`))
    })
  )

  it.live("run nothing of a text when one command in it has no rule, wherever that stands", () =>
    Effect.gen(function* () {
      const { client, config, inWorkDir } = yield* makeScripts
      const leave = `${config.binDir}/forbidden`
      const texts = [
        `echo a; ${leave}`,
        `echo a | ${leave}`,
        `echo "$(${leave})"`,
        `if false; then ${leave}; fi`,
        `for i in 1; do ${leave}; done`,
        `find . -maxdepth 0 -exec ${leave} \\;`,
        `echo a | xargs ${leave}`,
        `sh -c '${leave}'`,
        `echo a &\n${leave}`,
        `cat <<EOF\n$(${leave})\nEOF`
      ]
      for (const text of texts) {
        const ran = yield* client.call("ssh_run", {
          alias: "web1",
          command: inWorkDir(`tee report-1 < /dev/null; ${text}`)
        })
        assert.deepInclude(ran.json, { status: "denied", reason: "policy" }, text)
      }
      assert.isFalse(existsSync(`${config.workDir}/report-1`), "the allowed command before it did not run either")
      assert.strictEqual(config.left("reached"), "")
    })
  )

  const endless: ReadonlyArray<readonly [what: string, text: string, processes: number]> = [
    ["a pipeline", "sleep 1000 | cat | wc -l", 3],
    ["a loop in a pipeline", "while true; do sleep 1000; done | cat", 3],
    ["a substitution in a loop", 'i=0; while test "$i" -lt 9; do x=$(sleep 1000); i=$((i + 1)); done', 2],
    ["a pipeline in sh -c", "sh -c 'yes | sh -c \"cat | wc -c\"'", 3],
    ["what xargs runs", "echo 1000 | xargs -n 1 sleep", 2]
  ]
  for (const [what, text, processes] of endless) {
    it.live(`cancel of ${what} leaves none of its processes`, () =>
      Effect.gen(function* () {
        const { client, config, inWorkDir } = yield* makeScripts
        const task = yield* client.call("ssh_run_async", { alias: "web1", command: inWorkDir(text) })
        yield* eventually("its processes", () => config.remoteProcesses().length >= processes)
        const cancel = yield* client.call("ssh_cancel_task", { task_id: task.json["task_id"] })
        assert.deepStrictEqual(config.remoteProcesses(), [])
        assert.deepInclude(cancel.json, { cancelled: true, remote_stopped: "confirmed" })
        const result = yield* client.call("ssh_get_task_result", { task_id: task.json["task_id"] })
        assert.deepInclude(result.json, { status: "cancelled", cancelled: true })
      })
    )
  }
})

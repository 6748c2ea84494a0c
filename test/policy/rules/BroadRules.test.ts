import { describe, it } from "@effect/vitest"
import { allowProblems, hasProblems } from "./Problems.ts"

const told = (rule: object, ...expected: ReadonlyArray<RegExp>): void => hasProblems(allowProblems(rule), expected)

describe("rules that allow more than they seem to", () => {
  it("a star alone is any program, and says on which hosts", () => {
    told({ commands: ["*"] }, /^warning rules\.0\.commands\.0: allows any program with any arguments on every host$/)
    told({ aliases: ["*"], commands: ["*"] }, /on every host$/)
    told({ aliases: ["lab-*"], commands: ["*"] }, /with any arguments on the hosts of the rule$/)
    told({ tags: ["lab"], commands: ["* --version"] }, /allows any program with these arguments on the hosts/)
    told({ commands_regex: [".*"] }, /^warning rules\.0\.commands_regex\.0: allows any program$/)
    told({ commands_regex: ["[a-z]+( .*)?"] }, /allows any program$/)
    told({ commands_regex: ["uptime( .*)?"] })
  })

  it.each(
    (
      "python python3 python3.12 perl ruby node lua5.4 php8.2 psql mysql sqlite3 vi vim less more man make go npm " +
      "ansible dnf Rscript"
    ).split(" ")
  )("%s under a wildcard runs any code", (program) => {
    const code = /^warning rules\.0\.commands\.0: allows any code that .* can run$/
    told({ commands: [`${program} *`] }, code)
    told({ commands: [`${program}*`] }, code)
    told({ commands: [`${program} -x *`] }, code)
    told({ commands: [`/usr/bin/${program} *`] }, code)
    told({ commands: [`${program} --version`] })
  })

  it("interpreters among exact words are told unless they get no arguments", () => {
    told({ simple_binaries: ["uptime", "make"] }, /^warning rules\.0\.simple_binaries\.1: allows any code that make/)
    told({ simple_binaries: ["make"], simple_max_args: 0 })
    told({ binary: "python3", arg_prefix: ["-c"] }, /^warning rules\.0\.binary: allows any code that python3/)
    told({ binary: "python3", arg_prefix: ["--version"], allow_extra_args: false })
  })

  it("an interpreter without arguments runs what a pipe gives it", () => {
    const piped = /allows any code: \S+ runs what a pipe or a here-document gives it$/
    for (const text of ["sh", "bash", "bash -s", "python3", "python3 -", "perl -", "mysql", "psql", "/bin/sh"]) {
      told({ commands: [text] }, piped)
    }
    told({ commands: ["bash*"] }, piped)
    told({ commands: ["python3 /srv/report.py", "bash *"] })
    told({ commands: ["sh -c uptime"] })
    told({ simple_binaries: ["node"], simple_max_args: 0 }, piped)
  })

  it("containers run any code by some of their sub-commands", () => {
    told({ commands: ["docker *"] }, /allows any code that docker can run in a container$/)
    told({ simple_binaries: ["kubectl"] }, /allows any code that kubectl can run in a container$/)
    told({ commands: ["docker run *"] }, /allows any code that docker can run in a container$/)
    told({ commands: ["podman e*"] }, /allows any code that podman can run in a container$/)
    told({ commands: ["docker ps *", "docker ps*", "kubectl get *", "kubectl exec web -- uptime"] })
  })

  it("guards that are switched off are told where a wildcard needs them", () => {
    told({ commands: ["awk *"] })
    told(
      { commands: ["awk *"], unsafe_args: true },
      /switches the guards of awk off: it may run programs and write files$/
    )
    told({ commands: ["awk 1 /srv/x"], unsafe_args: true })
  })

  it("deny rules are not broad", () => {
    hasProblems(allowProblems({ action: "deny", commands: ["*", "python3 *", "sh"] }), [])
  })
})

import { describe, it } from "@effect/vitest"
import { allowProblems, hasProblems } from "./Problems.ts"

const told = (keys: object, ...expected: ReadonlyArray<RegExp>): void =>
  hasProblems(allowProblems({ commands: ["uptime"], ...keys }), expected)

describe("permissions of a rule", () => {
  it("absolute paths, names and globs of them need no remark", () =>
    told({
      redirect_write: ["/tmp/report-*", "/srv/out/x.log", "/dev/null"],
      redirect_read: ["/etc/hosts"],
      env: ["LC_*", "TZ", "RAILS_ENV", "APP_?"],
      unsafe_args: true
    }))

  it("a relative path depends on the directory", () => {
    told({ redirect_write: ["out.log"] }, /^warning rules\.0\.redirect_write\.0: out\.log depends on the directory/)
    told({ redirect_read: ["/a", "../x"] }, /^warning rules\.0\.redirect_read\.1: \.\.\/x depends on the directory/)
  })

  it("paths that never match are told", () => {
    told({ redirect_write: ["/dev/tcp/10.0.0.1/80"] }, /never matches: bash makes a network connection/)
    told({ redirect_read: ["/dev/udp/*"] }, /never matches: bash makes a network connection/)
    told({ redirect_write: ["/tmp//x"] }, /never matches: write it without \/\//)
    told({ redirect_write: ["/tmp/./x"] }, /never matches: write it without/)
    told({ redirect_write: ["~/x"] }, /never matches: a file to redirect to or from is written out/)
  })

  it("a wildcard for every path is any file", () => {
    told({ redirect_write: ["*"] }, /^warning rules\.0\.redirect_write\.0: \* is any file that the account may write/)
    told({ redirect_read: ["/*"] }, /is any file that the account may read/)
    told({ redirect_read: ["/**/*"] }, /is any file that the account may read/)
  })

  it("variables that no rule can permit and texts that are no names are told", () => {
    for (const name of ["PATH", "LD_PRELOAD", "BASH_ENV", "GIT_SSH_COMMAND", "PAGER", "LC_MCP_RUN", "https_proxy"]) {
      told({ env: [name] }, /^warning rules\.0\.env\.0: \w+ has no effect: no rule can permit it/)
    }
    told({ env: ["LD_*"] })
    told({ env: ["A=b"] }, /A=b never matches: it is no name of a variable/)
    told({ env: ["$A"] }, /never matches/)
  })

  it("have no effect in a rule that denies", () => {
    told(
      { action: "deny", redirect_write: ["/x"] },
      /^warning rules\.0\.redirect_write: has no effect in a rule that denies/
    )
    told({ action: "deny", redirect_read: ["x"] }, /^warning rules\.0\.redirect_read: has no effect/)
    told({ action: "deny", env: ["PATH"] }, /^warning rules\.0\.env: has no effect/)
    told({ action: "deny", unsafe_args: true }, /^warning rules\.0\.unsafe_args: has no effect/)
    told({ action: "deny", env: [], redirect_write: [], unsafe_args: false })
  })
})

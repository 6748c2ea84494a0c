import { assert, describe, it } from "@effect/vitest"
import { mayRedirect, maySetVariable } from "../../../src/policy/rules/Permission.ts"

const rule = (write: ReadonlyArray<string>, read: ReadonlyArray<string> = []) => ({
  redirectWrite: write,
  redirectRead: read
})

const mayWrite = (entry: string, path: string): boolean => mayRedirect(rule([entry]), { access: "write", path })

describe("a redirection", () => {
  it("is permitted by an entry that is the path or a glob of it", () => {
    const rows: ReadonlyArray<readonly [entry: string, covers: ReadonlyArray<string>, not: ReadonlyArray<string>]> = [
      ["/tmp/report", ["/tmp/report"], ["/tmp/report2", "/tmp", "tmp/report", "/tmp//report", "/tmp/./report"]],
      ["/tmp/report-*", ["/tmp/report-1", "/tmp/report-a/b"], ["/tmp/report", "/tmp/report-/../x", "/tmp/report-/.."]],
      ["/tmp/[ab]", ["/tmp/a"], ["/tmp/c", "/tmp/[ab"]],
      ["/tmp/x[y", ["/tmp/x[y"], ["/tmp/xy"]],
      ["out/*", ["out/a"], ["/out/a", "./out/a", "out", "x/out/a", "out/../a"]],
      ["*.log", ["a.log", "b/a.log"], ["/a.log", "../a.log"]],
      ["*", ["a", "/etc/a"], ["../a", "/a/..", "/a//b", "/a/./b", "/dev/tcp/h/1", "/dev/udp/h/1"]],
      ["/dev/*", ["/dev/full"], ["/dev/tcp/h/1", "/dev/udp/h/53"]],
      ["/dev/tcp/h/1", [], ["/dev/tcp/h/1"]],
      ["../a", ["../a"], ["a", "../b"]],
      ["/a//b", [], ["/a//b", "/a/b"]],
      ["./a", [], ["./a", "a"]],
      ["~/a", [], ["~/a", "/home/u/a"]],
      ["/tmp/*", [], [""]]
    ]
    for (const [entry, covers, not] of rows) {
      for (const path of covers) assert.isTrue(mayWrite(entry, path), `${entry} on ${path}`)
      for (const path of not) assert.isFalse(mayWrite(entry, path), `${entry} on ${path}`)
    }
  })

  it("is permitted for its own access only", () => {
    const both = rule(["/w"], ["/r"])
    assert.isTrue(mayRedirect(both, { access: "write", path: "/w" }))
    assert.isTrue(mayRedirect(both, { access: "read", path: "/r" }))
    assert.isFalse(mayRedirect(both, { access: "write", path: "/r" }))
    assert.isFalse(mayRedirect(both, { access: "read", path: "/w" }))
    assert.isFalse(mayRedirect(rule([]), { access: "read", path: "/r" }))
  })
})

describe("a variable", () => {
  it("may be set when it is harmless or named by the rule, and never when it is dangerous", () => {
    assert.isTrue(maySetVariable({ env: [] }, "LC_ALL"))
    assert.isFalse(maySetVariable({ env: [] }, "DEBUG"))
    assert.isTrue(maySetVariable({ env: ["DEBUG"] }, "DEBUG"))
    assert.isTrue(maySetVariable({ env: ["APP_*"] }, "APP_MODE"))
    assert.isFalse(maySetVariable({ env: ["APP_*"] }, "XAPP_MODE"))
    for (const name of ["PATH", "LD_PRELOAD", "LC_MCP_RUN", "BASH_ENV", "GIT_SSH", "http_proxy"]) {
      assert.isFalse(maySetVariable({ env: ["*", name] }, name), name)
    }
  })
})

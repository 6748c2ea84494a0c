import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { expandedHost, ownRoute } from "../../../src/cli/sshconfig/Endpoint.ts"
import { settingsFor } from "../../../src/cli/sshconfig/HostSettings.ts"
import { readSshConfig } from "../../../src/cli/SshConfigReader.ts"

/** What ssh itself makes of a name, without the values that it fills in. */
const ask = (file: string, name: string): ReadonlyMap<string, ReadonlyArray<string>> => {
  const { status, stderr, stdout } = spawnSync("ssh", ["-G", "-F", file, name], { encoding: "utf8" })
  assert.strictEqual(status, 0, stderr)
  const values = new Map<string, Array<string>>()
  for (const line of stdout.split("\n")) {
    const [keyword = "", ...rest] = line.split(" ")
    values.set(keyword, [...(values.get(keyword) ?? []), rest.join(" ")])
  }
  return values
}

const compare = Effect.fnUntraced(function* (file: string, names: ReadonlyArray<string>) {
  const { faults, items } = yield* readSshConfig(file, "/nonexistent")
  assert.deepStrictEqual(faults, [])
  for (const name of names) {
    const theirs = ask(file, name)
    const settings = settingsFor(items, name)
    const first = (keyword: string) => settings.values.get(keyword)?.words[0]
    const route = ownRoute(settings)
    // ssh drops what is repeated; here that happens once paths are expanded.
    const keys = settings.lists.get("identityfile")?.map(({ words }) => words[0])
    assert.deepStrictEqual(
      {
        hostname: Result.getOrThrow(expandedHost(name, settings)),
        user: first("user") ?? userInfo().username,
        port: first("port") ?? "22",
        identityfile: keys === undefined ? undefined : [...new Set(keys)],
        proxyjump: route?.keyword === "proxyjump" ? route.words.join("") : undefined,
        proxycommand: route?.keyword === "proxycommand" ? route.rest : undefined
      },
      {
        // ssh leaves the case of an IPv6 address, which says nothing.
        hostname: theirs.get("hostname")?.[0]?.toLowerCase() ?? "",
        user: theirs.get("user")?.[0] ?? "",
        port: theirs.get("port")?.[0] ?? "",
        // ssh shows its default keys when there is no line.
        identityfile: settings.lists.has("identityfile") ? theirs.get("identityfile") : undefined,
        proxyjump: theirs.get("proxyjump")?.[0],
        proxycommand: theirs.get("proxycommand")?.[0]
      },
      name
    )
    if (!settings.lists.has("identityfile")) {
      assert.isTrue(theirs.get("identityfile")?.every((path) => path.startsWith("~/.ssh/id_")) ?? true)
    }
  }
})

const withDirectory = <A, E, R>(use: (directory: string) => Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "ssh-config-"))),
    use,
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
  ).pipe(Effect.provide(NodeFileSystem.layer))

/** Numbers that look random and are the same at each run (a linear congruential generator). */
const makeDraw = (seed: number) => {
  let state = seed
  return <A>(choices: readonly [A, ...ReadonlyArray<A>]): A => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return choices[Math.floor((state / 2 ** 32) * choices.length)] ?? choices[0]
  }
}

const NAMES = ["web-1", "web-2", "db.example.com", "Bastion"] as const

/** A configuration of lines that ssh reads, in any order; `files` can be included. */
const makeConfig = (draw: ReturnType<typeof makeDraw>, files: ReadonlyArray<string>): string => {
  const pattern = () =>
    draw(["*", "web-*", "web-1", "!web-2", "db.*", "*.example.com", "?astion", "Bastion", "bastion"])
  const line = (): string =>
    draw<() => string>([
      () => `Host ${[pattern(), pattern()].join(draw([" ", "\t", "  "]))}`,
      () => `Host ${pattern()}`,
      () => "Match all",
      () => `HostName ${draw(["%h.corp", "10.0.0.1", "HOST.example.com", "2001:DB8::1", "a%%b"])}`,
      () => `User${draw([" ", "=", " = "])}${draw(["admin", '"two words"', "a\\b"])}`,
      () => `  port ${draw(["22", "2222", '"2200"'])}`,
      () => `IdentityFile ${draw(["~/.ssh/a", "/keys/%r", '"/my keys/b"', "/keys/c"])}`,
      () => `ProxyJump ${draw(["none", "jump", "me@jump:2222", "one,two"])}`,
      () => `ProxyCommand ${draw(["none", "nc -x %h %p", 'sh -c "a b"'])}`,
      () => draw(["# Host *", "", "   "]),
      () => `Compression ${draw(["yes", "no"])} # why`,
      () => (files[0] === undefined ? "" : `Include ${draw([files[0], ...files])}`)
    ])()
  return `${Array.from({ length: 14 }, line).join(draw(["\n", "\r\n"]))}\n`
}

describe("ssh_config as ssh -G shows it", () => {
  it.live(
    "is read alike in 20 files of random lines, with included files",
    () =>
      withDirectory((directory) =>
        Effect.gen(function* () {
          for (let seed = 1; seed <= 20; seed++) {
            const draw = makeDraw(seed * 7_919)
            const inner = join(directory, `inner-${seed}`)
            const middle = join(directory, `middle-${seed}`)
            writeFileSync(inner, makeConfig(draw, []))
            writeFileSync(middle, makeConfig(draw, [inner]))
            const main = join(directory, `main-${seed}`)
            writeFileSync(main, makeConfig(draw, [inner, middle, `${directory}/inner-${seed}*`, `${directory}/none*`]))
            yield* compare(main, NAMES)
          }
        })
      ),
    30_000
  )

  it.live("is a fault where a file includes itself, and ends", () =>
    withDirectory((directory) =>
      Effect.gen(function* () {
        const main = join(directory, "main")
        writeFileSync(main, `Include ${main}\nInclude ${directory}/[ab]\nUser\nHost a\n User me\n`)
        const { faults, items } = yield* readSshConfig(main, "/nonexistent")
        assert.deepStrictEqual(
          faults.map(({ message, place }) => [place, message.replaceAll(directory, "")]),
          [
            [`${main}:3`, "User has no argument"],
            [`${main}:1`, "Include /main: it includes itself"],
            [`${main}:2`, "Include /[ab]: patterns with brackets are not expanded"]
          ]
        )
        assert.strictEqual(settingsFor(items, "a").values.get("user")?.words[0], "me")
      })
    )
  )
})

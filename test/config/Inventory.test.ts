import { assert, describe, it } from "@effect/vitest"
import { Option, Redacted, Result } from "effect"
import { type ConfigSnapshot, jumpHosts, jumpRoute, MAX_JUMPS } from "../../src/config/Inventory.ts"
import { denyAll } from "../../src/policy/Policy.ts"

const host = (alias: string, ...jump: ReadonlyArray<string>) => ({
  alias,
  host: alias,
  port: 22,
  tags: [],
  description: "",
  jump
})

/** The route to `alias` in an inventory of aliases and their jumps. */
const route = (inventory: Readonly<Record<string, ReadonlyArray<string>>>, alias: string) =>
  jumpRoute(host(alias, ...(inventory[alias] ?? [])), (hop) => inventory[hop])

describe("jumpRoute", () => {
  it("goes through the jumps of the first host, and from there on only as `jump` says", () => {
    const inventory = { a: [], b: ["a"], c: ["b"], d: ["b", "c"], e: ["a", "b"], f: [] }
    assert.deepStrictEqual(route(inventory, "f"), [])
    assert.deepStrictEqual(route(inventory, "b"), ["a"])
    assert.deepStrictEqual(route(inventory, "c"), ["a", "b"])
    assert.deepStrictEqual(route(inventory, "d"), ["a", "b", "c"])
    // Not a, a, b: the list says how b is reached.
    assert.deepStrictEqual(route(inventory, "e"), ["a", "b"])
  })

  it("ends at eight hosts, also when it would lead back to itself", () => {
    const chain = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`h${i}`, i === 0 ? [] : [`h${i - 1}`]]))
    assert.lengthOf(route(chain, "h8") ?? [], MAX_JUMPS)
    assert.isUndefined(route(chain, "h9"))
    assert.isUndefined(route({ a: ["b"], b: ["a"] }, "a"))
    assert.isUndefined(route({ a: ["a"] }, "a"))
    assert.isUndefined(route({ a: Array.from({ length: 9 }, (_, i) => `x${i}`) }, "a"))
  })
})

describe("jumpHosts", () => {
  it("is none, and not a direct connection, when a host of the route is missing", () => {
    const login = Result.succeed({ username: "u", password: Redacted.make("p"), digest: "d" })
    const entries = [host("a"), host("b", "a"), host("c", "gone")].map((each) => ({ host: each, login }))
    const snapshot: ConfigSnapshot = {
      hosts: new Map(entries.map((entry) => [entry.host.alias, entry])),
      policy: denyAll,
      hostKeys: { paths: [], digest: "" },
      problems: [],
      usable: true
    }
    const of = (index: number) =>
      Option.map(jumpHosts(snapshot, entries[index]!), (hosts) => hosts.map((entry) => entry.host.alias))
    assert.deepStrictEqual(of(0), Option.some([]))
    assert.deepStrictEqual(of(1), Option.some(["a"]))
    assert.deepStrictEqual(of(2), Option.none())
  })
})

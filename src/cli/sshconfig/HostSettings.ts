import { isConcrete, isSelected } from "./HostPattern.ts"
import { allLines, type Directive, type Item } from "./Tree.ts"

/** What ssh_config(5) comes to for one name. */
export interface HostSettings {
  /** Whether a `Host` line that is in force names exactly this name. */
  readonly named: boolean
  /** The first line in force of each keyword: the first value that is obtained is the one that counts. */
  readonly values: ReadonlyMap<string, Directive>
  /** Keywords that add up instead, in order. */
  readonly lists: ReadonlyMap<string, ReadonlyArray<Directive>>
}

/** Keywords of which every line in force counts. */
const LISTS: ReadonlySet<string> = new Set([
  "certificatefile",
  "dynamicforward",
  "identityfile",
  "localforward",
  "remoteforward",
  "sendenv",
  "setenv"
])

/** Whether a route is set already: ProxyJump and ProxyCommand exclude each other (ssh_config(5)). */
const hasOtherRoute = (keyword: string, values: ReadonlyMap<string, Directive>): boolean => {
  if (keyword === "proxyjump") return values.has("proxycommand")
  const jump = keyword === "proxycommand" ? values.get("proxyjump") : undefined
  // OpenSSH lets a later ProxyCommand win over `ProxyJump none`.
  return jump !== undefined && !isNone(jump)
}

/** Whether a line says `none`. */
export const isNone = ({ words }: Directive): boolean => words.length === 1 && words[0].toLowerCase() === "none"

/** Whether a `Match` line is one that holds for every host. Other criteria need a connection, a user or a program. */
export const isMatchAll = (line: Directive): boolean =>
  line.keyword === "match" && line.words.length === 1 && line.words[0].toLowerCase() === "all"

/** A `Host` or `Match` line with what follows it up to the next; what stands before the first has no head. */
interface Block {
  readonly head: Directive | undefined
  readonly items: Array<Item>
}

/** Blocks of the files that were looked through, since each is looked through for every name. */
const knownBlocks = new WeakMap<ReadonlyArray<Item>, ReadonlyArray<Block>>()

const blocksOf = (file: ReadonlyArray<Item>): ReadonlyArray<Block> => {
  const known = knownBlocks.get(file)
  if (known !== undefined) return known
  let block: Block = { head: undefined, items: [] }
  const blocks = [block]
  for (const item of file) {
    const { keyword } = item.line
    if (keyword === "host" || keyword === "match") blocks.push((block = { head: item.line, items: [] }))
    else block.items.push(item)
  }
  knownBlocks.set(file, blocks)
  return blocks
}

/**
 * The settings of a name, by the rules of ssh_config(5): what stands before the first `Host` holds for all, a file that
 * is included by a block holds only where the block does, and the block goes on after it. A `Match` block holds for no
 * host unless it says `all`. Pure and total.
 */
export const settingsFor = (items: ReadonlyArray<Item>, name: string): HostSettings => {
  const values = new Map<string, Directive>()
  const lists = new Map<string, Array<Directive>>()
  let named = false

  const set = (line: Directive): void => {
    if (LISTS.has(line.keyword)) {
      const list = lists.get(line.keyword)
      if (list === undefined) lists.set(line.keyword, [line])
      else list.push(line)
      return
    }
    if (values.has(line.keyword) || hasOtherRoute(line.keyword, values)) return
    values.set(line.keyword, line)
  }

  const walk = (file: ReadonlyArray<Item>, reachable: boolean): void => {
    for (const { head, items } of blocksOf(file)) {
      const active =
        reachable && (head === undefined || (head.keyword === "host" ? isSelected(name, head.words) : isMatchAll(head)))
      named ||= active && head?.keyword === "host" && head.words.includes(name)
      // Nothing in a block that is not in force counts, the files that it includes neither.
      if (!active) continue
      for (const item of items) {
        if (item._tag === "Line") set(item.line)
        else for (const included of item.files) walk(included, true)
      }
    }
  }
  walk(items, true)
  return { named, values, lists }
}

/** The names that `Host` lines write out, each once, in order. */
export const concreteNames = (items: ReadonlyArray<Item>): ReadonlyArray<string> => [
  ...new Set(
    allLines(items)
      .filter(({ keyword }) => keyword === "host")
      .flatMap(({ words }) => words)
      .filter(isConcrete)
  )
]

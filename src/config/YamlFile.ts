import { Result } from "effect"
import { isAlias, isMap, isScalar, isSeq, type Pair, type ParsedNode, type YAMLMap } from "yaml"
import { makeProblem, type Problem, START } from "./Problem.ts"
import { decodeText, MAX_DEPTH, parseYamlDocument, type Position } from "./YamlDocument.ts"

/** Nodes that the aliases of one file may expand to: the cap against "billion laughs". */
const MAX_ALIAS_NODES = 10_000

/** Names that would reach JavaScript's prototypes. No key of any configuration file needs them. */
const PROTOTYPE_KEYS = new Set(["__proto__", "constructor", "prototype"])

/** Explicit tags that only restate the core schema. Anything else could mean another value than is seen. */
const CORE_TAGS = new Set(
  ["str", "int", "float", "bool", "null", "map", "seq"].map((tag) => `tag:yaml.org,2002:${tag}`)
)

/** A value of a configuration file and where it stands. */
interface Located {
  readonly value: unknown
  /** `value` without the keys that are unset: those with "" or null. */
  readonly set: unknown
  readonly at: number
  readonly children: ReadonlyMap<string | number, { readonly keyAt: number; readonly node: Located }>
  readonly size: number
  readonly depth: number
}

/** A configuration file as plain values (objects without a prototype) that know their places. */
export interface YamlFile {
  /** Base name. */
  readonly name: string
  /** The content without unset keys: `""` and `null` mean unset in every mapping. `undefined` for an empty file. */
  readonly value: unknown
  /** The content with unset keys, for finding misspelt ones among them. */
  readonly complete: unknown
  /** The place of the value at a path, of the nearest parent that exists, or of the key itself. */
  readonly locate: (path: ReadonlyArray<PropertyKey>, part: "key" | "value") => Position
  /** Tolerated, but noted: anchors and merge keys. */
  readonly warnings: ReadonlyArray<Problem>
}

const isUnset = (value: unknown): boolean => value === null || value === ""

/** A file without content. */
export const emptyYamlFile = (name: string): YamlFile => ({
  name,
  value: undefined,
  complete: undefined,
  locate: () => START,
  warnings: []
})

/**
 * Reads a configuration file: YAML 1.2 core schema (`no` and `off` are text), one document, text keys, no duplicate
 * and no prototype keys, no tags. Total: any bytes give a file or problems, in time linear in their number.
 */
export const parseYamlFile = (name: string, bytes: Uint8Array): Result.Result<YamlFile, ReadonlyArray<Problem>> => {
  const text = decodeText(name, bytes)
  if (Result.isFailure(text)) return Result.fail([text.failure])
  const parsed = parseYamlDocument(name, text.success)
  if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
  const contents = parsed.success?.document.contents
  if (parsed.success === undefined || contents === null || contents === undefined) {
    return Result.succeed(emptyYamlFile(name))
  }
  const { position } = parsed.success
  const conversion = new Conversion(name, position)
  const root = conversion.node(contents, [], 1)
  if (conversion.problems.length > 0) return Result.fail(conversion.problems)
  return Result.succeed({
    name,
    value: isUnset(root.set) ? undefined : root.set,
    complete: isUnset(root.value) ? undefined : root.value,
    locate: (path, part) => position(offsetOf(root, path, part)),
    warnings: conversion.warnings
  })
}

const offsetOf = (root: Located, path: ReadonlyArray<PropertyKey>, part: "key" | "value"): number => {
  let offset = root.at
  let node = root
  for (const [index, key] of path.entries()) {
    const child = typeof key === "symbol" ? undefined : node.children.get(key)
    if (child === undefined) return offset
    offset = part === "key" && index === path.length - 1 ? child.keyAt : child.node.at
    node = child.node
  }
  return offset
}

/** One pass over a document in text order, so that an alias finds what its anchor stood for at that point. */
class Conversion {
  readonly problems: Array<Problem> = []
  readonly warnings: Array<Problem> = []
  private readonly anchors = new Map<string, Located>()
  private aliasNodes = 0
  private readonly file: string
  private readonly position: (offset: number) => Position

  constructor(file: string, position: (offset: number) => Position) {
    this.file = file
    this.position = position
  }

  node(node: ParsedNode | null, path: ReadonlyArray<PropertyKey>, depth: number): Located {
    if (node === null) return leaf(null, 0)
    const at = node.range[0]
    if (isAlias(node)) return this.alias(node.source, at, path, depth)
    if (node.tag !== undefined && !CORE_TAGS.has(node.tag)) this.fail(at, path, "tags are not supported")
    const located = isMap(node)
      ? this.map(node, path, depth)
      : isSeq(node)
        ? this.list(node.items, at, path, depth)
        : leaf(node.value, at)
    const anchor = node.anchor
    if (anchor !== undefined) {
      this.warn(at, path, "anchor is tolerated; written-out values are easier to review")
      this.anchors.set(anchor, located)
    }
    return located
  }

  private alias(name: string, at: number, path: ReadonlyArray<PropertyKey>, depth: number): Located {
    const target = this.anchors.get(name)
    if (target === undefined) {
      this.fail(at, path, "alias without a complete anchor before it (put a text that begins with * in quotes)")
      return leaf(null, at)
    }
    const within = this.aliasNodes <= MAX_ALIAS_NODES
    this.aliasNodes += target.size
    if (this.aliasNodes > MAX_ALIAS_NODES) {
      if (within) this.fail(at, path, `aliases expand to more than ${MAX_ALIAS_NODES} nodes`)
      return leaf(null, at)
    }
    if (depth + target.depth > MAX_DEPTH) this.fail(at, path, `nesting is deeper than ${MAX_DEPTH} levels`)
    return { ...target, at }
  }

  private list(
    items: ReadonlyArray<ParsedNode | null>,
    at: number,
    path: ReadonlyArray<PropertyKey>,
    depth: number
  ): Located {
    const nodes = items.map((item, index) => this.node(item, [...path, index], depth + 1))
    return {
      value: nodes.map((node) => node.value),
      set: nodes.map((node) => node.set),
      at,
      children: new Map(nodes.map((node, index) => [index, { keyAt: node.at, node }])),
      size: nodes.reduce((sum, node) => sum + node.size, 1),
      depth: nodes.reduce((most, node) => Math.max(most, node.depth), 0) + 1
    }
  }

  private map(node: YAMLMap.Parsed, path: ReadonlyArray<PropertyKey>, depth: number): Located {
    const children = new Map<string, { readonly keyAt: number; readonly node: Located }>()
    const merged: Array<{ readonly keyAt: number; readonly node: Located }> = []
    for (const pair of node.items as ReadonlyArray<Pair<ParsedNode, ParsedNode | null>>) {
      const keyAt = pair.key.range[0]
      const key = keyText(pair.key)
      if (key === undefined) {
        this.fail(keyAt, path, "a key must be plain text")
        continue
      }
      const keyPath = [...path, key]
      if (PROTOTYPE_KEYS.has(key)) this.fail(keyAt, keyPath, "this key is not allowed")
      if (children.has(key)) this.fail(keyAt, keyPath, "duplicate key")
      const value = this.node(pair.value, keyPath, depth + 1)
      if (key === "<<") {
        this.warn(keyAt, keyPath, "merge key is tolerated; written-out values are easier to review")
        merged.push({ keyAt, node: value })
      } else {
        children.set(key, { keyAt, node: value })
      }
    }
    for (const source of merged) this.merge(children, source.node, source.keyAt, path)
    return mapping(children, node.range[0])
  }

  /** Keys of the mapping itself win over merged ones (https://yaml.org/type/merge.html). */
  private merge(
    children: Map<string, { readonly keyAt: number; readonly node: Located }>,
    source: Located,
    at: number,
    path: ReadonlyArray<PropertyKey>
  ): void {
    if (Array.isArray(source.value)) {
      for (const { node } of source.children.values()) this.merge(children, node, at, path)
      return
    }
    if (typeof source.value !== "object" || source.value === null) {
      this.fail(at, [...path, "<<"], "a merge key needs a mapping")
      return
    }
    for (const [key, child] of source.children) {
      const name = String(key)
      if (!children.has(name)) children.set(name, child)
    }
  }

  private fail(offset: number, path: ReadonlyArray<PropertyKey>, message: string): void {
    this.problems.push(makeProblem("error", this.file, this.position(offset), path, message))
  }

  private warn(offset: number, path: ReadonlyArray<PropertyKey>, message: string): void {
    this.warnings.push(makeProblem("warning", this.file, this.position(offset), path, message))
  }
}

const leaf = (value: unknown, at: number): Located => ({
  value,
  set: value,
  at,
  children: new Map(),
  size: 1,
  depth: 1
})

const mapping = (
  children: ReadonlyMap<string, { readonly keyAt: number; readonly node: Located }>,
  at: number
): Located => {
  const value: Record<string, unknown> = Object.create(null)
  const set: Record<string, unknown> = Object.create(null)
  let size = 1
  let depth = 0
  for (const [key, { node }] of children) {
    value[key] = node.value
    if (!isUnset(node.set)) set[key] = node.set
    size += node.size
    depth = Math.max(depth, node.depth)
  }
  return { value, set, at, children, size, depth: depth + 1 }
}

/** A scalar key as it is written, so that an alias named `1` or `true` is that text. */
const keyText = (key: ParsedNode): string | undefined => {
  if (!isScalar(key) || (key.tag !== undefined && !CORE_TAGS.has(key.tag))) return undefined
  if (typeof key.value === "string") return key.value
  return typeof key.source === "string" && key.value !== null ? key.source : undefined
}

import { Predicate } from "effect"

/** A node of a JSON Schema. */
export interface SchemaNode {
  readonly [key: string]: unknown
}

/** An object schema with its required keys, [] when it states none. */
export const isObjectSchema = (node: SchemaNode): node is SchemaNode & { readonly required: ReadonlyArray<string> } =>
  node["type"] === "object" && Array.isArray(node["required"])

/** Visits a JSON Schema and everything below it. */
export const walk = (value: unknown, visit: (node: SchemaNode) => void): void => {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit)
  } else if (Predicate.isObject(value)) {
    visit(value)
    for (const inner of Object.values(value)) walk(inner, visit)
  }
}

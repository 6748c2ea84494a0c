import { Predicate, Schema } from "effect"

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: unknown
}

/** Leaves out `minLength` where the pattern says already that a text is not empty. */
const withoutRepetition = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutRepetition)
  if (!Predicate.isObject(value)) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutRepetition(inner)] as const)
  const { pattern }: JsonObject = value
  const notEmpty = typeof pattern === "string" && !new RegExp(pattern, "u").test("")
  return Object.fromEntries(entries.filter(([key, inner]) => !(notEmpty && key === "minLength" && inner === 1)))
}

/** The JSON Schema (draft 2020-12) of a tool's arguments: every field stated, nothing else accepted. */
export const inputJsonSchema = (schema: Schema.Constraint): JsonObject => {
  const stated = withoutRepetition(Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" }).schema)
  return { type: "object", properties: {}, ...(Predicate.isObject(stated) ? stated : {}) }
}

/** Words that a reader of results does not need: bounds of safe integers and prose. */
const OMITTED = new Set(["minimum", "maximum", "description", "title"])

/** Marks a schema for `compact`; never shown. */
const BRIEF = "brief"

/**
 * An object whose JSON Schema in a result states its identity alone: another tool's schema states it in full. Answers
 * are encoded by the whole schema all the same.
 */
export const briefly = <S extends Schema.Top>(schema: S): S["Rebuild"] => schema.annotate({ title: BRIEF })

/** The fields that an answer always has, where its kind has them: what it is about, and how it stands. */
const IDENTITY = new Set<unknown>(["task_id", "alias", "tag", "hash", "status"])

const isObjectSchema = (schema: JsonObject): boolean =>
  schema["type"] === "object" && Predicate.isObject(schema["properties"])

const enumOf = (schema: JsonObject): ReadonlyArray<unknown> | undefined =>
  Array.isArray(schema["enum"]) ? schema["enum"] : undefined

/** The schema of a property that two alternatives both have. */
const either = (a: JsonObject, b: JsonObject): JsonObject => {
  if (JSON.stringify(a) === JSON.stringify(b)) return a
  const [left, right] = [enumOf(a), enumOf(b)]
  if (left !== undefined && right !== undefined) return { enum: [...new Set([...left, ...right])] }
  return { anyOf: [a, b] }
}

const propertiesOf = (schema: JsonObject): ReadonlyArray<readonly [string, JsonObject]> =>
  Predicate.isObject(schema["properties"])
    ? Object.entries(schema["properties"]).map(([key, value]) => [key, Predicate.isObject(value) ? { ...value } : {}])
    : []

const requiredOf = (schema: JsonObject): ReadonlyArray<unknown> =>
  Array.isArray(schema["required"]) ? schema["required"] : []

/** One object schema that every alternative conforms to: all properties, and required what all of them require. */
const mergeObjects = (alternatives: ReadonlyArray<JsonObject>): JsonObject => {
  const properties = new Map<string, JsonObject>()
  for (const [key, value] of alternatives.flatMap(propertiesOf)) {
    const known = properties.get(key)
    properties.set(key, known === undefined ? value : either(known, value))
  }
  const required = [...properties.keys()].filter((key) =>
    alternatives.every((alternative) => requiredOf(alternative).includes(key))
  )
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required })
  }
}

/** The object with its required properties alone. */
const identityOf = (schema: JsonObject): JsonObject => {
  const { properties: _, ...rest } = schema
  const kept = propertiesOf(schema).filter(([key]) => requiredOf(schema).includes(key))
  return kept.length === 0 ? rest : { ...rest, properties: Object.fromEntries(kept) }
}

const compact = (value: unknown, inProperties = false): unknown => {
  const compacted = compactNode(value, inProperties)
  return !inProperties && Predicate.isObject(value) && value["title"] === BRIEF && Predicate.isObject(compacted)
    ? identityOf({ ...compacted })
    : compacted
}

const compactNode = (value: unknown, inProperties: boolean): unknown => {
  if (Array.isArray(value)) return value.map((item) => compact(item))
  if (!Predicate.isObject(value)) return value
  const object: JsonObject = Object.fromEntries(
    Object.entries(value)
      // The values of an enumeration say their type.
      .filter(([key]) => inProperties || !(OMITTED.has(key) || (key === "type" && "enum" in value)))
      .map(([key, inner]) => [key, compact(inner, !inProperties && key === "properties")])
  )
  const alternatives: unknown = object["anyOf"]
  if (!inProperties && Array.isArray(alternatives) && alternatives.every(Predicate.isObject)) {
    const schemas = alternatives.map((alternative): JsonObject => ({ ...alternative }))
    if (schemas.every(isObjectSchema)) return mergeObjects(schemas)
  }
  if (inProperties || !isObjectSchema(object)) return object
  const { additionalProperties: _, required: __, ...rest } = object
  const kept = requiredOf(object).filter((key) => IDENTITY.has(key))
  return kept.length === 0 ? rest : { ...rest, required: kept }
}

/**
 * The JSON Schema of a tool's results. Alternatives become one object schema, since the protocol wants a root of
 * type object and a short list. Only state and identity are required, as far as all alternatives have them, so that
 * an error of the tool's own kind conforms too. The root accepts nothing else. Prose is left out: the tool's
 * description says what the fields mean.
 */
export const outputJsonSchema = (schema: Schema.Constraint): JsonObject => {
  const compacted = compact(Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" }).schema)
  return Predicate.isObject(compacted) ? { ...compacted, additionalProperties: false } : {}
}

import { TOOLS } from "./Catalogue.ts"
import type { Tool } from "./Tool.ts"
import type { JsonObject } from "./WireSchema.ts"

/** A tool as `tools/list` shows it. */
export type ListedTool = Pick<Tool, "name" | "title" | "description" | "annotations"> & {
  readonly inputSchema: JsonObject
  readonly outputSchema: JsonObject
}

/**
 * The tools as `tools/list` shows them. Making the JSON Schemas takes longer than all else between a client's start of
 * the server and this answer; so the bundle carries their value in place of this module (scripts/rolldown.config.mjs).
 */
export const toolListing = (): ReadonlyArray<ListedTool> =>
  TOOLS.map(({ annotations, description, inputSchema, name, outputSchema, title }) => ({
    name,
    title,
    description,
    annotations,
    inputSchema: inputSchema(),
    outputSchema: outputSchema()
  }))

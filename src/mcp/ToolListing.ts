import { type ListedTool, listedTool } from "./ListedTool.ts"
import { TOOLS } from "./ProductTools.ts"

/**
 * The tools as `tools/list` shows them. Making the JSON Schemas takes longer than all else between a client's start of
 * the server and this answer; so the bundle carries their value in place of this module (scripts/rolldown.config.mjs).
 */
export const toolListing = (): ReadonlyArray<ListedTool> => TOOLS.map(listedTool)

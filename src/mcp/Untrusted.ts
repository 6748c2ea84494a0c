import type { JsonObject } from "./WireSchema.ts"

/** The key in `_meta` under which the fields stand that hold text of a remote host: data, not instructions. */
export const UNTRUSTED_KEY = "mcp-ssh-orchestrator/untrusted"

/** The `_meta` that marks these fields of a result or of a resource's contents; empty for none. */
export const untrusted = (fields: ReadonlyArray<string>): JsonObject =>
  fields.length === 0 ? {} : { [UNTRUSTED_KEY]: fields }

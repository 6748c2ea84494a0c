import { Effect, Schema } from "effect"
import type { ConfigSnapshot } from "../config/Inventory.ts"
import { formatProblem } from "../config/Problem.ts"
import { Denial } from "../policy/Denial.ts"

/** No host of this alias is in the inventory. */
export class HostNotFound extends Schema.TaggedError<HostNotFound>()("HostNotFound", { alias: Schema.String }) {
  override get message(): string {
    return `Host alias not found: ${this.alias}`
  }
}

/** The configuration does not allow the call: no usable file set, or a key or secret of this host is missing. */
export class ConfigUnusable extends Schema.TaggedError<ConfigUnusable>()("ConfigUnusable", {
  problems: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `Configuration error: ${this.problems.join("; ")}`
  }
}

/** The command was not run; nothing reached the host. */
export class CommandDenied extends Schema.TaggedError<CommandDenied>()("CommandDenied", { denial: Denial }) {
  override get message(): string {
    return this.denial.detail
  }
}

/** The snapshot, unless its files had a structural error: then nothing may be run or listed. */
export const requireUsable = (snapshot: ConfigSnapshot): Effect.Effect<ConfigSnapshot, ConfigUnusable> =>
  snapshot.usable
    ? Effect.succeed(snapshot)
    : Effect.fail(
        new ConfigUnusable({ problems: snapshot.problems.filter((p) => p.severity === "error").map(formatProblem) })
      )

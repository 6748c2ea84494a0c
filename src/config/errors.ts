import { Schema } from "effect"

/** A reload found structural errors; the previous configuration stays in force. */
export class ReloadFailed extends Schema.TaggedError<ReloadFailed>()("ReloadFailed", {
  /** Every problem, formatted, errors first; base names of files only. */
  problems: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `Configuration not reloaded: ${this.problems.join("; ")}`
  }
}

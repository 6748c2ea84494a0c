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

/** Why a file was not read. Says nothing about where it is, so that its text can be shown to a client. */
export class FileUnreadable extends Schema.TaggedError<FileUnreadable>()("FileUnreadable", {
  reason: Schema.Literals([
    "not found",
    "permission denied",
    "not a regular file",
    "too large",
    "outside the directory",
    "unreadable"
  ])
}) {
  override get message(): string {
    return this.reason
  }
}

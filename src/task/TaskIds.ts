import { Context, Effect, Layer } from "effect"
import { randomBytes } from "node:crypto"
import { TaskId } from "./Task.ts"

/** Crockford's base 32: no I, L, O or U. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

/** Characters of a suffix: 26 of 5 bits each make 130 random bits. */
const LENGTH = 26

/** The suffix of a task id from random bytes: the low five bits of each become one character. */
export const suffixFrom = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => ALPHABET.charAt(byte & 31)).join("")

/** Makes the ids of tasks. A simulation replaces it to make its log repeatable. */
export class TaskIds extends Context.Service<
  TaskIds,
  {
    /** `prefix:hash:suffix`: an alias of at most 100 characters (or `tag.` and a tag), and 16 hex digits. */
    readonly next: (prefix: string, hash: string) => Effect.Effect<TaskId>
  }
>()("mcp-ssh-orchestrator/task/TaskIds") {
  /** Suffixes from the operating system's random source: whoever was not given an id cannot guess it. */
  static readonly layer = Layer.succeed(
    TaskIds,
    TaskIds.of({
      next: (prefix, hash) =>
        Effect.sync(() => TaskId.make(`${prefix}:${hash}:${suffixFrom(Uint8Array.from(randomBytes(LENGTH)))}`))
    })
  )
}

/** Longest line that is held back until it ends, in UTF-16 units; a longer one is passed on in pieces of this size. */
const MAX_HELD = 16 * 1024

/** The unfinished line of one stream of one host. */
export interface LineSplitter {
  /** The lines that this text completes, without their ends. */
  readonly push: (text: string) => ReadonlyArray<string>
  /** The unfinished line, if there is one; the splitter is empty afterwards. */
  readonly flush: () => ReadonlyArray<string>
}

/** A splitter of its own for each stream, so that lines of many hosts do not mix in the middle. */
export const makeLineSplitter = (): LineSplitter => {
  let held = ""
  return {
    push: (text) => {
      const lines = (held + text).split("\n")
      held = lines.pop() ?? ""
      while (held.length > MAX_HELD) {
        lines.push(held.slice(0, MAX_HELD))
        held = held.slice(MAX_HELD)
      }
      return lines
    },
    flush: () => {
      const rest = held
      held = ""
      return rest === "" ? [] : [rest]
    }
  }
}

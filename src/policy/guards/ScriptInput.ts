import { baseName } from "../rules/DenyPattern.ts"
import type { Words } from "../shell/Word.ts"
import { SHELLS } from "./WrapperTable.ts"

const OTHER_SHELLS: ReadonlySet<string> = new Set(["fish", "csh", "tcsh", "rc", "nu", "pwsh"])

/**
 * Whether a shell is started that takes its script from standard input: no script in `-c`, no file, or `-s`. In a pipeline
 * it runs whatever text comes, so that no rule can mean it.
 */
export const readsScriptFromInput = (words: Words): boolean => {
  const [name, ...args] = words
  if (name._tag === "Dynamic") return false
  const program = baseName(name.text)
  if (!SHELLS.has(program) && !OTHER_SHELLS.has(program)) return false
  const texts = args.map((word) => (word._tag === "Static" ? word.text : "-"))
  if (texts.some((text) => text === "--version" || text === "--help" || /^-[a-z]*c/.test(text))) return false
  return texts.some((text) => /^-[a-z]*s/.test(text)) || texts.every((text) => /^[-+]/.test(text))
}

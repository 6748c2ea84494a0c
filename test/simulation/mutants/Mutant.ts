import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** One place in a source file and what stands there instead. */
export interface Edit {
  /** Below src/. */
  readonly file: string
  /** Must stand there exactly once, so that a change of the product cannot turn the mutant into the product. */
  readonly from: string
  readonly to: string
}

/** A deliberate bug. */
export interface Mutant {
  /** What is wrong with it. */
  readonly name: string
  readonly edits: readonly [Edit, ...ReadonlyArray<Edit>]
}

const ROOT = new URL("../../..", import.meta.url).pathname

const applied = (text: string, { file, from, to }: Edit): string => {
  const found = text.split(from).length - 1
  if (found !== 1) throw new Error(`src/${file} holds ${found} times what is to be replaced: ${from}`)
  return text.replace(from, () => to)
}

/**
 * Copies the sources to a directory of their own and puts the edits there, so that the bug is in a process of its own and
 * never in the tree. The caller removes the directory.
 */
export const copyWith = (edits: ReadonlyArray<Edit>): string => {
  const directory = mkdtempSync(join(tmpdir(), "mutant-"))
  cpSync(join(ROOT, "src"), join(directory, "src"), { recursive: true })
  cpSync(join(ROOT, "package.json"), join(directory, "package.json"))
  symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"))
  for (const edit of edits) {
    const path = join(directory, "src", edit.file)
    writeFileSync(path, applied(readFileSync(path, "utf8"), edit))
  }
  return directory
}

/** Removes what `copyWith` made. */
export const remove = (directory: string): void => rmSync(directory, { recursive: true, force: true })

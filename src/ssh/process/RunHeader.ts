import { type LoginShell, loginShells } from "./LoginShell.ts"

/** Bytes of stderr in which the header is looked for; a login shell that writes more noise is not waited for. */
export const MAX_NOISE_BYTES = 64 * 1024

/** The longest line end after the tag: a pid, a blank, a shell's kind, a newline and room. */
const MAX_TAIL_BYTES = 32

/** What follows the tag: a pid and, from the probing form, the kind of the login shell. */
const TAIL = /^([1-9][0-9]{0,9})(?: ([a-z]+))?$/

/** The search for the line `MCPRUN tag pid [shell]` in stderr. */
export type HeaderSearch =
  /** Not found yet. `held` is the end of what was read, in so far as the header may begin in it. */
  | { readonly _tag: "Searching"; readonly held: Buffer; readonly read: number }
  | { readonly _tag: "Found"; readonly pid: number; readonly shell: LoginShell | undefined }
  /** Not within the first 64 KiB. */
  | { readonly _tag: "GivenUp" }

/** The search before the first byte. */
export const headerSearch: HeaderSearch = { _tag: "Searching", held: Buffer.alloc(0), read: 0 }

/** The length of the longest end of `bytes` that is a beginning of `marker`. */
const overlap = (bytes: Buffer, marker: Buffer): number => {
  for (let length = Math.min(bytes.length, marker.length - 1); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(marker.subarray(0, length))) return length
  }
  return 0
}

/**
 * Feeds stderr bytes to the search. `pass` is what belongs to the output: noise before the header and whatever follows
 * it, never the header itself. However the bytes are split, the concatenation of `pass` is the same.
 */
export const searchHeader = (
  search: HeaderSearch,
  tag: string,
  bytes: Buffer
): { readonly search: HeaderSearch; readonly pass: Buffer } => {
  if (search._tag !== "Searching") return { search, pass: bytes }
  const marker = Buffer.from(`MCPRUN ${tag} `, "latin1")
  const all = Buffer.concat([search.held, bytes])
  const read = search.read + bytes.length
  const at = all.indexOf(marker)
  if (at < 0) {
    if (read > MAX_NOISE_BYTES) return { search: { _tag: "GivenUp" }, pass: all }
    const keep = overlap(all, marker)
    return {
      search: { _tag: "Searching", held: all.subarray(all.length - keep), read },
      pass: all.subarray(0, all.length - keep)
    }
  }
  const start = at + marker.length
  const end = all.indexOf(0x0a, start)
  if (end < 0) {
    return all.length - start > MAX_TAIL_BYTES
      ? { search: { _tag: "GivenUp" }, pass: all }
      : { search: { _tag: "Searching", held: all.subarray(at), read }, pass: all.subarray(0, at) }
  }
  const tail = TAIL.exec(all.toString("latin1", start, end))
  if (tail === null) return { search: { _tag: "GivenUp" }, pass: all }
  return {
    search: { _tag: "Found", pid: Number(tail[1]), shell: loginShells.find((shell) => shell === tail[2]) },
    pass: Buffer.concat([all.subarray(0, at), all.subarray(end + 1)])
  }
}

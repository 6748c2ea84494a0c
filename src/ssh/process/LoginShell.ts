/**
 * What reads the texts that are sent over one connection. sshd looks the account up when it authenticates, so that it is
 * the same for every command of a connection.
 *
 * - `posix`: the account's own shell, one that reads the canonical text as POSIX says (sh, bash, dash, ash). The command runs
 *   in it.
 * - `other`: reads POSIX quoting, but the command runs in `sh`: zsh, which does not split fields and fails on a pattern
 *   without a match, the Korn shells, whose `test` evaluates its operands as arithmetic, a forced command, or a shell that
 *   is not known by name.
 * - `foreign`: reads quoting of its own (fish, csh, tcsh). The command is sent encoded and runs in `sh`.
 */
export type LoginShell = "posix" | "other" | "foreign"

/** Every `LoginShell`, as the header names them. */
export const loginShells: ReadonlyArray<LoginShell> = ["posix", "other", "foreign"]

/**
 * A word that shells read differently: POSIX shells and zsh as `{x}\\`, fish as `{x}\` (it unescapes inside single quotes), csh and
 * tcsh as `x\\` (they drop the braces). An error in none of them.
 */
export const PROBE_WORD = `{x}'\\\\'`

/** The names that a shell of kind `posix` has in passwd(5): those under which canonical texts are fuzzed, and `ash`. */
const POSIX_NAMES: ReadonlyArray<string> = ["sh", "bash", "dash", "ash"]

/**
 * The script, for `sh -c script sh TAG ENCODED PROBE_WORD`, that finds out the kind, prints the header with it and runs the
 * command in the shell that later commands of the connection will run in. `SHELL` is the account's shell, set by sshd;
 * `SSH_ORIGINAL_COMMAND` is set when that shell did not get our text itself (sshd(8), ForceCommand).
 */
export const PROBE_SCRIPT: string = [
  "export LC_MCP_RUN=$1",
  'c=$(printf %b "$2")',
  "s=sh",
  "k=foreign",
  `case "$3" in '{x}\\\\') k=other; case "\${SHELL##*/}:$SSH_ORIGINAL_COMMAND" in ${POSIX_NAMES.map((name) => `${name}:`).join("|")}) k=posix; s=$SHELL;; esac;; esac`,
  'printf "MCPRUN %s %s %s\\n" "$1" $$ $k >&2',
  'exec "$s" -c "$c"'
].join("; ")

/**
 * A text as an argument for `printf %b` (POSIX XCU, printf): printable ASCII but the backslash stands for itself, every other
 * byte of its UTF-8 is `\0` and three octal digits. No shell changes what is left, on one line.
 */
export const encodeText = (text: string): string =>
  text.replace(/[^ -[\]-~]+/g, (run) =>
    Array.from(Buffer.from(run, "utf8"), (byte) => `\\0${byte.toString(8).padStart(3, "0")}`).join("")
  )

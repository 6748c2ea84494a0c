import { Context, Effect } from "effect"
import { randomUUID } from "node:crypto"
import { encodeText, type LoginShell, PROBE_SCRIPT, PROBE_WORD } from "./LoginShell.ts"

/** The environment variable that marks every process of a run. `LC_` because sudo keeps such names (sudoers env_keep). */
export const RUN_VARIABLE = "LC_MCP_RUN"

/** Makes the tag of a run: 32 hex digits, 122 bits of them random (Node draws the bytes of many UUIDs at once). A reference, so that a simulation can draw it from its seed. */
export const RunTag = Context.Reference<Effect.Effect<string>>("mcp-ssh-orchestrator/ssh/RunTag", {
  defaultValue: () => Effect.sync(() => randomUUID().replaceAll("-", ""))
})

/**
 * Quotes a text as one word, for every login shell that we may meet. POSIX shells, fish and csh agree on what a quoted
 * run without `'`, `\` and `!` means, and on a backslash before one of those outside quotes; they disagree on anything
 * shorter (inside single quotes, fish reads `\'` as a quote, which would let a command end the word).
 */
export const quoteWord = (text: string): string =>
  text.length === 0 ? "''" : text.replace(/[^'\\!]+|['\\!]/g, (run) => (/^['\\!]$/.test(run) ? `\\${run}` : `'${run}'`))

/**
 * Words that must not be run with `exec`: reserved words, and builtins of dash, bash, ksh, zsh and busybox that either
 * exist only in the shell or behave differently there.
 */
const SHELL_WORDS = new Set(
  (
    "! { } [[ case coproc do done elif else esac fi for foreach function if in namespace repeat select then time until while " +
    ". : [ alias bg bind break builtin caller cd chdir command compgen complete compopt continue declare dirs disown " +
    "echo enable eval exec exit export false fc fg getopts hash help hist history jobs kill let limit local logout " +
    "mapfile newgrp noglob popd print printf pushd pwd read readarray readonly rehash return sched set setopt shift " +
    "shopt sleep source suspend test times trap true type typeset ulimit umask unalias unhash unlimit unset unsetopt " +
    "wait whence where which"
  )
    .split(" ")
    .filter((word) => word !== "sleep")
)

/** A command of plain words only: unquoted safe characters or single-quoted runs, separated by blanks. */
const PLAIN = /^(?:[A-Za-z0-9_@%+:,./=-]|'[^']*')+(?: +(?:[A-Za-z0-9_@%+:,./=-]|'[^']*'|\\')+)*$/

/**
 * Whether `exec` may stand before a command without changing what it does: one program, by name, that no shell has
 * built in. The shell then becomes the program, so that a signal that kills it is reported as a signal; dash, as most
 * `sh`, would otherwise stay its parent and report 128 + n.
 */
export const canExec = (command: string): boolean => {
  if (!PLAIN.test(command)) return false
  const word = (command.split(" ")[0] ?? "").replaceAll("'", "")
  return /^[A-Za-z0-9_./+][A-Za-z0-9_./+-]*$/.test(word) && !SHELL_WORDS.has(word)
}

/** The header, the tag and the command, for a POSIX shell. */
const posixText = (tag: string, command: string): string =>
  `printf "MCPRUN %s %s\\n" ${tag} $$ >&2; export ${RUN_VARIABLE}=${tag}; ${canExec(command) ? "exec " : ""}${command}`

/**
 * What is sent to the host instead of the bare command, since SSH has no dependable way to stop a process without a
 * terminal (RFC 4254 §6.9 signals are refused or reach the leader only). sshd made the login shell a session leader: its
 * `$$`, kept by `exec`, is the process group and the session. It prints `MCPRUN tag pid` on stderr, then runs the command.
 *
 * While nothing is known about the login shell, the text is one that all of them read alike, and the header ends with what
 * the shell turned out to be. A POSIX login shell then runs the command without a further process.
 */
export const runText = (shell: LoginShell | undefined, tag: string, command: string): string => {
  if (shell === "posix") return posixText(tag, command)
  if (shell === "other") return `exec sh -c ${quoteWord(posixText(tag, command))}`
  const encoded = encodeText(canExec(command) ? `exec ${command}` : command)
  return `exec sh -c ${quoteWord(PROBE_SCRIPT)} sh ${tag} ${quoteWord(encoded)} ${PROBE_WORD}`
}

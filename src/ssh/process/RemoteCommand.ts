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

/** What the killer looks for. */
export interface StopOrder {
  readonly tag: string
  /** The leader's pid, which is its process group and session; 0 when it was never seen. */
  readonly pid: number
  /** Whether the leader is known to be alive, so that the pid cannot have been given to another process. */
  readonly alive: boolean
  /** Tenths of a second between TERM and KILL, at least 0. */
  readonly graceTenths: number
  /** Whether to try `sudo -n` too: what sudo started can be signalled by root only. */
  readonly sudo: boolean
}

/**
 * The killer: TERM (and CONT, for a stopped process) to the process group, to every process of the session and to every
 * process that carries the tag in its environment or, as a shell that was given it, in its command line; after the grace
 * KILL, for up to a second. Prints `DEAD`, or `SURVIVORS` and their pids. Processes are found through /proc; without it, or
 * without the tools that read it, the process group alone is signalled and the answer is `UNSURE` instead of `DEAD`.
 *
 * The pattern is written so that it does not match the command line of the grep that is given it.
 */
const KILLER = `id=$1; pg=$2; ok=$3; g=$4; su=$5; sure=1
[ -e /proc/self/stat ] || sure=
for t in grep awk cut sort; do command -v $t >/dev/null 2>&1 || sure=; done
tag() { grep -ls "[L]${RUN_VARIABLE.slice(1)}=$id" "$@" 2>/dev/null; [ "$su" ] && $su grep -ls "[L]${RUN_VARIABLE.slice(1)}=$id" "$@" 2>/dev/null; }
[ "$pg" -gt 1 ] || ok=0
[ "$ok" = 1 ] || { [ "$pg" -gt 1 ] && [ "$(tag /proc/$pg/environ /proc/$pg/cmdline)" ] && ok=1; }
[ "$ok" = 1 ] || { [ "$pg" -gt 1 ] && ! [ -e /proc/$pg ] && [ -e /proc/self ] && ok=1; }
members() { awk -v s="$pg" '{ p = $1; sub(/.*\\) /, ""); if ($4 == s && $1 != "Z" && $1 != "X") print p }' /proc/[0-9]*/stat 2>/dev/null; }
list() { if [ "$sure" ]; then { tag /proc/[0-9]*/environ /proc/[0-9]*/cmdline | cut -d/ -f3; [ "$ok" = 1 ] && members; } | sort -u; else [ "$ok" = 1 ] && kill -0 -$pg 2>/dev/null && echo $pg; fi; }
send() { kill "$@" 2>/dev/null; [ "$su" ] && $su kill "$@" 2>/dev/null; }
sig() { [ "$ok" = 1 ] && send -$1 -$pg; l=$(list); [ "$l" ] && send -$1 $l; }
nap() { sleep $1 2>/dev/null || { sleep 1; i=$((i+9)); }; }
sig TERM; sig CONT; i=0; n=0.02
while [ $i -lt $g ] && [ "$(list)" ]; do nap $n; [ $n = 0.1 ] && i=$((i+1)); [ $n = 0.05 ] && n=0.1; [ $n = 0.02 ] && n=0.05; done
i=0; while [ $i -lt 10 ] && [ "$(list)" ]; do sig KILL; nap 0.1; i=$((i+1)); done
l=$(list); if [ "$l" ]; then echo SURVIVORS $l; elif [ "$sure" ]; then echo DEAD; else echo UNSURE; fi`

/** The command line that runs the killer. */
export const stopText = (order: StopOrder): string =>
  [
    "exec sh -c",
    quoteWord(KILLER.replaceAll("\n", "; ").replaceAll("do; ", "do ")),
    "mcpstop",
    order.tag,
    String(order.pid),
    order.alive ? "1" : "0",
    String(Math.max(0, Math.round(order.graceTenths))),
    order.sudo ? "'sudo -n'" : "''"
  ].join(" ")

/** What the killer's output says: nothing is left, or these pids are; undefined when it did not come to an end. */
export const parseStopAnswer = (
  output: string
): { readonly dead: boolean; readonly survivors: ReadonlyArray<number> } | undefined => {
  const lines = output.split("\n").map((line) => line.trim())
  const survivors = lines.find((line) => line.startsWith("SURVIVORS "))
  if (survivors !== undefined) {
    return { dead: false, survivors: (survivors.match(/[0-9]{1,10}/g) ?? []).slice(0, 1000).map(Number) }
  }
  return lines.includes("DEAD") ? { dead: true, survivors: [] } : undefined
}

import { type Argv, baseName } from "../rules/Pattern.ts"

/** Where the command is that another command runs. */
export type Wrapped =
  /** The command runs no other. */
  | { readonly _tag: "Plain" }
  /** The inner command is the words from `index` on. */
  | { readonly _tag: "Inner"; readonly index: number }
  /** The words from `index` on, joined by blanks, are shell text. */
  | { readonly _tag: "Script"; readonly index: number }
  /** It runs another command, and which one is not certain. */
  | { readonly _tag: "Unknown" }

/** The options of a wrapper that are known not to matter; any other option makes the inner command uncertain. */
interface Options {
  /** Short options without a value. */
  readonly flags?: string
  /** Short options with a value, attached or as the next word. */
  readonly values?: string
  readonly longFlags?: ReadonlyArray<string>
  readonly longValues?: ReadonlyArray<string>
  /** Words of the wrapper's own before the inner command. */
  readonly operands?: number
  /** Whether assignments of harmless variables may stand before the inner command. */
  readonly assignments?: boolean
  /** Whether the wrapper alone, without an inner command, is harmless. */
  readonly alone?: boolean
  /** Whether `-10` is an option (nice). */
  readonly numeric?: boolean
}

const PLAIN: Wrapped = { _tag: "Plain" }
const UNKNOWN: Wrapped = { _tag: "Unknown" }

/** Wrappers with their options (man pages of sudo 1.9, doas, coreutils 9, util-linux 2.38, bash 5.2). */
const OPTIONS: ReadonlyMap<string, Options> = new Map<string, Options>([
  [
    "sudo",
    {
      flags: "nHSEk",
      values: "ugpT",
      longFlags: ["--non-interactive", "--set-home", "--stdin"],
      longValues: ["--user", "--group", "--prompt", "--command-timeout"]
    }
  ],
  ["doas", { flags: "n", values: "u" }],
  [
    "env",
    {
      flags: "i0v",
      values: "u",
      longFlags: ["--ignore-environment", "--null", "--debug"],
      longValues: ["--unset"],
      assignments: true,
      alone: true
    }
  ],
  ["nohup", {}],
  ["nice", { values: "n", longValues: ["--adjustment"], numeric: true, alone: true }],
  [
    "ionice",
    { flags: "t", values: "cn", longFlags: ["--ignore"], longValues: ["--class", "--classdata"], alone: true }
  ],
  [
    "timeout",
    {
      flags: "v",
      values: "ks",
      longFlags: ["--preserve-status", "--foreground", "--verbose"],
      longValues: ["--kill-after", "--signal"],
      operands: 1
    }
  ],
  ["stdbuf", { values: "ioe", longValues: ["--input", "--output", "--error"] }],
  ["setsid", { flags: "cfw", longFlags: ["--ctty", "--fork", "--wait"] }],
  [
    "chrt",
    { flags: "abdfior", longFlags: ["--batch", "--fifo", "--idle", "--other", "--rr", "--all-tasks"], operands: 1 }
  ],
  ["taskset", { flags: "ac", longFlags: ["--all-tasks", "--cpu-list"], operands: 1 }],
  ["command", { flags: "p" }],
  ["exec", { flags: "cl", values: "a" }],
  ["builtin", {}],
  ["time", { flags: "pv", values: "f", longFlags: ["--portability", "--verbose"], longValues: ["--format"] }],
  [
    "flock",
    {
      flags: "sxnueoF",
      values: "wE",
      longFlags: ["--shared", "--exclusive", "--nonblock", "--unlock", "--close", "--no-fork"],
      longValues: ["--wait", "--timeout", "--conflict-exit-code"],
      operands: 1
    }
  ],
  ["busybox", {}],
  ["toybox", {}],
  ["noglob", {}],
  ["nocorrect", {}]
])

const SHELLS: ReadonlySet<string> = new Set("sh bash rbash dash ash ksh ksh93 mksh lksh yash zsh".split(" "))

/** Programs that run another one in a way that is not followed: only a pattern without wildcards allows them. */
const OPAQUE: ReadonlySet<string> = new Set(
  (
    "xargs chroot unshare nsenter su runuser setpriv watch script systemd-run parallel strace ltrace gdb valgrind " +
    "fakeroot prlimit unbuffer cgexec numactl chpst dbus-run-session start-stop-daemon daemonize screen tmux expect " +
    "entr socat ssh-agent rlwrap logsave pkexec machinectl fish csh tcsh runcon sg newgrp capsh firejail bwrap at batch"
  ).split(" ")
)

/** Variables that change how a program prints and nothing else. */
const HARMLESS = /^(?:LANG|LANGUAGE|LC_(?!MCP_)[A-Z_]+|TZ|COLUMNS|LINES|NO_COLOR|TERM|SYSTEMD_COLORS)=/

/** How many words an option takes, or none when the table does not know it. */
const optionLength = (options: Options, word: string): 1 | 2 | undefined => {
  if (word.startsWith("--")) {
    const equals = word.indexOf("=")
    const name = equals < 0 ? word : word.slice(0, equals)
    if (equals < 0 && options.longFlags?.includes(name) === true) return 1
    return options.longValues?.includes(name) === true ? (equals < 0 ? 2 : 1) : undefined
  }
  if (options.numeric === true && /^-\d+$/.test(word)) return 1
  const letters = word.slice(1).split("")
  for (const [index, letter] of letters.entries()) {
    if (options.flags?.includes(letter) === true) continue
    if (options.values?.includes(letter) !== true) return undefined
    return index === letters.length - 1 ? 2 : 1
  }
  return letters.length === 0 ? undefined : 1
}

const unwrapByOptions = (options: Options, argv: Argv): Wrapped => {
  let index = 1
  for (let word = argv[index]; word?.startsWith("-") === true; word = argv[index]) {
    if (word === "--") {
      index++
      break
    }
    const length = optionLength(options, word)
    if (length === undefined) return UNKNOWN
    index += length
  }
  const operands = argv.slice(index, index + (options.operands ?? 0))
  if (operands.some((word) => word.startsWith("-"))) return UNKNOWN
  index += options.operands ?? 0
  while (options.assignments === true && argv[index]?.includes("=") === true) {
    if (!HARMLESS.test(argv[index] ?? "")) return UNKNOWN
    index++
  }
  const name = argv[index]
  if (name === undefined) return options.alone === true ? PLAIN : UNKNOWN
  return name.includes("=") ? UNKNOWN : { _tag: "Inner", index }
}

const FIND_RUNS: ReadonlySet<string> = new Set(["-exec", "-execdir", "-ok", "-okdir"])

/** Finds the command that a command runs. An option that is not known, also an abbreviated one, makes it uncertain. */
export const unwrap = (argv: Argv): Wrapped => {
  const program = baseName(argv[0])
  if (SHELLS.has(program)) return argv[1] === "-c" && argv.length === 3 ? { _tag: "Script", index: 2 } : UNKNOWN
  if (program === "eval") {
    return argv[1] === undefined || argv[1].startsWith("-") ? UNKNOWN : { _tag: "Script", index: 1 }
  }
  if (program === "find") return argv.some((word) => FIND_RUNS.has(word)) ? UNKNOWN : PLAIN
  if (OPAQUE.has(program)) return UNKNOWN
  if (program === "command" && (argv[1] === "-v" || argv[1] === "-V")) return PLAIN
  const options = OPTIONS.get(program)
  return options === undefined ? PLAIN : unwrapByOptions(options, argv)
}

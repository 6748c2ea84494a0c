import { type DocumentProblem, warning } from "../DocumentProblem.ts"
import { isGuarded } from "../guards/ArgumentGuards.ts"
import { isWrapper } from "../guards/Wrapper.ts"
import { type AllowPattern, compileAllowPattern } from "./AllowPattern.ts"
import type { Rule } from "./Rule.ts"

/** Programs that run code from their arguments, their input or a prompt of their own, without a version in the name. */
const INTERPRETERS: ReadonlySet<string> = new Set(
  (
    "python pypy perl ruby irb node nodejs deno bun lua luajit php tclsh wish guile racket sbcl clisp ghci runghc ocaml erl " +
    "escript elixir iex julia octave R Rscript gnuplot jshell java groovy scala kotlin dotnet go cargo npm npx yarn pnpm pip " +
    "gem bundle rake psql mysql mariadb sqlite sqlite3 mongo mongosh redis-cli cqlsh sqlcmd sqlplus influx duckdb vi vim " +
    "vimdiff view rvim nvim nano ed ex emacs pico mc less more most man info w3m lynx mail mutt ftp sftp lftp tcpdump tshark " +
    "make gmake cmake ninja scons ant mvn gradle m4 gcc cc ld as ansible ansible-playbook terraform salt salt-call puppet " +
    "chef-client apt apt-get aptitude dpkg yum dnf rpm zypper apk pacman snap flatpak " +
    "crontab openssl certbot logrotate run-parts rsync scp debugfs zip cpio nmap bpftrace stap perf"
  ).split(" ")
)

/** Programs some of whose sub-commands run any code, inside a container or on another host. */
const CONTAINERS: ReadonlySet<string> = new Set("docker podman nerdctl kubectl oc crictl ctr lxc incus".split(" "))

/** Programs that run what they read when nothing else names a script, which a pipe or a here-document can supply. */
const READS_SCRIPT =
  /^(?:python|pypy|perl|ruby|node|nodejs|deno|bun|lua|luajit|php|tclsh|guile|R|psql|mysql|mariadb|sqlite3?|mongosh?|redis-cli|ed|ex|at|batch|m4|gnuplot|octave|julia|(?:r?ba|da|k|mk|lk|ya|z|fi|c|tc|a)?sh)$/

/** `python3.12` is `python`, `php8.2` is `php`; `sqlite3` and the like are listed as they are. */
const withoutVersion = (program: string): string => program.replace(/-?\d[\d.]*$/, "")

const baseOf = (program: string): string => program.slice(program.lastIndexOf("/") + 1)

/** Wrappers and guarded programs are held by what checks their arguments. */
const isInterpreter = (program: string): boolean =>
  (INTERPRETERS.has(program) || INTERPRETERS.has(withoutVersion(program))) && !isWrapper(program) && !isGuarded(program)

const isOpen = (pattern: AllowPattern): boolean =>
  pattern.rest !== "none" || pattern.tokens.some((token) => token._tag === "Any")

const readsScript = (program: string, args: ReadonlyArray<string>): boolean =>
  (READS_SCRIPT.test(program) || READS_SCRIPT.test(withoutVersion(program))) &&
  args.every((word) => /^(?:-[eiqsux]*|--|\/dev\/stdin)$/.test(word))

const everywhere = (rule: Rule): boolean =>
  (rule.tags?.length ?? 0) === 0 && ((rule.aliases?.length ?? 0) === 0 || rule.aliases?.includes("*") === true)

/** A program as a rule allows it. */
interface Allowed {
  readonly program: string
  /** Its arguments, when the rule names all of them. */
  readonly exactly: ReadonlyArray<string> | undefined
  /** Whether any further arguments may follow. */
  readonly open: boolean
  /** Whether its first argument may be this word. */
  readonly mayBegin: (word: string) => boolean
}

const runsContainer = ({ mayBegin, program }: Allowed): boolean =>
  CONTAINERS.has(program) && (mayBegin("run") || mayBegin("exec"))

/** Why a rule allows more than it seems to, or none. */
const breadthOf = (rule: Rule, allowed: Allowed): string | undefined => {
  const { exactly, open, program } = allowed
  if (open && rule.unsafe_args === true && isGuarded(program)) {
    return `switches the guards of ${program} off: it may run programs and write files`
  }
  if (open && isInterpreter(program)) return `allows any code that ${program} can run`
  if (open && runsContainer(allowed)) return `allows any code that ${program} can run in a container`
  return exactly !== undefined && readsScript(program, exactly)
    ? `allows any code: ${program} runs what a pipe or a here-document gives it`
    : undefined
}

const patternBreadth = (rule: Rule, pattern: AllowPattern): string | undefined => {
  if (pattern.program === undefined) {
    const args = pattern.tokens.length > 0 ? "with these arguments" : "with any arguments"
    return `allows any program ${args} on ${everywhere(rule) ? "every host" : "the hosts of the rule"}`
  }
  const [first] = pattern.tokens
  const literals = pattern.tokens.flatMap((token) => (token._tag === "Literal" ? [token.text] : []))
  return breadthOf(rule, {
    program: baseOf(pattern.program),
    exactly: pattern.rest !== "some" && literals.length === pattern.tokens.length ? literals : undefined,
    open: isOpen(pattern),
    mayBegin: (word) =>
      first === undefined ||
      first._tag === "Any" ||
      (first._tag === "Literal" ? first.text === word : first.glob.matches(word))
  })
}

const wordsBreadth = (rule: Rule, program: string, args: ReadonlyArray<string>, open: boolean): string | undefined =>
  breadthOf(rule, { program, exactly: args, open, mayBegin: (word) => args.length === 0 || args[0] === word })

/**
 * Warns of allow rules that allow any program, or any code: an interpreter, an editor, a pager or a package manager under a
 * wildcard, and an interpreter without arguments, which runs what a pipe gives it.
 */
export const checkBreadth = (rule: Rule, index: number): ReadonlyArray<DocumentProblem> => {
  if (rule.action !== "allow") return []
  const told = (path: ReadonlyArray<string | number>, message: string | undefined): ReadonlyArray<DocumentProblem> =>
    message === undefined ? [] : [warning(["rules", index, ...path], message)]
  const { arg_prefix: prefix = [], binary } = rule
  return [
    ...(rule.commands ?? []).flatMap((source, place) => {
      const pattern = compileAllowPattern(source)
      return pattern === undefined ? [] : told(["commands", place], patternBreadth(rule, pattern))
    }),
    ...(rule.simple_binaries ?? []).flatMap((program, place) =>
      told(["simple_binaries", place], wordsBreadth(rule, program, [], rule.simple_max_args !== 0))
    ),
    ...(binary === undefined || prefix.length === 0
      ? []
      : told(["binary"], wordsBreadth(rule, binary, prefix, rule.allow_extra_args !== false)))
  ]
}

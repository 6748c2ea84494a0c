/** A program on the PATH of the scripts: it logs its arguments, and then may do something more. */
export interface Stub {
  readonly name: string
  /** What it does after logging, as dash text in which `log FIELD...` appends a record; exit status 0 if it does nothing. */
  readonly behaviour: string
}

/** A stub that does nothing but log its arguments. */
export const silent = (name: string): Stub => ({ name, behaviour: "" })

/** Drops the options of `sudo` that are only about whom to be; a command's own options stay. */
const SUDO = `
while :; do
  case $1 in
    -n) shift ;;
    -u) shift 2 ;;
    *) break ;;
  esac
done
exec "$@"`

/** Shells and programs that run what they are given: they log their arguments and then do so. */
export const WRAPPER_STUBS: ReadonlyArray<Stub> = [
  { name: "sh", behaviour: 'exec /bin/bash "$@"' },
  { name: "bash", behaviour: 'exec /bin/bash "$@"' },
  { name: "dash", behaviour: 'exec /bin/dash "$@"' },
  { name: "sudo", behaviour: SUDO },
  ...["env", "find", "nice", "nohup", "setsid", "stdbuf", "timeout", "xargs"].map((name) => ({
    name,
    behaviour: `exec /usr/bin/${name} "$@"`
  }))
]

/** A writer may find its reader gone; it then ends with status 0, whoever is faster. */
const WRITE = (command: string): string => `trap '' PIPE\n${command} 2> /dev/null`

const COPY = `
copy() {
  while IFS= read -r line; do printf '%s\\n' "$line"; done
  printf '%s.' "$line"
}
text=$(copy)
text=\${text%.}
log S "$text"
${WRITE(`printf '%s' "$text"`)}`

/** Names that a shell reads as something else where they are not quoted. */
const ODD =
  "if then else elif fi do done case esac in while until for select function time coproc repeat { } ! [[ ]] a=b v=x ~ {a,b} # a* x;y".split(
    " "
  )

/** Names that come about when quotes or blanks are lost or gained. */
const STRAY = [
  "x y",
  "x",
  "y1",
  "foo",
  "é",
  "日本",
  "\\",
  "'",
  '"',
  "$v",
  "$(b)",
  "`b`",
  "a\nb",
  "@",
  ",",
  "+",
  "1",
  "2",
  "10"
]

/** Programs of generated scripts: `f` and `g` fail, `p` and `e` print, `i` copies and logs its input, wrappers run what they are given, the others only log. */
export const FUZZ_STUBS: ReadonlyArray<Stub> = [
  ...WRAPPER_STUBS,
  ...["a", "b", "cc", "d", "t", ...ODD, ...STRAY].map(silent),
  { name: "f", behaviour: "exit 1" },
  { name: "g", behaviour: "exit 3" },
  { name: "p", behaviour: WRITE(`printf '%s\\n' "$@"`) },
  { name: "e", behaviour: WRITE(`printf '%s\\n' 'x  y * -z ../q' '$(b) \`b\` ~ ;b' ''`) },
  { name: "i", behaviour: COPY },
  // Counters: their output is a number if their options leave it one. Of `nproc` there is none, so it prints nothing.
  { name: "wc", behaviour: 'exec /usr/bin/wc "$@"' },
  { name: "grep", behaviour: 'exec /bin/grep "$@"' }
]

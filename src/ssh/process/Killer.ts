import { encodeText } from "./LoginShell.ts"
import { quoteWord, RUN_VARIABLE } from "./RemoteCommand.ts"

/** What the killer looks for. */
export interface StopOrder {
  readonly tag: string
  /** The leader's pid, which is its process group and session; 0 when it was never seen. */
  readonly pid: number
  /** Whether the leader is known to be alive, so that the pid cannot have been given to another process. */
  readonly alive: boolean
  /** Tenths of a second between TERM and KILL, at least 0. */
  readonly graceTenths: number
  /** Whether the command is known to use sudo. The killer uses `sudo -n` also for a process that it may not signal. */
  readonly sudo: boolean
}

/**
 * An awk program. It reads the paths of files with the tag in them, and the lines of every /proc/PID/stat (proc_pid_stat(5)) as
 * grep prints them behind their path. It prints `pid:starttime` for each process of the run that is alive, then a line `.`; `!`
 * instead when the leader's pid is that of a session leader which cannot be shown to be the run's; nothing at all when it did
 * not see everything.
 *
 * A process belongs to the run when it carries the tag, was found before, is in a session whose leader belongs to it, or has
 * a parent that does; never one that the killer itself descends from. The name of a process may hold anything, also a line
 * break or `) `: lines are put together by their path, and the fields stand behind the last parenthesis.
 */
const CHOOSE = `
function put(f) {
  sub(/.*[)] /, "", line)
  split(line, f, " ")
  if (p == "" || f[1] == "Z" || f[1] == "X") return
  parent[p] = f[2]; session[p] = f[4]; start[p] = f[20]
}
BEGIN { FS = "/" }
$0 == "?" { blind = 1 }
NF == 4 && ($4 == "environ" || $4 == "cmdline") { tagged[$3] = 1 }
substr($4, 1, 5) == "stat:" {
  if ($3 != p) { put(); p = $3; line = "" }
  sub(/^[^:]*:/, "")
  line = line " " $0
}
END {
  put()
  if (blind || !(self in session)) exit
  for (a = self; a > 1 && !(a in above); a = parent[a]) above[a] = 1
  above[0] = 1; above[1] = 1
  n = split(known, k, " ")
  for (i = 1; i <= n; i++) { split(k[i], f, ":"); if (start[f[1]] == f[2]) own[f[1]] = 1 }
  for (i in tagged) if (i in session) own[i] = 1
  for (i in own) if (session[i] == i) led[i] = 1
  verdict = "."
  if (leader > 1) {
    if (alive || !(leader in session)) led[leader] = 1
    else if (!(leader in own) && session[leader] == leader) verdict = "!"
  }
  do {
    more = 0
    for (i in session) if (!(i in own) && !(i in above) && ((session[i] in led) || (parent[i] in own))) {
      own[i] = 1; more = 1
      if (session[i] == i) led[i] = 1
    }
  } while (more)
  for (i in own) if (!(i in above)) print i ":" start[i]
  print verdict
}`

/**
 * The killer, for sh. It looks, then sends TERM (and CONT, for a stopped process) to the process group and to every process of
 * the run; after the grace KILL, for up to a second. Prints `DEAD`, or `SURVIVORS` and their pids.
 *
 * `DEAD` is said only of what was seen twice: a look that failed (no tools, no fork, a list too long for exec) is not an empty
 * one. Where processes cannot be seen the process group alone is signalled, and the answer is `UNSURE`; so it is where those of
 * other users are hidden (hidepid, proc(5)), since a command may change its user.
 *
 * The patterns are written so that they match neither the grep that is given them nor the killer. mawk and busybox awk give up at
 * the first file that they cannot open, as those of processes that just ended: grep reads the files.
 */
const KILLER = `
id=$1; leader=$2; alive=$3; grace=$4; root=$5
rest=\${id#?}; pattern="[\${id%"$rest"}]$rest"
LC_ALL=C; export LC_ALL
sees=1; hidden=; sudokill=; sudofind=; known=; found=; pids=
for tool in grep awk; do command -v $tool >/dev/null 2>&1 || sees=; done
[ -e /proc/self/stat ] || sees=
printf 'a\\000${RUN_VARIABLE}=b' | grep -q ${RUN_VARIABLE}=b 2>/dev/null || sees=
[ -r /proc/1/stat ] || hidden=1
[ "$leader" -gt 1 ] || alive=0
group=; [ "$alive" = 1 ] && group=-$leader
tags() {
  "$@" grep -ls -e "${RUN_VARIABLE}=$pattern" -e "sh $pattern" /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null
  [ $? -lt 126 ] || echo "?"
}
choose() {
  { tags; [ "$sudofind" ] && tags sudo -n; grep -s "" /proc/[0-9]*/stat; } |
    awk -v self=$$ -v leader="$leader" -v alive="$alive" -v known="$known" '${CHOOSE}' 2>/dev/null
}
look() {
  found="?"; pids=; verdict="?"
  if [ "$sees" ]; then
    all=$(choose)
    case $all in *.) verdict=.;; *!) verdict=!;; *) return;; esac
    known=\${all%?}; known=$(echo $known); found=$known
    for each in $known; do pids="$pids \${each%%:*}"; done
  elif [ -z "$group" ] || ! kill -0 $group 2>/dev/null; then found=
  fi
}
signal() {
  [ "$group$pids" ] || return
  for each in $group $pids; do kill -$1 $each 2>/dev/null; done
  [ "$sudokill" ] && sudo -n kill -$1 -- $group $pids >/dev/null 2>&1
}
nap() { sleep $1 2>/dev/null || { sleep 1; n=$((n+9)); }; }
look
for each in $pids; do kill -0 $each 2>/dev/null || { [ -e /proc/$each ] && root=1; }; done
if [ "$root" ] && ! [ -r /proc/1/environ ] && command -v sudo >/dev/null 2>&1; then
  sudo -n kill -0 $$ >/dev/null 2>&1 && sudokill=1
  [ "$sees" ] && sudo -n grep -qs . /proc/1/stat >/dev/null 2>&1 && sudofind=1
  look
fi
signal TERM; signal CONT
n=0; pause=0.02
while look; [ "$found" ] && [ $n -lt $grace ]; do
  nap $pause
  case $pause in 0.02) pause=0.05;; 0.05) pause=0.1;; *) n=$((n+1));; esac
done
signal KILL; n=0
while look; [ "$found" ] && [ $n -lt 10 ]; do signal KILL; nap 0.1; n=$((n+1)); done
if [ "$pids" ]; then echo SURVIVORS $pids
elif [ "$sees" ] && [ -z "$hidden" ] && [ "$verdict" = . ]; then echo DEAD
else echo UNSURE
fi`

/** Runs the text that is encoded in its last argument, with the others as they are. */
const RUN_ENCODED = quoteWord('eval "$(printf %b "$6")"')
const ENCODED_KILLER = quoteWord(encodeText(KILLER))

/** The command line that runs the killer, for every login shell. */
export const stopText = (order: StopOrder): string =>
  [
    "exec sh -c",
    RUN_ENCODED,
    "mcpstop",
    order.tag,
    String(order.pid),
    order.alive ? "1" : "0",
    String(Math.max(0, Math.round(order.graceTenths))),
    order.sudo ? "1" : "''",
    ENCODED_KILLER
  ].join(" ")

/** What the killer's output says: nothing is left, or these pids are; undefined when it does not know. */
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

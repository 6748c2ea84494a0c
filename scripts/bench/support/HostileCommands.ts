import { MAX_COMMAND_LENGTH, MAX_OPENERS } from "../../../src/policy/shell/CommandText.ts"

/** `head`, then `unit` as often as it fits below the cap together with `tail`; `unit` may number itself. */
const fill = (unit: string | ((index: number) => string), head = "", tail = "", atMost = Number.MAX_SAFE_INTEGER) => {
  let text = head
  for (let index = 0; index < atMost; index++) {
    const next = typeof unit === "string" ? unit : unit(index)
    if (text.length + next.length + tail.length > MAX_COMMAND_LENGTH) break
    text += next
  }
  return text + tail
}

/** `inner` inside `depth` pairs of brackets, padded inside to the cap. */
const nest = (open: string, close: string, depth: number, inner = "echo a"): string => {
  const room = MAX_COMMAND_LENGTH - depth * (open.length + close.length)
  const body = inner.length < room ? inner + " b".repeat(Math.floor((room - inner.length) / 2)) : inner
  return open.repeat(depth) + body + close.repeat(depth)
}

/** `sh -c` in `sh -c`, each quoted for the one around it. */
const shells = (depth: number, inner: string): string =>
  depth === 0 ? inner : shells(depth - 1, `sh -c '${inner.replaceAll("'", "'\\''")}'`)

const OPENERS: ReadonlyArray<readonly [open: string, close: string]> = [
  ["$(", ")"],
  ['"$(', ')"'],
  ["echo $(", ")"],
  ['echo "$(', ')"'],
  ["`", "`"],
  ["( ", ")"],
  ["{ ", ";}"],
  ["((", "))"],
  ["$((", "))"],
  ["echo $(( 1 + ", "))"],
  ["${x:-", "}"],
  ['echo "${x:-', '}"'],
  ["$[", "]"],
  ["<(", ")"],
  ["[[ ", " ]]"],
  ["if ", "; then a; fi"],
  ["if a; then ", "; fi"],
  ["while ", "; do a; done"],
  ["while a; do ", "; done"],
  ["for i in a b; do ", "; done"],
  ["case a in a) ", ";; esac"],
  ["! ", ""],
  ["cat <<'E'\n$(", ")\nE\n"],
  ["$(case a in a) ", ";; esac)"]
]

/** Texts that cost a decision the most, found by search: what each is about, and the text. */
export const HOSTILE_COMMANDS: ReadonlyArray<readonly [name: string, command: string]> = [
  ...OPENERS.flatMap(([open, close]): ReadonlyArray<readonly [string, string]> => [
    ...[8, 16, MAX_OPENERS].map((depth) => [`${depth} x ${open}`, nest(open, close, depth)] as const),
    [`unclosed ${open}`, fill(open, "", "", MAX_OPENERS)],
    [`${open} side by side`, fill(`echo ${open}a${close};`)]
  ]),
  ...["a;", "a|", "a&&", "a\n", "a b c d e f g h;", `${"a".repeat(36)} b;`].flatMap(
    (unit): ReadonlyArray<readonly [string, string]> => [
      [`256 x ${JSON.stringify(unit)}`, fill(unit, "", "a", 255)],
      [`full of ${JSON.stringify(unit)}`, fill(unit, "", "a")]
    ]
  ),
  ["one long word", fill("a", "echo ")],
  ["one long word, then b", fill("a", "echo ", "b")],
  ["a long name", fill("a")],
  ["short words", fill(" a", "echo")],
  ["options", fill(" -a", "ls")],
  ["long options", fill((index) => ` --option-${index}=aaaa`, "grep")],
  ["numbered words", fill((index) => ` word${index}`, "echo")],
  ["quoted words", fill(" 'a b'", "echo")],
  ["empty quotes in one word", fill("''a", "echo ")],
  ["double quotes in one word", fill('""a', "echo ")],
  ["single quotes to be escaped", fill("\\'", "echo ")],
  ["backslashes", fill("\\\\", "echo ")],
  ["escaped letters", fill("\\a", "echo ")],
  ["continued lines", fill("\\\n", "echo ", "a")],
  ["$'..'", fill("\\x41\\u00e9", "echo $'", "'")],
  ["comments", fill("# a\n", "echo a\n")],
  ["newlines", fill("\n", "echo a", "echo b")],
  ["blanks", fill(" ", "echo a", "b")],
  ["wide letters", fill("\u{1F600}", "echo ")],
  ["variables", fill(" $x", "echo")],
  ["quoted variables", fill(' "$x"', "echo")],
  ["variables in one word", fill("$x", "echo ")],
  ["variables and text in one word", fill("${x}a", "echo ", "", MAX_OPENERS)],
  ["variables under options", fill(" -a $x", "docker")],
  ["unquoted variables of a guarded program", fill(" $x", "find")],
  ["unquoted variables of a wrapper", fill(" $x", "sudo")],
  ["globs", fill(" *", "echo")],
  ["globs in one word", fill("*a", "ls /var/log/")],
  ["glob sets", fill("[a-z]", "ls /var/log/")],
  ["question marks", fill("?", "ls /var/log/")],
  ["home directories", fill(" ~/a", "ls")],
  ["plain parameter operators", fill(" ${x##a*}", "echo", "", MAX_OPENERS)],
  ["a long operand", fill("*a", "echo ${x##", "}")],
  ["a long default", fill("a", "echo ${x:-", "}")],
  ["assignments", fill((index) => `v${index}=a;`, "", "echo", 255)],
  ["assignments before one command", fill((index) => `v${index}=a `, "", "echo")],
  ["LC_ assignments before one command", fill((index) => `LC_A${index}=a `, "", "echo")],
  ["a variable that doubles", fill("x=$x$x;", "x=a;", "echo $x", 250)],
  ["a variable that doubles, quoted", fill('x="$x$x";', "x=a;", 'echo "$x"', 250)],
  ["variables of one another", fill((index) => `v${index + 1}=$v${index};`, "v0=a;", "echo $v200", 250)],
  [
    "a variable with many values",
    `${fill((index) => `x=a${index};`, "", "", 200)}${fill(" $x", "echo").slice(0, 7_000)}`
  ],
  ["a list of a for", fill((index) => ` w${index}`, "for i in", "; do echo $i; done")],
  [
    "for in for in for",
    fill(
      (index) => ` w${index}`,
      "for i in a b c; do for j in",
      "; do for k in a b c; do ls $i $j $k; done; done; done"
    )
  ],
  ["a list of variables of a for", fill(" $x", "for i in", "; do ls $i; done")],
  ["for with commands", fill("ls $i;", "for i in a b c; do ", " done", 250)],
  ["case with patterns", fill((index) => `|a${index}`, "case $x in a", ") ls;; esac")],
  ["case with branches", fill((index) => `a${index}) ls;; `, "case $x in ", "esac", 250)],
  ["elif", fill("elif a; then b; ", "if a; then b; ", "fi", 120)],
  ["arithmetic", fill("+1", "echo $((1", "))")],
  ["arithmetic of variables", fill("+x", "echo $((x", "))")],
  ["arithmetic in brackets", fill("(", "echo $((", fill(")", "1", "))", 40), 40)],
  ["arithmetic with ?:", fill("x?1:", "echo $((", "1))")],
  ["arithmetic with blanks", fill(" + 1", "i=$((i", "))")],
  ["a here-document", fill("line\n", "cat <<'E'\n", "E\n")],
  ["a here-document of one line", fill("E", "cat <<'E'\n", "\nE\n")],
  ["a here-document that nearly ends", fill("E \n", "cat <<'E'\n", "E\n")],
  ["a here-document with tabs", fill("\t\tE \n", "cat <<-'E'\n", "\tE\n")],
  ["many here-documents", fill("cat <<'E'\na\nE\n", "", "", 255)],
  ["many here-documents of one command", `cat${" <<'E'".repeat(250)}\n${"a\nE\n".repeat(250)}`],
  ["redirections", fill(" 2>&1", "echo")],
  ["redirections to /dev/null", fill(" 2>/dev/null", "echo")],
  ["redirections to files", fill((index) => ` >/tmp/report-${index}`, "echo")],
  ["redirections of nested groups", `${"{ ".repeat(15)}a${" >/tmp/report-1;}".repeat(15)}`],
  ...[
    "sudo",
    "env",
    "nice",
    "nohup",
    "timeout 5",
    "xargs",
    "command",
    "stdbuf -o0",
    "env A=b",
    "sudo -u a",
    "eval"
  ].map((wrapper) => [`${wrapper} of ${wrapper}`, fill(`${wrapper} `, "", "ls")] as const),
  ...[2, 4, 5, 6, 7, 8].map((depth) => [`${depth} x sh -c`, shells(depth, "ls -l")] as const),
  ...[6, 7].map(
    (depth) => [`${depth} x sudo, many times`, fill(`${"sudo ".repeat(depth)}ls>/tmp/x;`, "", "ls", 120)] as const
  ),
  ["sh -c of a long text", `sh -c '${fill("ls;", "", "", 255)}'`],
  ["sh -c of a long word", fill("a", "sh -c 'echo ", "'")],
  ["sh -c many times", fill("sh -c 'ls -l;ls';", "", "ls", 120)],
  ["eval of long words", fill(" 'ls;'", "eval", "", 200)],
  ["eval of eval of a text", `eval eval eval eval ${fill("ls\\;", "", "", 200)}`],
  ["find with many -exec", fill(" -exec ls {} \\;", "find .")],
  ["find with many -exec of sh -c", fill(" -exec sh -c 'ls \"$0\"' {} \\;", "find .")],
  ["find in find", fill("find . -exec ", "", "ls {} \\;")],
  ["find with many tests", fill(" -name a -o", "find .", " -name b")],
  ["xargs find -exec", fill("xargs find . -exec ", "", "ls {} \\;")],
  ["xargs of many words", fill(" a", "xargs ls")],
  ["sudo of many words", fill(" a", "sudo ls")],
  ["awk", fill("$1;", "awk '{ ", " }'")],
  ["awk that nearly prints", fill("print a ", "awk '{ ", " }'")],
  ["sed", fill("s/a/b/;", "sed '", "'")],
  ["sed with one long script", fill("\\/", "sed 's/", "/b/'")],
  ["sed with many -e", fill(" -e s/a/b/", "sed")],
  ["tar with options", fill(" --t", "tar")],
  ["git with options", fill(" -c a=b", "git")],
  ["rm of many directories", fill(" /a", "rm -rf")],
  ["rm of many slashes", fill("/./..", "rm -rf ")],
  ["dd", fill(" if=/dev/zero", "dd")],
  ["rsync", fill(" -e", "rsync")],
  ["curl", fill(" -H a", "curl")],
  ["a path of dots", fill("../", "cat /var/log/")],
  ["many paths", fill(" /var/log/a", "cat")]
]

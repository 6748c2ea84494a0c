import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { parseShell } from "../../../src/policy/shell/ShellParser.ts"
import { isText, showWord, type Word } from "../../../src/policy/shell/Word.ts"

const parse = (text: string) => parseShell(text, (words) => words)

const canonicalOf = (text: string): string => {
  const parsed = parse(text)
  return Result.isSuccess(parsed) ? parsed.success.canonical : `refused: ${parsed.failure.code}`
}

const codeOf = (text: string): string => {
  const parsed = parse(text)
  return Result.isFailure(parsed) ? parsed.failure.code : "accepted"
}

const commandsOf = (text: string): ReadonlyArray<string> => {
  const parsed = parse(text)
  return Result.isSuccess(parsed) ? parsed.success.commands.map((each) => each.words.map(showWord).join(" ")) : []
}

/** The last word of the last command that is named `a`. */
const wordOf = (text: string): Word | undefined => {
  const parsed = parse(text)
  return Result.isSuccess(parsed)
    ? parsed.success.commands.findLast((each) => isText(each.words[0], "a"))?.words.at(-1)
    : undefined
}

/** What is known of a word, in short: its count, its prefix and suffix, `-` when it may be an option, `^` when it may climb. */
const known = (text: string): string => {
  const word = wordOf(text)
  if (word?._tag !== "Dynamic") return `static ${word?.text ?? "none"}`
  const flags = (word.mayBeOption ? "-" : "") + (word.mayTraverse ? "^" : "")
  return [word.count, word.prefix || ".", word.suffix || ".", flags || "."].join(" ")
}

const CANONICAL: Readonly<Record<string, string>> = {
  // Lists and pipelines.
  "a;b": "a; b",
  "a\n\nb\n": "a; b",
  "a;": "a",
  "a&&b||c;d": "a && b || c; d",
  "a &&\n b": "a && b",
  "! a|b": "! a | b",
  "a|&b": "a 2>&1 | b",
  "(a)|&b": "(a) 2>&1 | b",
  "# first\na # second\n# third": "a",
  "a \\\n  b": "a b",
  // Groups.
  "(a;b)": "(a; b)",
  "((a);b)": "( (a); b)",
  "( (a);b)": "( (a); b)",
  "{ a;b;}": "{ a; b; }",
  "{ a; } >/dev/null 2>&1": "{ a; } >/dev/null 2>&1",
  // Conditions and loops.
  "if a;then b;fi": "if a; then b; fi",
  "if a\nthen b\nelif c\nthen d\nelse e\nfi": "if a; then b; elif c; then d; else e; fi",
  "while a;do b;done": "while a; do b; done",
  "until a;do b;done|c": "until a; do b; done | c",
  "for i in 1 'a b';do e $i;done": "for i in 1 'a b'; do e $i; done",
  "for i in;do e;done": "for i in; do e; done",
  "for i in 1; do break; done": "for i in 1; do break; done",
  "a || exit 1": "a || exit 1",
  "case $x in a|'b c') e;; *.log) f; esac": "case $x in a | 'b c') e ;; *.log) f ;; esac",
  "case x in esac": "case x in esac",
  "case x in (a) ;; 'esac') e;; esac": "case x in a) ;; 'esac') e ;; esac",
  // Words.
  "e $v ${v} ${#v} $?": "e $v $v ${#v} $?",
  'e "a$v b" a"$v"b': 'e a"$v"\' b\' a"$v"b',
  "e ''$v $v'' \"\"\"$v\"": "e ''$v ${v}'' \"$v\"",
  'e ${v:-x} ${v%.log} ${v##*/} "${v:+y}"': 'e ${v:-x} ${v%.log} ${v##*/} "${v:+y}"',
  'e $(a) `b` "$(c d)"': 'e $(a) $(b) "$(c d)"',
  "e `a \\`b\\``": "e $(a $(b))",
  "e $( (a) )": "e $( (a))",
  "e ~ ~/x ~/'a b'": "e ~ ~/x ~/'a b'",
  "e * a?c [a-z]x '*'*": "e * a?c [a-z]x '*'*",
  "e $v\\\n f": "refused: construct/parameter",
  "e ${v}\\\n f": "e $v f",
  "e esac 'if'": "e 'esac' if",
  "e $((1+2)) $(( (1)*2 ))": "e $((1 + 2)) $((( 1 ) * 2))",
  // Assignments.
  "x=1;y='a b';z=": "x=1; y='a b'; z=",
  "x=$(a) y=$x": "x=$(a) y=$x",
  "LC_ALL=C TZ=UTC a": "LC_ALL=C TZ=UTC a",
  // Redirections.
  "a >x 2>>y <z": "a >x 2>>y <z",
  ">x 2>&1 a b": "a b >x 2>&1",
  "a &>x": "a >x 2>&1",
  "a &>>x": "a >>x 2>&1",
  "a >&x": "a >x 2>&1",
  "a >|x": "a >x",
  "a 2>&- 3<&0": "a 2>&- 3<&0",
  "a >'x y'": "a >'x y'",
  // Here-documents.
  "a <<E\nplain 'text'\nE": "a <<'EOF'\nplain 'text'\nEOF",
  "a <<'E'\n$x `y` \\\nE\nb": "a <<'EOF'\n$x `y` \\\nEOF\nb",
  "a <<-E\n\tx\n\tE": "a <<'EOF'\nx\nEOF",
  "a <<'E'\nEOF\nE": "a <<'EOF1'\nEOF\nEOF1",
  "a <<A | b <<B && c\n1\nA\n2\nB\nd": "a <<'EOF' | b <<'EOF' && c\n1\nEOF\n2\nEOF\nd",
  "if a <<E; then b; fi\nx\nE": "if a <<'EOF'\nx\nEOF\nthen b; fi",
  "{ a; } <<E\nx\nE": "{ a; } <<'EOF'\nx\nEOF",
  "(a <<E\nx\nE\n)": "(a <<'EOF'\nx\nEOF\n)",
  "case x in x) a <<E\nx\nE\n;; esac": "case x in x) a <<'EOF'\nx\nEOF\n;; esac",
  "a <<E\nE": "a <<'EOF'\nEOF",
  // The body begins at the end of the line, whatever statements a substitution in the line holds.
  "a <<'X' | e \"$(b; c)\"\nreboot\nX": "a <<'EOF' | e \"$(b; c)\"\nreboot\nEOF",
  "a <<'X' | e $(if b; then c; fi)\nreboot\nX": "a <<'EOF' | e $(if b; then c; fi)\nreboot\nEOF"
}

const REFUSED: Readonly<Record<string, ReadonlyArray<string>>> = {
  parse: [
    "a '",
    'a "',
    "a &&",
    "| a",
    "a )",
    "a;;",
    "if a; then b",
    "# only",
    "a \\",
    "a |",
    "{ a",
    "a <<E\nx",
    "a $(b",
    "a `b",
    "while a; do done",
    "a $( )",
    "a $((1)",
    "a <",
    "()",
    "!",
    "a; !",
    "! # x"
  ],
  "construct/background": ["a &", "a & b", "a &b", "(a &)", "a $(b &)"],
  "construct/redirection": ["a {fd}>b", "a <>b", "a 10>b", "a 2>&x", "a >&1x", "a 2>&--"],
  "construct/redirection-target": ["a >$b", 'a >"$b"', "a >*", "a >~/x", "a >''", "a >$(b)"],
  "construct/redirection-alone": [
    ">x",
    "x=1 >y",
    "x= |& a",
    "exit 3 |& a",
    "{ x=1; } >y",
    "(x=1) <y",
    "if x=1; then exit 3; fi 2>y",
    "for x in a; do break; done >>y",
    "case a in b) ;; esac >y",
    "{ x=$(a); } >y",
    "{ for x in $(a); do x=1; done 2>y; a; } >z"
  ],
  "construct/here-document": ["a <<E\n$x\nE", "a <<E\n`x`\nE", "a <<E\n\\\\\nE", "a <<E\n${x:-$(y)}\nE"],
  "construct/here-document-inside": ["a $(b <<E\nx\nE\n)", "a `b <<'E'\nx\nE\n`"],
  "construct/here-string": ["a <<<b", 'a <<<"$(b)"'],
  "construct/process-substitution": ["a <(b)", "a >(b)", "a x<(b)"],
  "construct/parameter": [
    "a $1",
    "a $@",
    'a "$*"',
    "a $#",
    "a $$",
    "a $!",
    "a $-",
    "a $0",
    "a $IFS",
    "a ${IFS}",
    "a ${IFS:-x}",
    'a "${!x}"',
    'a "${x@P}"',
    "a ${x/a/b}",
    "a ${x:1:2}",
    "a ${x^}",
    "a ${x[0]}",
    "a ${x[@]}",
    "a ${!x@}",
    "a ${x:-$y}",
    "a ${x:-$(b)}",
    'a "${x:-`b`}"',
    "a ${x#$(b)}",
    "a ${x:-'b'}",
    "a ${x:-a b}",
    "a ${x%%%}",
    "a ${ b; }",
    "a $\\\nx",
    'a "$\\\nx"',
    "a b$\\\n{x}"
  ],
  "construct/arithmetic": [
    "a $((x=1))",
    "a $((x++))",
    "a $((1 - - 1))",
    "a $((x[0]))",
    "a $((1+$(b)))",
    "a $(('1'))",
    "a $((x, y))",
    "a $((b);c)",
    "a $(())",
    "a $[1]",
    "a $[1",
    'a "$[1"'
  ],
  "construct/arithmetic-variable": [
    "a $((x))",
    "a $(($x))",
    "x='b[$(c)]'; a $((x))",
    "x=$(b); a $((x))",
    "if b; then x=1; fi; a $((x))",
    "b | x=1; a $((x))",
    "(x=1); a $((x))",
    "x=1; read x; a $((x))",
    "x=1; eval 'x=y'; a $((x))",
    "for x in 1 y; do a $((x)); done",
    "{ x=1; } <&7; a $((x))",
    "x=$(b | grep -c y -H --label='z[$(c)]'); a $((x))",
    "x=$(grep -c y -r); a $((x))"
  ],
  "construct/arithmetic-command": ["((1))", "((a)); b"],
  "construct/glob": ["a [[:alpha:]]", "a [^a]", 'a ["x"]', "a [$x]"],
  "construct/tilde": ["a ~root", "a ~+", "a x=~/y", "x=~root", "x=a:~/b; b", 'a ~"/x"'],
  "construct/brace-expansion": ["a {b,c}", "a {1..3}", "a x{b,c}y"],
  "construct/extended-glob": ["a @(b)", "a !(b)", "a *(e:b:)"],
  "construct/locale-string": ['a $"b"'],
  "construct/byte-escape": ["a $'\\xff'", "a $'\\351'", "a $'\\e'", "a $'\\cA'", "a $'b\\\nc'"],
  "construct/control-character": ["a $'\\1'", "a $'\\x7f'", "a $'\\u202e'", "a $'\\u200b'", "a $'\\x0d'"],
  "construct/assignment": ["x+=1", "x[0]=1", "x=(1)", "export x=1"],
  "construct/loop": ["for i; do a; done", "for ((;;)); do a; done", "select a in b; do c; done"],
  "construct/case-pattern": ["case x in a) b;& c) d;; esac", "case x in $y) a;; esac", 'case x in "$y") a;; esac'],
  "construct/function": ["f() { a; }", "function f { a; }", "f() ( a ); f"],
  "construct/coprocess": ["coproc a"],
  "construct/test": ["[[ a ]]", "[[ -n $(b) ]] && c"],
  "construct/time": ["time a", "time -p a | b"],
  "construct/negation": ["! ! a"],
  "env-assignment": ["PATH=/tmp", "X=1", "path=/tmp", "http_proxy=x", "for X in 1; do a; done", "a ${X:=1}", "_=1; a"],
  "dynamic-command-name": ["$a", '"$a"', "*", "~/a", "${a} b", "/bin/r?", "$(a)", "`a` b", "a$b c"],
  "command-name": ["-a", "- a", "=a", "%1", "./a", "../a", "/a/../b", "/a/./b", "//a", "/a//b", "''", ".", ".."],
  "too-many-commands": [
    `echo '${"if ".repeat(65)}'`,
    "a;".repeat(257),
    "( ".repeat(17) + "a" + " )".repeat(17),
    "{ ".repeat(17) + "a;" + " }".repeat(17)
  ]
}

describe("parseShell", () => {
  it("renders what it read in one canonical form, which is a fixed point", () => {
    for (const [text, canonical] of Object.entries(CANONICAL)) {
      assert.strictEqual(canonicalOf(text), canonical, text)
      if (!canonical.startsWith("refused")) assert.strictEqual(canonicalOf(canonical), canonical)
    }
  })

  it("refuses everything else by a stable code", () => {
    for (const [code, texts] of Object.entries(REFUSED)) {
      for (const text of texts) assert.strictEqual(codeOf(text), code, JSON.stringify(text))
    }
  })

  it("lists every simple command in the order of the text, those in substitutions included", () => {
    assert.deepStrictEqual(commandsOf("a $(b `c`) | d; if e; then (f); else { g; }; fi"), [
      "a $(b $(c))",
      "b $(c)",
      "c",
      "d",
      "e",
      "f",
      "g"
    ])
    assert.deepStrictEqual(commandsOf("x=$(a); for i in $(b); do c; done; case $(d) in e) f;; esac"), [
      "a",
      "b",
      "c",
      "d",
      "f"
    ])
    assert.deepStrictEqual(commandsOf("while break; do continue; exit 2; done; break"), ["break", "break"])
  })

  it("gives every command inside a compound command its redirections", () => {
    const parsed = parse("{ a >/tmp/1; c $(b); } 2>/tmp/2")
    assert.isTrue(Result.isSuccess(parsed))
    if (Result.isFailure(parsed)) return
    assert.deepStrictEqual(
      parsed.success.commands.map((each) => each.redirections.map(({ access, path }) => `${access} ${path}`)),
      [["write /tmp/1", "write /tmp/2"], ["write /tmp/2"], []]
    )
    const reads = parse("a </etc/x >/dev/null 2>&1")
    assert.deepStrictEqual(Result.isSuccess(reads) ? reads.success.commands[0]?.redirections : [], [
      { access: "read", path: "/etc/x" }
    ])
  })

  it("lists the variables that are set for one command", () => {
    const parsed = parse("LC_ALL=C x=$(b) a")
    assert.deepStrictEqual(Result.isSuccess(parsed) ? parsed.success.commands.map((each) => each.assignments) : [], [
      ["LC_ALL", "x"],
      []
    ])
  })

  it("says of a word that expands what is known of it", () => {
    const cases: Readonly<Record<string, string>> = {
      'a "$x"': "one . . -^",
      "a $x": "any . . -^",
      "a x$y": "any x . -^",
      'a "x$y"z': "one x z ^",
      "a *.log": "each . .log -",
      "a /var/*.log": "each /var/ .log .",
      "a /var/.*": "each /var/. . ^",
      "a /var/../*": "each /var/../ . ^",
      "a /var/[.]*": "each /var/ . ^",
      "a /v$x/*": "any /v . -^",
      "a ~/x": "one / x .",
      "a $?": "one . . .",
      "a ${#x}": "one . . .",
      "a $((1))": "one . . .",
      "a $(b)": "any . . -^",
      'a "$(b)"': "one . . -^",
      "a $(b | wc -l)": "one . . .",
      "a $(wc -l x)": "any . . -^",
      "a $(grep -c x)": "one . . .",
      "a $(grep -c x y z)": "any . . -^",
      "a $(date +%s)": "one . . .",
      // A variable that the text certainly set, and to what.
      "x=nginx; a $x": "one nginx . .",
      "x='b c'; a $x": "any . . -",
      "x='b c'; a \"$x\"": "one b c . .",
      "x=-f; a $x": "one -f . -",
      "x=../y; a $x": "one ../y . ^",
      "x=.; a /v/$x$x/y": "one /v/. /y ^",
      "x='.*'; a \"/v/$x\"": "one /v/.* . ^",
      "x=-1; a $x": "one -1 . .",
      "x=-1; a ${x}o": "one -1 o -",
      "x=-o; a ''$x": "one -o . -",
      "a $((0-1))o": "one . o -",
      "x=$(b | wc -l); a $x": "one . . .",
      "x=; a $x": "any . . -",
      "for x in b1 b2; do a $x; done": "one b . .",
      "for x in b -c; do a $x; done": "one . . -",
      "for f in /var/*.log; do a $f; done": "any . . -",
      'for f in /var/*.log; do a "$f"; done': "one /var/ . .",
      "b && x=c; a $x": "any . . -^",
      "(x=c); a $x": "any . . -^",
      "x=c; y=$x; a $y": "any . . -^",
      "l='b1 b2'; for x in $l; do a $x; done": "one b . .",
      "l='b -c'; for x in $l; do a $x; done": "one . . -",
      "l='b *'; for x in $l; do a \"$x\"; done": "one . . -^",
      'l=$(b); for x in $l; do a "$x"; done': "one . . -^",
      "b && l='c d'; for x in $l; do a \"$x\"; done": "one . . -^"
    }
    for (const [text, expected] of Object.entries(cases)) {
      assert.strictEqual(known(text), expected, text)
    }
  })
})

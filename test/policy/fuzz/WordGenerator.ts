import type { Random } from "./Random.ts"

/** What a generator of shell text knows of the place that it writes at. */
export interface Place {
  readonly random: Random
  /** How many more levels may be opened. */
  readonly depth: number
  /** Whether constructs that the policy must refuse are mixed in. */
  readonly hostile: boolean
  /** Whether a loop is open, which `break` and `continue` may leave. */
  readonly inLoop: boolean
  /** Whether the place lies in a substitution, where here-documents must be refused. */
  readonly substituted: boolean
  /** Bodies of here-documents that are due behind the next newline. */
  readonly pending: Array<string>
}

/** Writes a list of commands for the inside of a substitution. */
export type MakeList = (place: Place) => string

/** Names of the script's own variables. */
export const VARIABLES = ["v", "w", "x1", "long_name"] as const

const LITERALS: readonly [string, ...ReadonlyArray<string>] = [
  "x",
  ..."y1 foo -n -- - --o=v /x/y a.b @ % + , 1 2 10 007 é 日本 あł→ą a=b a+=b v=1 : {} } { ! if then do done in esac fi".split(
    " "
  ),
  ..."] x] x#y ^ x^y a{b a}b {a} a,b \\{a,b\\} -z=~ .. ./x .h x.log".split(" "),
  "function",
  "time",
  "until"
]

const CHARACTERS = "abcxyz019 \t\n'\"\\$`;&|<>(){}[]*?!~#=%,-+:@^/éß日🚀あłą→ć".match(/./gsu) ?? []

const run = (random: Random, characters: ReadonlyArray<string>, most: number): string =>
  Array.from({ length: random.below(most + 1) }, () => characters[random.below(characters.length)] ?? "").join("")

const singleQuoted = ({ random }: Place): string => {
  const text = random.weighted<string>([
    [5, () => run(random, CHARACTERS, 6).replaceAll("'", "")],
    [
      1,
      () =>
        random.pick(["$(b)", "`b`", "; b", "a b", "", "\nb\n", "\\", "x\\\ny", "EOF", "*", "~", "if", "{a,b}", "$v"])
    ]
  ])
  return `'${text}'`
}

const ANSI = [
  "a",
  "b c",
  "\\'",
  "\\\\",
  '\\"',
  "\\x41",
  "\\101",
  "\\u00e9",
  "$(b)",
  "`b`",
  "\\t",
  "\\n",
  "\\x3b",
  "\\x27"
] as const
const ANSI_HOSTILE = [
  "\\?",
  "\\U0001F680",
  "\\x80",
  "\\e",
  "\\1",
  "\\cA",
  "\\xff",
  "\\q",
  "\\x{41}",
  "\\0",
  "\\u200b",
  "\\ud800",
  "\\\nb"
] as const

const ansiQuoted = ({ hostile, random }: Place): string => {
  const parts = Array.from({ length: random.below(4) }, () =>
    hostile && random.chance(15) ? random.pick(ANSI_HOSTILE) : random.pick(ANSI)
  )
  return `$'${parts.join("")}'`
}

const escaped = ({ random }: Place): string => {
  const character = CHARACTERS[random.below(CHARACTERS.length)] ?? "x"
  return character === "\n" ? "\\x" : `\\${character}`
}

const variable = (place: Place): string => {
  const { hostile, random } = place
  const name = random.pick(VARIABLES)
  if (hostile && random.chance(15)) {
    return random.pick([
      `\${!${name}}`,
      `\${${name}@P}`,
      `\${${name}/x/y}`,
      `\${${name}:1:2}`,
      `\${${name}[1]}`,
      `\${${name}^^}`,
      "${!v@}",
      "$[1+1]",
      "${ b; }",
      "$IFS",
      "${IFS}",
      `\${${name}:-$(b)}`,
      `\${${name}:-\`b\`}`,
      `\${${name}:-'$(b)'}`,
      `\${${name}:-"$(b)"}`,
      `\${${name}%"}`,
      "$_",
      "$-",
      "$!",
      "$@",
      "$*",
      "$#",
      "${#}",
      "${#-}",
      "${##}",
      "$$",
      "$0",
      `\${${name}%%%}`,
      `\${${name}##}`,
      "${10}"
    ])
  }
  const operand = random.pick(["", "x", "a.b", "/y", "1", "x-y"])
  return random.weighted<string>([
    [6, () => `$${name}`],
    [5, () => `\${${name}}`],
    [2, () => `\${#${name}}`],
    [3, () => `\${${name}${random.pick([":-", "-", ":+", "+"])}${operand}}`],
    [1, () => `\${${name}${random.pick([":=", "="])}${operand}}`],
    [1, () => `\${${name}${random.pick([":?", "?"])}${operand}}`],
    [
      3,
      () =>
        `\${${name}${random.pick(["%", "%%", "#", "##"])}${random.pick(["*/", "/*", "x", "*", ".log", "?", "*x*"])}}`
    ],
    [2, () => "$?"],
    [1, () => random.pick(["$HOME", "${HOME}", "$PATH", "$PWD"])]
  ])
}

const arithmetic = ({ hostile, random }: Place): string => {
  if (hostile && random.chance(15)) {
    return random.pick([
      "$((v[$(b)]))",
      "$(( '$(b)' ))",
      "$(($(b)))",
      "$((`b`))",
      "$((v=1))",
      "$((v++))",
      "$(( ${v} ))",
      "$((1",
      "$(( 1 )",
      "$(((1)))",
      "$((1)+(2))",
      "$((16#ff))"
    ])
  }
  const term = () => (random.chance(7) ? random.pick(VARIABLES) : random.pick(["1", "2", "0", "7", "(1 + 2)"]))
  const operator = () => random.pick([" + ", "+", " - ", " * ", "*", " < ", " == ", " && ", " % "])
  return `$((${random.pick(["", " "])}${term()}${random.chance(60) ? operator() + term() : ""}${random.pick(["", " "])}))`
}

const substitution = (place: Place, list: MakeList): string => {
  const { random } = place
  const inner: Place = { ...place, depth: place.depth - 1, inLoop: false, substituted: true, pending: [] }
  const body = list(inner)
  const due = inner.pending.length === 0 ? "" : `\n${inner.pending.join("")}`
  if (random.chance(25))
    return `\`${(body + due).replace(/[\\`$]/g, (found) => (found === "$" ? found : `\\${found}`))}\``
  const gap = body.startsWith("(") || random.chance(15) ? " " : ""
  return `$(${gap}${body}${due}${random.chance(10) ? "\n" : ""})`
}

const glob = ({ hostile, random }: Place): string =>
  hostile && random.chance(15)
    ? random.pick([
        "+(x)",
        "@(a|b)",
        "!(x)",
        "?(x)*",
        "[[:alpha:]]*",
        "[a",
        "[$(b)]",
        "{x,y}.log",
        "{1..3}",
        "x{,y}",
        "**",
        "[!a-]]*"
      ])
    : random.pick([
        "*",
        "*.log",
        "x*",
        "?.log",
        "[xy].log",
        "[!x].log",
        "sub/*",
        "./*",
        "*/q.log",
        ".*",
        "no*match",
        "-*",
        "[a-z]*",
        "*\\ *",
        "x?",
        "*'.log'",
        '"x"*',
        "/no/*/such"
      ])

const doubleQuoted = (place: Place, list: MakeList): string => {
  const { random } = place
  const part = (): string =>
    random.weighted<string>([
      [5, () => run(random, CHARACTERS, 4).replace(/["\\$`]/g, "")],
      [
        3,
        () =>
          random.pick([
            "\\$",
            '\\"',
            "\\\\",
            "\\`",
            "\\x",
            "\\\n",
            "$",
            "'",
            "''",
            "!",
            "\\'",
            "{a,b}",
            "~",
            "*",
            "$ ",
            "\\n",
            "#"
          ])
      ],
      [4, () => variable(place)],
      [1, () => arithmetic(place)],
      [place.depth > 0 ? 2 : 0, () => substitution(place, list)]
    ])
  // A lone "$" may not swallow the quote or word that follows it.
  return `"${Array.from({ length: random.below(4) }, part).join("")}"`
}

const literal = ({ hostile, random }: Place): string =>
  hostile && random.chance(10)
    ? random.pick([
        "{a,b}",
        "{1..3}",
        "<(b)",
        ">(b)",
        '$"x"',
        "x=(b)",
        "~u",
        "~+",
        "x:~",
        "v=~/a",
        "$",
        "$$",
        "a$",
        "x{b,c}d",
        "{a,b",
        "a\\",
        "$\\\n(b)",
        "]>(b)",
        "=b",
        "%1"
      ])
    : random.pick(LITERALS)

const piece = (place: Place, list: MakeList): string =>
  place.random.weighted<string>([
    [10, () => literal(place)],
    [6, () => singleQuoted(place)],
    [5, () => doubleQuoted(place, list)],
    [3, () => escaped(place)],
    [3, () => ansiQuoted(place)],
    [5, () => variable(place)],
    [1, () => arithmetic(place)],
    [2, () => glob(place)],
    [place.depth > 0 ? 2 : 0, () => substitution(place, list)]
  ])

/** An argument of a command, in any quoting, with any expansion. */
export const makeWord = (place: Place, list: MakeList): string => {
  const { random } = place
  if (random.chance(3)) return random.pick(["~", "~/x", "~/'x y'", '~/"x"', "''", '""', "$''", "~''", '${v}""', "~/$v"])
  const pieces = random.weighted<number>([
    [7, () => 1],
    [3, () => 2],
    [1, () => 3]
  ])
  const word = Array.from({ length: pieces }, () => piece(place, list)).join(random.chance(2) ? "\\\n" : "")
  return word === "" ? "x" : word
}

/** A word that the shell reads as it stands, whatever the quoting: for assignments, patterns and delimiters. */
export const makeStaticWord = (place: Place): string => {
  const { random } = place
  return random.weighted<string>([
    [4, () => random.pick(["x", "y1", "foo", "10", "a.b", "é", "x,y", "/x/y", "-n"])],
    [2, () => singleQuoted(place)],
    [1, () => escaped(place)],
    [1, () => ansiQuoted(place)],
    [1, () => `"${random.pick(["x", "a b", "\\$", "it's", "*"])}"`]
  ])
}

/** A pattern of pathname expansion, also used as a pattern of `case`. */
export const makeGlob = glob

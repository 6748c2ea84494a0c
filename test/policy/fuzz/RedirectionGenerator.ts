import type { Place } from "./WordGenerator.ts"

const BODY_LINES = [
  "b",
  "x y",
  "",
  "it's",
  "$(b)",
  "`b`",
  "$v",
  "a\\",
  "\\$v",
  " EOF",
  "\tEOF",
  "\tb",
  "EOF x",
  "é",
  "あł→ą",
  "'",
  '"',
  "; b",
  "EO\\",
  "X)"
] as const
const PLAIN_LINES = [
  "b",
  "x y",
  "",
  "it's",
  " EOF",
  "EOF x",
  "é",
  "あł→ą",
  '"',
  "; b",
  "\tb",
  "(",
  "#b",
  "X)",
  "}",
  "*"
] as const

/** A here-document; its body is due behind the next newline of the place. */
export const hereDocument = (place: Place): string => {
  const { random } = place
  const tag = random.pick(["EOF", "X", "E1", "end"])
  const delimiter = random.weighted<string>([
    [4, () => `'${tag}'`],
    [3, () => tag],
    [1, () => `"${tag}"`],
    [1, () => `\\${tag}`],
    [1, () => `${tag.slice(0, 1)}''${tag.slice(1)}`],
    [place.hostile ? 1 : 0, () => random.pick(["''", "$X", "'X Y'", "`X`", "$'X'", "E\\\nF", "'\nX'"])]
  ])
  const quoted = delimiter !== tag
  const dash = random.chance(25)
  const indent = dash ? random.pick(["", "\t", "\t\t"]) : ""
  const line = () => (quoted || place.hostile ? random.pick(BODY_LINES) : random.pick(PLAIN_LINES))
  const lines = Array.from({ length: random.below(4) }, () => `${indent}${line()}\n`)
  const usesTag = (text: string) => text.replace(/^\t+/, "").trimEnd() === tag
  place.pending.push(`${lines.filter((each) => !usesTag(each)).join("")}${indent}${tag}\n`)
  return `${random.chance(10) ? "0" : ""}<<${dash ? "-" : ""}${random.chance(15) ? " " : ""}${delimiter}`
}

const REDIRECTIONS = [
  ">/dev/null",
  "2>/dev/null",
  "</dev/null",
  "2>&1",
  ">&2",
  "1>&2",
  "&>/dev/null",
  "&>>/dev/null",
  ">&/dev/null",
  ">>/dev/null",
  "2>&-",
  "<&0",
  ">|/dev/null",
  "3>&1",
  "> '/dev/null'",
  "2> /dev/null",
  '>"/dev/null"',
  "0</dev/null",
  "3</dev/null",
  "3>&-",
  "2>&1 >/dev/null",
  ">/dev/null 2>&1"
] as const
const HOSTILE_REDIRECTIONS = [
  "<>/dev/null",
  ">x",
  "<x",
  "{fd}>/dev/null",
  ">&v",
  "2>&$v",
  ">$v",
  "<<<x",
  ">/dev/null/../x",
  "&>x",
  ">(b)",
  "2>&--",
  ">&1-",
  "10>&1",
  ">''",
  "\\2>&1",
  "<&x",
  ">~/x",
  ">/dev/nul?"
] as const

/** Redirections to files that a rule of the fuzz allows, in the spellings of a path that both shells and the policy read. */
const FILES = [
  ">out/x",
  ">out/x",
  "> out/old",
  ">>out/old",
  ">|out/old",
  "2>out/x",
  "&>out/x",
  ">&out/x",
  "&>>out/old",
  ">'out/x y'",
  '>"out/x"',
  ">o''ut/\\x",
  ">$'out/\\x78'",
  "3>out/x",
  ">out/é",
  "<in/x",
  "<in/x",
  "0<'in/x y'",
  "3<in/x",
  "<in/x >out/x 2>&1",
  "</dev/null 2>>out/x"
] as const

/** Redirections to files that no rule of the fuzz allows, or only for `p`, some of them near to one that is allowed. */
const HOSTILE_FILES = [
  ">own/x",
  ">>own/old",
  ">x.log",
  ">>x.log",
  ">|x.log",
  "2>x.log",
  "&>x.log",
  ">&x.log",
  ">in/x",
  "<x.log",
  "<sub/q.log",
  "<out/old",
  ">./out/x",
  ">out/../x.log",
  ">out/../../new",
  ">out//x",
  ">out/./x",
  ">out/old/../../x.log",
  "<in/../x.log",
  ">'out/*'/../x",
  ">out",
  ">out*",
  ">out/*",
  ">out/?",
  ">OUT/x",
  ">out\\/../x.log",
  ">out/x>x.log",
  ">out/x\\\n.log",
  ">x\\\n.log",
  ">/proc/self/cwd/x.log",
  ">~/../x.log",
  ">$v",
  '>"$v"',
  "<$v",
  ">$(p x.log)",
  ">out/x;a>x.log"
] as const

/** A redirection: of descriptors, to `/dev/null`, from a here-document, or to files; more of these where `files` are wanted. */
export const redirection = (place: Place, files = false): string => {
  const { hostile, random } = place
  if (hostile && random.chance(8)) return random.pick(random.chance(50) ? HOSTILE_FILES : HOSTILE_REDIRECTIONS)
  if (random.chance(files ? 70 : 15)) return random.pick(FILES)
  return random.chance(30) && (hostile || !place.substituted) ? hereDocument(place) : random.pick(REDIRECTIONS)
}

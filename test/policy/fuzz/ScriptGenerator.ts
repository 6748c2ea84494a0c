import { makeFlow } from "./FlowGenerator.ts"
import { HOSTILE_STATEMENTS } from "./HostileStatements.ts"
import { makeRandom, mixSeed, type Random } from "./Random.ts"
import { hereDocument, redirection } from "./RedirectionGenerator.ts"
import { mutate } from "./ScriptMutation.ts"
import { makeGlob, makeStaticWord, makeWord, type Place, VARIABLES } from "./WordGenerator.ts"
import { makeWrapped } from "./WrapperGenerator.ts"

/** A generated text and where it comes from. */
export interface GeneratedScript {
  readonly seed: number
  readonly index: number
  readonly text: string
  /** Whether characters were inserted, deleted or moved after generation, so that its loops may no longer end. */
  readonly mutated: boolean
}

/** The stub programs by what they do: print, succeed, fail, copy, or nothing but log their arguments. */
const NAMES = ["a", "a", "b", "cc", "d", "p", "e", "t", "f", "g", "i"] as const

const ODD_NAMES = [
  "'if'",
  "\\do",
  "'{'",
  "\\}",
  "'!'",
  "'a=b'",
  '"[["',
  "'function'",
  "a''",
  '"b"',
  "c\\c",
  "$'d'",
  "'in'",
  "\\a",
  "'x y'",
  "a\\\nb",
  "'esac'"
] as const

const blank = ({ random }: Place): string =>
  random.weighted<string>([
    [30, () => " "],
    [2, () => "  "],
    [1, () => "\t"],
    [1, () => " \\\n"],
    [1, () => "\\\n "]
  ])

const newline = (place: Place): string => {
  const comment = place.random.chance(6)
    ? ` #${place.random.pick(["", " x", " it's", "`b", ' "', "$(b)", "\\", " <<X"])}`
    : ""
  const bodies = place.pending.splice(0).join("")
  return `${comment}\n${bodies}${place.random.chance(5) ? "\n" : ""}`
}

const separator = (place: Place): string =>
  place.pending.length > 0 || place.random.chance(35) ? newline(place) : place.random.pick(["; ", ";", " ;", "; "])

const deeper = (place: Place): Place => ({ ...place, depth: place.depth - 1 })

const assignment = (place: Place): string => {
  const value = place.random.weighted<string>([
    [4, () => makeStaticWord(place)],
    [2, () => makeWord(place, makeList)],
    [1, () => ""]
  ])
  return `${place.random.pick(VARIABLES)}=${value}`
}

const simpleCommand = (place: Place): string => {
  const { random } = place
  const items: Array<string> = []
  if (random.chance(5)) items.push(redirection(place))
  if (random.chance(6)) items.push(`${random.pick(["LC_ALL", "LC_TIME"])}=${makeStaticWord(place)}`)
  if (place.hostile && random.chance(4)) items.push(assignment(place))
  items.push(random.chance(12) ? random.pick(ODD_NAMES) : random.pick(NAMES))
  const words = random.below(4)
  for (let index = 0; index < words; index++) {
    items.push(makeWord(place, makeList))
    if (random.chance(4)) items.push(redirection(place))
  }
  if (random.chance(15)) items.push(redirection(place))
  if (random.chance(1) && !place.substituted) items.push(hereDocument(place), hereDocument(place))
  return items.reduce((text, item) => text + blank(place) + item)
}

const pattern = (place: Place): string =>
  place.random.weighted<string>([
    [4, () => makeStaticWord(place)],
    [3, () => makeGlob({ ...place, hostile: false })],
    [1, () => "*"],
    [place.hostile ? 1 : 0, () => place.random.pick(["$v", "$(b)", "'x'*\"y\"", "esac", "(x", "x|"])]
  ])

const caseCommand = (place: Place): string => {
  const { random } = place
  const arm = (): string => {
    const patterns = Array.from({ length: 1 + random.below(2) }, () => pattern(place)).join(random.pick(["|", " | "]))
    const body = random.chance(85) ? makeList(place) : ""
    const before = random.pick([" ", "\n"])
    return `${random.chance(30) ? "(" : ""}${patterns})${before === "\n" ? newline(place) : before}${body}${random.chance(20) ? newline(place) : " "};;`
  }
  const arms = Array.from({ length: 1 + random.below(3) }, arm)
  const gap = () => (place.pending.length > 0 || random.chance(20) ? newline(place) : " ")
  const head = `case ${makeWord(place, makeList)} in${gap()}`
  return `${head}${arms.join(" ")}${gap()}esac`
}

const forLoop = (place: Place): string => {
  const { random } = place
  const words = Array.from({ length: random.below(4) }, () => makeWord(place, makeList))
  const head = `for ${random.pick(VARIABLES)} in ${words.join(" ")}`
  return `${head}${separator(place)}do${gapAfter(place)}${makeList({ ...place, inLoop: true })}${separator(place)}done`
}

const gapAfter = (place: Place): string => (place.random.chance(20) ? newline(place) : " ")

/** A loop that ends: by a condition that fails, or by `break` as its last command. */
const whileLoop = (place: Place): string => {
  const { random } = place
  const body = (inLoop: boolean) => makeList({ ...place, inLoop })
  const before = random.chance(20) ? `${makeList({ ...place, inLoop: false })}${separator(place)}` : ""
  return random.weighted<string>([
    [2, () => `while ${before}f${separator(place)}do ${body(true)}${separator(place)}done`],
    [2, () => `until ${before}t${separator(place)}do ${body(true)}${separator(place)}done`],
    [1, () => `while t${separator(place)}do ${body(false)}${separator(place)}break${separator(place)}done`],
    [1, () => `until f${separator(place)}do ${body(false)}${separator(place)}break${separator(place)}done`]
  ])
}

const ifCommand = (place: Place): string => {
  const { random } = place
  const part = (word: string) => `${word}${gapAfter(place)}${makeList(place)}${separator(place)}`
  const elif = random.chance(25) ? part("elif") + part("then") : ""
  const otherwise = random.chance(40) ? part("else") : ""
  return `${part("if")}${part("then")}${elif}${otherwise}fi`
}

const group = (place: Place): string => {
  const { random } = place
  if (random.chance(50)) return `{${gapAfter(place)}${makeList(place)}${separator(place)}}`
  const inner: Place = { ...place, inLoop: false }
  return `(${random.pick(["", " "])}${makeList(inner)}${random.pick(["", " "])})`
}

const compound = (place: Place): string => {
  const inner = deeper(place)
  const text = place.random.weighted<string>([
    [3, () => group(inner)],
    [3, () => ifCommand(inner)],
    [3, () => forLoop(inner)],
    [2, () => whileLoop(inner)],
    [2, () => caseCommand(inner)]
  ])
  return place.random.chance(25) ? `${text} ${redirection(place)}` : text
}

const jump = ({ random }: Place): string => random.pick(["break", "continue", "break 1", "continue 1"])

const command = (place: Place): string => {
  const { hostile, random } = place
  if (hostile && random.chance(10)) return random.pick(HOSTILE_STATEMENTS)
  if (place.inLoop && random.chance(5)) return jump(place)
  if (random.chance(7)) return assignment(place)
  if (random.chance(1)) return `exit ${random.below(4)}`
  if (place.depth > 0 && random.chance(6)) return makeWrapped(place, makeText)
  return place.depth > 0 && random.chance(28) ? compound(place) : simpleCommand(place)
}

const pipeline = (place: Place): string => {
  const { random } = place
  let text = `${random.chance(6) ? "! " : ""}${command(place)}`
  for (let more = 0; more < 3 && random.chance(15); more++) {
    const operator = random.weighted<string>([
      [8, () => random.pick([" | ", "|"])],
      [2, () => " |& "],
      [1, () => ` |${newline(place)}`]
    ])
    text += operator + command(place)
  }
  return text
}

const andOr = (place: Place): string => {
  const { random } = place
  let text = pipeline(place)
  for (let more = 0; more < 2 && random.chance(18); more++) {
    text +=
      random.pick([" && ", " || ", "&&", "||", ` &&${random.chance(30) ? newline(place) : " "}`]) + pipeline(place)
  }
  return text
}

const makeList = (place: Place): string => {
  const { random } = place
  let text = andOr(place)
  for (let more = 0; more < 3 && random.chance(place.depth > 2 ? 60 : 22); more++)
    text += separator(place) + andOr(place)
  return text
}

/** A whole text, with the bodies of its here-documents. */
const makeText = (place: Place): string => {
  const text = makeList(place)
  return place.pending.length > 0 || place.random.chance(10) ? text + newline(place) : text
}

const makeScript = (random: Random, hostile: boolean): string =>
  makeText({ random, depth: 3, hostile, inLoop: false, substituted: false, pending: [] })

/** The script of a run with this seed and index: always the same. Some are hostile, some mutated, most neither. */
export const generateScript = (seed: number, index: number): GeneratedScript => {
  const random = makeRandom(mixSeed(seed, index))
  const text = random.chance(20) ? makeFlow(random) : makeScript(random, random.chance(30))
  // A changed condition may make a loop endless, and such a run costs a second.
  const mutated = random.chance(/\b(?:while|until)\b/.test(text) ? 4 : 28)
  return { seed, index, text: mutated ? mutate(random, text) : text, mutated }
}

import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { refusedArgument } from "../../../src/policy/guards/ArgumentGuards.ts"
import { unwrap } from "../../../src/policy/guards/Wrapper.ts"
import { type DynamicWord, renderWord, staticWord, type Word, type Words } from "../../../src/policy/shell/Word.ts"

/** A part of a command: a static word, or a dynamic one with the middles that it may become. */
const Part = Schema.Union([
  Schema.Int,
  Schema.Struct({
    count: Schema.Literals(["one", "each", "any"]),
    safe: Schema.Boolean,
    prefix: Schema.Int,
    suffix: Schema.Literals(["", "", "", "x", "p", ".log"]),
    middles: Schema.Array(Schema.Int)
  })
])
type Part = typeof Part.Type

const pick = (texts: ReadonlyArray<string>, at: number): string => texts[Math.abs(at) % texts.length] ?? ""

const PREFIXES = ["", "", "", "/srv/", "./", "-", "--", "-n", "-e", "-k", "-o", "--file=", "x", "+", "a=", "HEAD"]

/** The words of a part, and one way in which the host may expand them. */
const partOf = (
  part: Part,
  texts: ReadonlyArray<string>
): { readonly word: Word; readonly expansion: ReadonlyArray<string> } => {
  if (typeof part === "number") return { word: staticWord(pick(texts, part)), expansion: [pick(texts, part)] }
  const prefix = pick(PREFIXES, part.prefix)
  const { count, middles, suffix } = part
  const chosen =
    count === "one" ? [middles[0] ?? 0] : middles.length === 0 && count === "each" ? [0] : middles.slice(0, 3)
  const whole = chosen.map((middle, index) => {
    const head = count === "any" && index > 0 ? "" : prefix
    const tail = count === "any" && index < chosen.length - 1 ? "" : suffix
    return head + pick(["", ...texts], middle) + tail
  })
  const isOption = prefix.startsWith("-") || (prefix === "" && !part.safe)
  const word: DynamicWord = {
    _tag: "Dynamic",
    text: '"$x"',
    count,
    prefix,
    suffix,
    mayBeOption: isOption || (count === "any" && !part.safe),
    mayTraverse: true
  }
  const expansion = word.mayBeOption ? whole : whole.map((each) => (each.startsWith("-") ? `x${each}` : each))
  // Safe words must still have their prefix.
  return {
    word,
    expansion: expansion.map((each) => (each.startsWith(prefix) || count === "any" ? each : prefix + each))
  }
}

const args = (words: ReadonlyArray<Word>) => words.map((word) => ({ word, literal: false }))

/** Each program with the words that matter to it: dangerous options, options with values, operands, terminators. */
const PROGRAMS: Readonly<Record<string, string>> = {
  sort: "-o x -k -u -uo --output=x --key --reverse -- - --parallel=2 -t --files0-from=x",
  uniq: "-f -c 1 x y -- --skip-fields --count",
  date: "-s -d now +%F -u -- 0101 -f - --set=x --date -Is",
  hostname: "-f x -F -- -I --file",
  tar: "-tf /x.tar -xf tf h:a -- --to-command=sh -I sh --list -f m --file=x",
  sed: "-n -e p s/a/b/w -i -- x -f --expression w -ne --expression=p 1p",
  awk: "-F -v {print} -f x -- a=b -i BEGIN{system(1)} -F:",
  find: ". /x -name -delete -exec -fprint -print ; + {} ls -type f ! ( -newer -maxdepth 1",
  ip: "addr show link set -4 -b x netns exec route get -o",
  ss: "-t -K -f -D x -- -l --kill --family state",
  journalctl: "-u -n 5 --rotate -D x -- --unit --no-pager --vacuum-size=1 -b -1 --since",
  systemctl: "status -H x -p -- --host=x --property -q --no-pager -t",
  kubectl: "get pods -n x -s --server=x -- -o --token -f -k --namespace --follow",
  podman: "ps --url x -- --log-level debug logs --out=x -f -a",
  git: "log -c a=b -C x --output=x -- --end-of-options -S grep -Osh difftool fetch --oneline -e --exec-path=x",
  curl: "-o x /dev/null -X GET DELETE -w %{http_code} @x -H -- http://h -K --next -s --output -m --max-time",
  rg: "--pre -e x -- -z y --regexp -n",
  dmesg: "-C -l err -- -T -n x",
  ssh: "h -o -p x ls -- -F",
  sysctl: "-w -n a=b x -r -- -p"
}

describe("what a guard accepts with dynamic words", () => {
  for (const [program, vocabulary] of Object.entries(PROGRAMS)) {
    const texts = vocabulary.split(" ")
    it.prop(
      `it accepts with everything that they may become: ${program}`,
      [Schema.Array(Part)],
      ([parts]) => {
        const given = parts.slice(0, 8).map((part) => partOf(part, texts))
        if (refusedArgument(program, args(given.map((each) => each.word))) !== undefined) return true
        if (unwrap([staticWord(program), ...given.map((each) => each.word)])._tag === "Unknown") return true
        const expansion = given.flatMap((each) => each.expansion)
        const refused = refusedArgument(program, args(expansion.map(staticWord)))
        if (refused !== undefined) {
          assert.fail(
            `${given.map((each) => JSON.stringify(each.word)).join(" ")} => ${expansion.join(" ")}: ${refused}`
          )
        }
        return true
      },
      { arbitrary: { runs: 3000, seed: program } }
    )
  }
})

const WRAPPER_TEXTS = (
  "sudo env timeout nice xargs find sh eval ls id -u -n -k -c -exec -execdir -ok ; + {} -I % -0 5 A=b . /srv -name " +
  "-delete -- -s rm"
).split(" ")

const namesOf = (words: Words): ReadonlyArray<string> | "script" | "plain" | "unknown" => {
  const wrapped = unwrap(words)
  switch (wrapped._tag) {
    case "Plain":
      return "plain"
    case "Unknown":
      return "unknown"
    case "Script":
      return "script"
    case "Inner":
      return wrapped.commands.map((each) => renderWord(each.words[0]))
  }
}

describe("what unwrap finds with dynamic words", () => {
  for (const name of ["sudo", "env", "timeout", "nice", "xargs", "find", "sh", "eval", "command", "flock"]) {
    it.prop(
      `it finds with everything that they may become, unless that fails: ${name}`,
      [Schema.Array(Part)],
      ([parts]) => {
        const given = parts.slice(0, 9).map((part) => partOf(part, WRAPPER_TEXTS))
        const found = namesOf([staticWord(name), ...given.map((each) => each.word)])
        if (found === "unknown") return true
        // A guard refuses what may become an action of find.
        if (name === "find" && refusedArgument(name, args(given.map((each) => each.word))) !== undefined) return true
        const expansion = given.flatMap((each) => each.expansion)
        const actual = namesOf([staticWord(name), ...expansion.map(staticWord)])
        if (actual === "unknown" && name !== "sh" && name !== "eval") return true
        assert.deepStrictEqual(
          actual,
          found,
          `${given.map((each) => JSON.stringify(each.word)).join(" ")} => ${expansion.join(" ")}`
        )
        return true
      },
      { arbitrary: { runs: 4000, seed: name } }
    )
  }
})

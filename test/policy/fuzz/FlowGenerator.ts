import type { Random } from "./Random.ts"
import { VARIABLES } from "./WordGenerator.ts"

/** Values that matter to what an analysis says of a variable: numbers, options, dots, patterns, blanks, expressions. */
const VALUES = [
  "1",
  "10",
  "-1",
  "-0",
  "-x",
  ".",
  "..",
  "./",
  "a/.",
  "/",
  "",
  "''",
  "x",
  "sub",
  "sub/",
  "'a b'",
  "'*'",
  "'.*'",
  "'-n x'",
  "'x[$(b)]'",
  "'$(b)'",
  "\\~",
  "~/x",
  "$w",
  '"$w"',
  "x$w",
  '"$v"',
  "$(e)",
  '"$(p -x ../y)"',
  "$(p 7)",
  "$((1 + 2))",
  "$((0 - 1))",
  "$((x1 + 1))",
  "$(p x | wc -l)",
  "$(e | grep -c x)",
  "$(p x y | grep -c x '-H' '--label=x[$(b)]')",
  "$(grep -c x -r)",
  "$(nproc)",
  "${w:-x}",
  "${#w}",
  "$?"
] as const

/** Ways to give a variable a value that may or may not happen, or may happen in another shell. */
const set = (random: Random, name: string): string => {
  const value = random.pick(VALUES)
  return random.weighted<string>([
    [12, () => `${name}=${value}`],
    [1, () => `${name}=${value} w=$${name}`],
    [1, () => `if ${random.pick(["t", "f"])}; then ${name}=${value}; fi`],
    [1, () => `${random.pick(["t &&", "f ||", "f &&", "!"])} ${name}=${value}`],
    [1, () => `(${name}=${value})`],
    [1, () => `{ ${name}=${value}; }${random.pick(["", " <&7", " </dev/null"])}`],
    [1, () => `${name}=${value} | a`],
    [1, () => `a $(${name}=${value}; ${use(random, name)})`],
    [1, () => `while ${name}=${value}; f; do a; done`],
    [1, () => `for ${name} in ${value} ${random.pick(VALUES)}; do ${use(random, name)}; done`],
    [
      1,
      () =>
        `for ${name} in ${random.pick(["sub/*", "*.log", "./*", ".*", "-*", "sub//*"])}; do ${use(random, name)}; done`
    ],
    [1, () => `p ${value} | while read -r ${name}; do ${use(random, name)}; done`],
    [1, () => `read ${name} <<'X'\nx[$(b)]\nX\n${use(random, name)}`],
    [1, () => `a \${${name}:=${random.pick(["x", "1", "-x", ".", ".."])}}`],
    [1, () => `case ${value} in ${random.pick(["*", "x", "-*", "[0-9]*"])}) ${name}=${value} ;; esac`],
    [1, () => `${random.pick(["unset", "read", "printf -v", "export", "eval", "let", "getopts x"])} ${name}`],
    [1, () => `${name}=${value} ${random.pick([":", "a", "true", "eval"])}`]
  ])
}

/** Ways to use a variable of which the analysis says how many words it becomes, and how they begin and end. */
const use = (random: Random, name: string): string => {
  const other = random.pick(VARIABLES)
  const value = random.weighted<string>([
    [3, () => `$${name}`],
    [2, () => `\${${name}}`],
    [2, () => `"$${name}"`]
  ])
  return random.weighted<string>([
    [4, () => `a ${value}`],
    [1, () => `a x${value}`],
    [1, () => `a -${value}`],
    [1, () => `a .${value}/x`],
    [1, () => `a ${value}${value}/x`],
    [1, () => `a ${value}"$${other}"`],
    [1, () => `a ${value}x`.replace(`$${name}x`, `\${${name}}x`)],
    [1, () => `a ''${value}`],
    [1, () => `a ${value}''`],
    [1, () => `a ${value}\\\n x`],
    [1, () => `a ${value}/..`],
    [1, () => `a ${value}*`],
    [1, () => `a ./${value}*/x`],
    [1, () => `a */${value}`],
    [1, () => `a ${value}/*`],
    [4, () => `a $((${name}))`],
    [1, () => `a $((${name} + ${other}))`],
    [1, () => `a $((0 - ${name}))x`],
    [1, () => `a $(p $((${name})))`],
    [1, () => `case ${value} in x | -*) a ;; ${random.pick(["1", "*"])}) cc ${value} ;; esac`]
  ])
}

/** Statements about few variables: set, set again, use. */
export const makeFlow = (random: Random): string => {
  const names = [random.pick(VARIABLES), random.pick(VARIABLES)] as const
  const statements = Array.from({ length: 2 + random.below(4) }, (_, index) =>
    (index === 0 || random.chance(45) ? set : use)(random, random.pick(names))
  )
  return [...statements, use(random, names[0])].join(random.pick(["; ", "\n"]))
}

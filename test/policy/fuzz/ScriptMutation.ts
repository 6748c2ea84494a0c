import type { Random } from "./Random.ts"

const TOKENS: readonly [string, ...ReadonlyArray<string>] = [
  "'",
  ...' " ` $ \\ ; & | < > ( ) { } [ ] # ! * ? ~ = - % ^ , : @ 0 2 b if do in $( ${ $(( (( << <<- >& && || ;; |& <( $\' " }'.split(
    " "
  ),
  "\n",
  " ",
  "\t",
  "\\\n",
  "\nb\n",
  " b ",
  "$\\\n(b)",
  "#\n"
]

const one = (random: Random, text: string): string => {
  const at = random.below(text.length + 1)
  const to = Math.min(text.length, at + 1 + random.below(3))
  return random.weighted<string>([
    [6, () => text.slice(0, at) + random.pick(TOKENS) + text.slice(at)],
    [4, () => text.slice(0, at) + text.slice(at + 1)],
    [2, () => text.slice(0, to) + text.slice(at, to) + text.slice(to)],
    [2, () => text.slice(0, at) + random.pick(TOKENS) + text.slice(at + 1)],
    [1, () => text.slice(0, at) + text.slice(at, to).split("").toReversed().join("") + text.slice(to)]
  ])
}

/** A near miss: the text with one to three insertions, deletions, duplications, replacements or swaps of characters. */
export const mutate = (random: Random, text: string): string => {
  const times = 1 + random.below(3)
  let mutated = text
  for (let done = 0; done < times; done++) mutated = one(random, mutated)
  return mutated
}

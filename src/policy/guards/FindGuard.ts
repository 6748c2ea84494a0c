import { staticWord } from "../shell/Word.ts"
import { type Guard, isMany, NAME_IT, shown, shownText } from "./Argument.ts"
import { readFind } from "./FindExpression.ts"

/** find may not delete or write files; what it runs is checked as a command of its own. */
export const guardFind: Guard = (args) => {
  const given = [staticWord("find"), ...args.map((argument) => argument.word)]
  const found = readFind(given)
  const action = args.find(({ literal }, index) => !literal && found.writes.includes(index + 1))
  if (action !== undefined) return `The action ${shown(action)} is not safe. ${NAME_IT}`
  const { unclear } = found
  if (unclear === undefined) return undefined
  return isMany(unclear)
    ? `${shownText(unclear.text)} may become several words, also actions of find. Quote it, and begin a path with / or ./.`
    : `${shownText(unclear.text)} may be an action of find. Begin a path with / or ./ before it, like ./"$x"; a value belongs behind its option.`
}

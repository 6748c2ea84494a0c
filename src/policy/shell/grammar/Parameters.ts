import type { ParameterExpansionPart, SimpleExpansionPart, Word as Node } from "unbash"
import { isScriptVariable } from "../Environment.ts"
import { staticWord } from "../Word.ts"
import type { Piece } from "./Pieces.ts"
import { knowledgeAt, type Place, type Reader, recordValue, refuseAt } from "./Reader.ts"
import { type Knowledge, NUMBER, staticNumber, UNKNOWN } from "./Variables.ts"

const NAME = /^[A-Za-z_]\w*$/

/** Operands of an expansion that mean the same in every shell and in any quotes. */
const PLAIN_OPERAND = /^[A-Za-z0-9_@%+:,./-]*$/
const PLAIN_PATTERN = /^(?![%#])[A-Za-z0-9_@%+:,./*?-]*$/

const value = (text: string, quoted: boolean, known: Knowledge): Piece => ({ _tag: "Value", text, quoted, known })

const EMPTY: Piece = { _tag: "Text", text: "" }

const refuseValue = (reader: Reader, code: "construct/parameter" | "env-assignment", where: Place): Piece => {
  refuseAt(reader, code, where)
  return EMPTY
}

const readVariable = (reader: Reader, name: string, quoted: boolean, where: Place): Piece => {
  if (name === "?") return value("$?", quoted, NUMBER)
  if (!NAME.test(name) || name === "IFS") return refuseValue(reader, "construct/parameter", where)
  const known = knowledgeAt(reader, name)
  // Quoted, a count is one word even when the command failed.
  return value(`\${${name}}`, quoted || (known.numeric && known.mayBeEmpty), known)
}

/** Reads `$name` or `$?`. Positional parameters are refused: the text has none of its own. */
export const readSimpleExpansion = (reader: Reader, part: SimpleExpansionPart, quoted: boolean): Piece =>
  readVariable(reader, part.text.slice(1), quoted, part)

const operandText = (operand: Node): string | undefined =>
  /^[^'"\\$`]*$/.test(operand.text) ? operand.text : undefined

const readOperation = (reader: Reader, part: ParameterExpansionPart, quoted: boolean): Piece => {
  const { operation, parameter } = part
  const refused = () => refuseValue(reader, "construct/parameter", part)
  if (!NAME.test(parameter) || parameter === "IFS") return refused()
  switch (operation?.type) {
    case "Default": {
      const operand = operandText(operation.operand)
      if (operand === undefined || !PLAIN_OPERAND.test(operand)) return refused()
      if (operation.operator.endsWith("=")) {
        if (!isScriptVariable(parameter)) return refuseValue(reader, "env-assignment", part)
        const word = staticWord(operand)
        recordValue(reader, parameter, { word, number: staticNumber(word) })
      }
      return value(`\${${parameter}${operation.operator}${operand}}`, quoted, UNKNOWN)
    }
    case "Remove": {
      const operand = operandText(operation.operand)
      return operand !== undefined && PLAIN_PATTERN.test(operand)
        ? value(`\${${parameter}${operation.operator}${operand}}`, quoted, UNKNOWN)
        : refused()
    }
    default:
      return refused()
  }
}

/** Reads `${name}`, `${#name}`, and the POSIX operators `- = + ?` (also with `:`) and `# ## % %%` with a plain operand. */
export const readParameterExpansion = (reader: Reader, part: ParameterExpansionPart, quoted: boolean): Piece => {
  if (part.index !== undefined || part.prefix === "!") return refuseValue(reader, "construct/parameter", part)
  if (part.prefix === "#") {
    return part.operation === undefined && NAME.test(part.parameter)
      ? value(`\${#${part.parameter}}`, quoted, NUMBER)
      : refuseValue(reader, "construct/parameter", part)
  }
  return part.operation === undefined
    ? readVariable(reader, part.parameter, quoted, part)
    : readOperation(reader, part, quoted)
}

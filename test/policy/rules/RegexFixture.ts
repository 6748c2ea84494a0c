import * as library from "re2js"
import { makeRegexEngine } from "../../../src/policy/rules/Re2.ts"

/** The engine that the configuration uses. */
export const engine = makeRegexEngine(library)

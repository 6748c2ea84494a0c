import { makeModel } from "../model/Model.ts"
import type { MakeWatch } from "./Watch.ts"

/** Every answer is what the reference model says. */
export const answersAsModelled: MakeWatch = ({ config, facts, violated }) => {
  const problemsOf = makeModel(facts, config)
  return {
    answer: (answer) => {
      for (const problem of problemsOf(answer)) violated(problem)
    }
  }
}

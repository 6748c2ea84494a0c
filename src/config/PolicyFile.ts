import { Result } from "effect"
import { checkPolicyDocument, PolicyDocument } from "../policy/PolicyDocument.ts"
import { accepted, type Decoded, problemAt, rejected } from "./Decoded.ts"
import { decodeFile } from "./DecodeFile.ts"
import { policyMistakes } from "./KnownMistakes.ts"
import type { YamlFile } from "./YamlFile.ts"

const decode = decodeFile(PolicyDocument, policyMistakes)

/** The document of policy.yml, decoded and checked across its fields. */
export const decodePolicy = (file: YamlFile): Decoded<typeof PolicyDocument.Type> => {
  const decoded = decode(file)
  if (Result.isFailure(decoded)) return rejected([...decoded.failure, ...file.warnings])
  const report = problemAt(file)
  const problems = [
    ...checkPolicyDocument(decoded.success).map(({ message, path, severity }) => report(severity, path, message)),
    ...(decoded.success.version === undefined
      ? []
      : [report("warning", ["version"], "has no effect: the keys of the rules tell their language", "key")]),
    ...file.warnings
  ]
  return problems.some(({ severity }) => severity === "error")
    ? rejected(problems)
    : accepted(decoded.success, problems)
}

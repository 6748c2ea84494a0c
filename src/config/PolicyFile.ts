import { Context, Effect, Result } from "effect"
import { checkPolicyDocument, PolicyDocument } from "../policy/PolicyDocument.ts"
import { makeRegexEngine } from "../policy/rules/Re2.ts"
import type { RegexEngine } from "../policy/rules/RegexEngine.ts"
import { accepted, type Decoded, problemAt, rejected } from "./Decoded.ts"
import { decodeFile } from "./DecodeFile.ts"
import { policyMistakes } from "./KnownMistakes.ts"
import type { Problem } from "./Problem.ts"
import type { YamlFile } from "./YamlFile.ts"

const decode = decodeFile(PolicyDocument, policyMistakes)

/** policy.yml, decoded and checked, with what is needed to compile it. */
export interface LoadedPolicy {
  readonly document: PolicyDocument
  /** There when a rule has regular expressions. */
  readonly engine: RegexEngine | undefined
}

const usesRegexes = (document: PolicyDocument): boolean =>
  document.rules?.some((rule) => (rule.commands_regex?.length ?? 0) > 0) === true

/**
 * The library, loaded with the first need: most files have no regular expression, and a start must be quick. Without it
 * every regular expression is an error. A reference, so that a simulation, which cannot wait for a module, brings its own.
 */
export const RegexEngineLoader = Context.Reference<Effect.Effect<RegexEngine | undefined>>(
  "mcp-ssh-orchestrator/config/RegexEngineLoader",
  {
    defaultValue: () =>
      Effect.tryPromise(() => import("re2js")).pipe(
        Effect.map((library) => makeRegexEngine(library)),
        Effect.orElseSucceed(() => undefined)
      )
  }
)

const versionWarning = (version: PolicyDocument["version"]): string =>
  version === 3
    ? "the keys of the rules tell their language; nothing is noted about what the original decided otherwise"
    : "has no effect: the keys of the rules tell their language"

const checkPolicy = (file: YamlFile, { document, engine }: LoadedPolicy): ReadonlyArray<Problem> => {
  const report = problemAt(file)
  return [
    ...checkPolicyDocument(document, engine).map(({ message, path, severity }) => report(severity, path, message)),
    ...(document.version === undefined
      ? []
      : [report("warning", ["version"], versionWarning(document.version), "key")]),
    ...file.warnings
  ]
}

/** The document of policy.yml, decoded and checked across its fields. */
export const decodePolicy = Effect.fn("PolicyFile.decode")(function* (
  file: YamlFile
): Effect.fn.Return<Decoded<LoadedPolicy>> {
  const decoded = decode(file)
  if (Result.isFailure(decoded)) return rejected([...decoded.failure, ...file.warnings])
  const document = decoded.success
  const policy = { document, engine: usesRegexes(document) ? yield* yield* RegexEngineLoader : undefined }
  const problems = checkPolicy(file, policy)
  return problems.some(({ severity }) => severity === "error") ? rejected(problems) : accepted(policy, problems)
})

import { Effect, type FileSystem, Option, type Path, Result } from "effect"
import { type CompiledPolicy, compilePolicy } from "../policy/Policy.ts"
import type { Directories } from "./Directories.ts"
import { loadFile, missingDirectory } from "./LoadFile.ts"
import { decodePolicy } from "./PolicyFile.ts"
import type { Problem } from "./Problem.ts"

/** policy.yml, read and decoded. */
export const loadPolicyFile = loadFile("policy.yml", decodePolicy, "everything is denied")

/**
 * The policy alone, decided by the same file as everywhere else. Reads nothing but policy.yml, so that it can be had where
 * there are neither hosts nor keys; what is wrong with the other files is not known. Fails with the problems of a file
 * that cannot be used.
 */
export const loadPolicy: Effect.Effect<
  CompiledPolicy,
  ReadonlyArray<Problem>,
  Directories | FileSystem.FileSystem | Path.Path
> = Effect.gen(function* () {
  const missing = yield* missingDirectory
  if (missing !== undefined) return yield* Effect.fail([missing])
  const { decoded } = yield* loadPolicyFile
  const policy = Option.map(decoded.value, ({ document, engine }) => compilePolicy(document, engine))
  return yield* Effect.fromResult(Result.fromOption(policy, () => decoded.problems))
}).pipe(Effect.withSpan("LoadPolicy.load"))

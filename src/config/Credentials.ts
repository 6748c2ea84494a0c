import { Result } from "effect"
import { type CredentialEntry, CredentialsDocument } from "./CredentialEntry.ts"
import { checkCredentials } from "./CrossCheck.ts"
import { accepted, type Decoded, rejected } from "./Decoded.ts"
import { decodeFile } from "./DecodeFile.ts"
import { credentialsMistakes } from "./KnownMistakes.ts"
import type { YamlFile } from "./YamlFile.ts"

const decode = decodeFile(CredentialsDocument, credentialsMistakes)

/** The entries of credentials.yml, in its order. No key or secret is read. */
export const decodeCredentials = (file: YamlFile): Decoded<ReadonlyArray<CredentialEntry>> => {
  const decoded = decode(file)
  if (Result.isFailure(decoded)) return rejected([...decoded.failure, ...file.warnings])
  const entries = decoded.success.entries ?? []
  const duplicates = checkCredentials(file, entries)
  return duplicates.length > 0 ? rejected([...duplicates, ...file.warnings]) : accepted(entries, file.warnings)
}

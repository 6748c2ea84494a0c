import type { Identity } from "./Identity.ts"
import { asName, makeUniqueNames } from "./UniqueNames.ts"

/** An entry of credentials.yml. Paths are relative to the keys directory. */
export interface ImportedCredential {
  readonly name: string
  readonly username: string
  readonly keyPath: string | undefined
  readonly certificatePath: string | undefined
  readonly agent: boolean
}

/** A file that is outside of the keys directory. */
export interface FileToPlace {
  readonly source: string
  /** Its name in the keys directory. */
  readonly name: string
  readonly secret: boolean
}

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/**
 * Gives hosts their credentials: one entry for each user, key, certificate and agent, named after user and key. A file
 * that is not in the keys directory gets a name there, its own unless another file has it.
 */
export const makeCredentials = (keysDirectory: string) => {
  const names = makeUniqueNames()
  const fileNames = makeUniqueNames(["known_hosts"])
  const entries = new Map<string, ImportedCredential>()
  const files = new Map<string, FileToPlace>()
  const inside = `${keysDirectory}/`

  const place = (path: string, secret: boolean): string => {
    if (path.startsWith(inside)) return path.slice(inside.length)
    const known = files.get(path)
    if (known !== undefined) return known.name
    const base = asName(baseName(path))
    const file = {
      source: path,
      name: fileNames.take([base, asName(`${baseName(path.slice(0, path.lastIndexOf("/")))}-${base}`)]),
      secret
    }
    files.set(path, file)
    return file.name
  }

  return {
    /** The name of the entry for this user and identity. */
    nameFor: (username: string, { agent, certificate, key, keyIsInAgent }: Identity): string => {
      const id = JSON.stringify([username, key ?? "", certificate ?? "", agent])
      const known = entries.get(id)
      if (known !== undefined) return known.name
      const method = key === undefined ? "agent" : asName(baseName(key))
      const entry = {
        name: names.take([asName(`${username}-${method}`)]),
        username,
        keyPath:
          key === undefined ? undefined : keyIsInAgent ? place(`${key}.pub`, false).slice(0, -4) : place(key, true),
        certificatePath: certificate === undefined ? undefined : place(certificate, false),
        agent
      }
      entries.set(id, entry)
      return entry.name
    },
    /** The entries of these names, and the files that they need. */
    used: (wanted: ReadonlySet<string>) => {
      const used = [...entries.values()].filter(({ name }) => wanted.has(name))
      const paths = new Set(
        used.flatMap(({ certificatePath, keyPath }) => [certificatePath, keyPath, `${keyPath}.pub`])
      )
      return { entries: used, files: [...files.values()].filter(({ name }) => paths.has(name)) }
    }
  }
}

import type { Path } from "effect"
import { CONTAINER, type Directories } from "./Directories.ts"

/**
 * A path of a configuration file that begins with `/app/keys/` or `/app/config/`, moved into the directory in use, so
 * that a container's files work outside it. Other paths are returned as they are.
 */
export const mapContainerPath = (path: Path.Path, directories: Directories["Service"], written: string): string => {
  for (const name of ["keys", "config"] as const) {
    const prefix = `${CONTAINER[name]}/`
    if (written.startsWith(prefix)) return path.join(directories[name], written.slice(prefix.length))
  }
  return written
}

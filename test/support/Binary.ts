import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The file that `npm run build` makes and package.json's `bin` names. */
const built = path.join(root, "dist/mcp-ssh-orchestrator.mjs")

const newest = (directory: string): { readonly file: string; readonly time: number } =>
  fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => ({ file, time: fs.statSync(file).mtimeMs }))
    .reduce((a, b) => (b.time > a.time ? b : a), { file: "", time: 0 })

/**
 * The bundled binary under test. `MCP_SSH_E2E_BINARY` names another one; otherwise a bundle that is missing or older
 * than the sources is an error, since testing it would say nothing about them.
 */
export const binaryPath = (): string => {
  const other = process.env["MCP_SSH_E2E_BINARY"]
  if (other !== undefined && other !== "") return other
  if (!fs.existsSync(built)) throw new Error("dist/mcp-ssh-orchestrator.mjs is missing: run `npm run build` first")
  const source = newest(path.join(root, "src"))
  if (source.time > fs.statSync(built).mtimeMs) {
    throw new Error(
      `dist/mcp-ssh-orchestrator.mjs is older than ${path.relative(root, source.file)}: run \`npm run build\` first`
    )
  }
  return built
}

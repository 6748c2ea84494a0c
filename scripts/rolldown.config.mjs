import { toolListing } from "../src/mcp/ToolListing.ts"

/**
 * Bundles src/main.ts into the one file that package.json's `bin` names: a bundled start is four times faster than
 * an unbundled one. ssh2's optional native parts stay outside; it works without them.
 *
 * Two modules are replaced, since a client waits for the first `tools/list` at every start:
 * - mcp/ToolListing by its own value, computed here;
 * - the SDK's JSON Schema validator, which compiles a schema library at load and which only elicitation and the
 *   validation of results in the demo's client would use.
 */
const startup = {
  name: "startup",
  load(id) {
    if (id.endsWith("/src/mcp/ToolListing.ts")) {
      return `const tools = ${JSON.stringify(toolListing())}\nexport const toolListing = () => tools\n`
    }
    if (id.endsWith("/validation/ajv-provider.js")) {
      return "export class AjvJsonSchemaValidator { getValidator() { return (data) => ({ valid: true, data, errorMessage: undefined }) } }\n"
    }
    return null
  }
}

export default {
  input: "src/main.ts",
  platform: "node",
  external: [/\.node$/, "cpu-features"],
  plugins: [startup],
  output: {
    file: "dist/mcp-ssh-orchestrator.mjs",
    format: "esm",
    minify: true,
    codeSplitting: false,
    banner: "#!/usr/bin/env node"
  }
}

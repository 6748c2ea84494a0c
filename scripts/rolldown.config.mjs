import { toolListing } from "../src/mcp/ToolListing.ts"

/**
 * Bundles src/main.ts, which package.json's `bin` names, into a few files: a bundled start is four times faster than an
 * unbundled one. ssh2's optional native parts stay outside; it works without them.
 *
 * A client waits for the first `tools/list` at every start, so what would be computed or loaded before it in vain is
 * kept out of the way. A replacement whose text is no longer found fails the build.
 */
const startup = {
  name: "startup",
  load(id) {
    // Becomes its own value: making the JSON Schemas takes longer than all else of that answer.
    if (id.endsWith("/src/mcp/ToolListing.ts")) {
      return `const tools = ${JSON.stringify(toolListing())}\nexport const toolListing = () => tools\n`
    }
    // Compiles a schema library at load; only elicitation and the checks of the demo's client would use it.
    if (id.endsWith("/validation/ajv-provider.js")) {
      return "export class AjvJsonSchemaValidator { getValidator() { return (data) => ({ valid: true, data, errorMessage: undefined }) } }\n"
    }
    return null
  },
  transform(code, id) {
    const replacement = REPLACEMENTS.find(({ file }) => id.endsWith(file))
    if (replacement === undefined) return null
    if (!replacement.from.test(code)) this.error(`${replacement.file} no longer holds ${replacement.from}`)
    return code.replace(replacement.from, replacement.to)
  }
}

const REPLACEMENTS = [
  {
    // Loads Unicode tables: not before the first text is measured, which is help.
    file: "/effect/dist/cli/CliOutput.js",
    from: /new Intl\.Segmenter\(([^)]*)\)/,
    to: "({ segment: (text) => new Intl.Segmenter($1).segment(text) })"
  },
  {
    // Finds out which engine this is from a stack trace, whose first one is slow. It is V8, where this is the outcome.
    file: "/effect/dist/Utils.js",
    from: /if \(limit === 0\) return forced\[InternalTypeId\];/,
    to: "return standard[InternalTypeId];"
  }
]

/** What a start of the server does not need: loaded with the first connection, and with the first command of a person. */
const SSH2 = /\/node_modules\/(ssh2|asn1|bcrypt-pbkdf|safer-buffer|tweetnacl)\//
const CLI =
  /\/src\/simulation\/|\/effect\/dist\/(internal\/arbitrary\/|Arbitrary\.js$)|\/src\/cli\/(?!(Program|ServeArguments|LogLevels|CliFailure)\.ts$)|\/effect\/dist\/(cli|process)\/|Node(Services|Terminal|ChildProcessSpawner|Stdio)\.js$|\/sdk\/dist\/esm\/client\/|\/cross-spawn\//

export default {
  input: "src/main.ts",
  platform: "node",
  external: [/\.node$/, "cpu-features"],
  plugins: [startup],
  output: {
    dir: "dist",
    entryFileNames: "mcp-ssh-orchestrator.mjs",
    chunkFileNames: "[name].mjs",
    format: "esm",
    // ssh2 tells its server's sessions by the name of their class.
    minify: {
      mangle: { keepNames: { class: true, function: false } },
      compress: { keepNames: { class: true, function: false } }
    },
    banner: ({ isEntry }) => (isEntry ? "#!/usr/bin/env node" : ""),
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        { name: "ssh2", test: SSH2, priority: 2 },
        // Loaded only for a policy with regular expressions.
        { name: "re2", test: /\/node_modules\/re2js\//, priority: 2 },
        { name: "commands", test: CLI, priority: 2 },
        { name: "server", test: (id) => !id.endsWith("/src/main.ts"), priority: 1 }
      ]
    }
  }
}

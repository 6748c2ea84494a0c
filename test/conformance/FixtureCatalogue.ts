import { Effect, Stream } from "effect"
import type { Catalogue } from "../../src/mcp/Catalogue.ts"
import { completePrefix, noCompletion } from "../../src/mcp/Completion.ts"
import { invalidParams, resourceNotFound } from "../../src/mcp/ProtocolError.ts"
import type { Prompt, PromptMessage } from "../../src/mcp/prompts/Prompt.ts"
import type { ResourceContents, Resources } from "../../src/mcp/resources/Resources.ts"
import type { ContentBlock } from "../../src/mcp/Tool.ts"
import { listedTools, PNG, TOOLS } from "./FixtureTools.ts"

const TEMPLATE = "test://template/{id}/data"

const CONTENTS: ReadonlyMap<string, ResourceContents> = new Map(
  [
    { uri: "test://static-text", mimeType: "text/plain", text: "This is the content of the static text resource." },
    { uri: "test://static-binary", mimeType: "image/png", blob: PNG },
    { uri: "test://watched-resource", mimeType: "text/plain", text: "Watched." },
    { uri: "test://example-resource", mimeType: "text/plain", text: "An example." }
  ].map((contents) => [contents.uri, contents])
)

const read = (uri: string): ResourceContents | undefined => {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1]
  return id === undefined
    ? CONTENTS.get(uri)
    : {
        uri,
        mimeType: "application/json",
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` })
      }
}

const resources: Resources<never> = {
  list: (cursor) =>
    cursor === undefined
      ? Effect.succeed({
          resources: [...CONTENTS.values()].map(({ mimeType, uri }) => ({
            uri,
            name: uri.slice("test://".length),
            title: uri,
            description: `What the conformance suite expects at ${uri}.`,
            mimeType
          }))
        })
      : Effect.fail(invalidParams("cursor is not valid")),
  templates: (cursor) =>
    cursor === undefined
      ? Effect.succeed({
          resourceTemplates: [
            {
              uriTemplate: TEMPLATE,
              name: "template",
              title: "Template",
              description: "Repeats its id.",
              mimeType: "application/json"
            }
          ]
        })
      : Effect.fail(invalidParams("cursor is not valid")),
  read: (uri) => {
    const contents = read(uri)
    return contents === undefined ? Effect.fail(resourceNotFound(uri)) : Effect.succeed([contents])
  },
  complete: (_, variable, value) =>
    Effect.succeed(variable === "id" ? completePrefix(["123", "124", "125"], value) : noCompletion),
  changes: (uri) => (read(uri) === undefined ? Effect.fail(resourceNotFound(uri)) : Effect.succeed(Stream.never)),
  listChanges: Stream.never
}

const prompt = (
  name: string,
  args: ReadonlyArray<string>,
  contents: (args: Readonly<Record<string, string>>) => ReadonlyArray<ContentBlock>
): Prompt<never> => ({
  name,
  title: name,
  description: `What the conformance suite expects of ${name}.`,
  arguments: args.map((argument) => ({ name: argument, description: `The ${argument}.`, required: true })),
  get: (given) => Effect.succeed(contents(given).map((content): PromptMessage => ({ role: "user", content }))),
  complete: (_, value) => Effect.succeed(completePrefix(["paris", "park", "party", "test"], value))
})

const PROMPTS: ReadonlyArray<Prompt<never>> = [
  prompt("test_simple_prompt", [], () => [{ type: "text", text: "This is a simple prompt for testing." }]),
  prompt("test_prompt_with_arguments", ["arg1", "arg2"], ({ arg1, arg2 }) => [
    { type: "text", text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` }
  ]),
  prompt("test_prompt_with_embedded_resource", ["resourceUri"], ({ resourceUri }) => [
    {
      type: "resource",
      resource: {
        uri: resourceUri ?? "",
        mimeType: "text/plain",
        text: "Embedded resource content for testing."
      }
    },
    { type: "text", text: "Please process the embedded resource above." }
  ]),
  prompt("test_prompt_with_image", [], () => [
    { type: "image", data: PNG, mimeType: "image/png" },
    { type: "text", text: "Please analyze the image above." }
  ])
]

/** What the conformance suite asks a server for, by the names that it uses. */
export const FIXTURE: Catalogue<never> = {
  info: { name: "conformance-fixture", title: "Conformance fixture", version: "1.0.0" },
  instructions: "Answers the requests of the conformance suite.",
  listTools: () => listedTools,
  findTool: (name) => TOOLS.find((tool) => tool.name === name),
  prompts: PROMPTS,
  resources
}

import type { ListedTool } from "./ListedTool.ts"
import type { Prompt } from "./prompts/Prompt.ts"
import type { Resources } from "./resources/Resources.ts"
import type { Tasks } from "./tasks/Tasks.ts"
import type { Tool } from "./Tool.ts"

/** How a server names itself in its answer to `initialize`. */
export interface ServerInfo {
  readonly name: string
  readonly title: string
  readonly version: string
}

/**
 * What a server offers. The adapter declares the capabilities that follow from it and answers every request with it.
 * `R` is what the calls need; listing tools and prompts needs nothing.
 */
export interface Catalogue<R> {
  readonly info: ServerInfo
  /** What a model is told about the server before it calls anything. */
  readonly instructions: string
  /** The tools in the order in which they are listed; asked for once a connection. */
  readonly listTools: () => ReadonlyArray<ListedTool>
  /** The tool that answers to a name; more names may be answered than are listed. */
  readonly findTool: (name: string) => Tool<R> | undefined
  readonly prompts: ReadonlyArray<Prompt<R>>
  /** Absent: there are none, and the requests about them are unknown methods. */
  readonly resources?: Resources<R>
  /** Absent: no call can become a task, and a `task` parameter is ignored. */
  readonly tasks?: Tasks<R>
}

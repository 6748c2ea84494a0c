import { userInfo } from "node:os"
import { Effect, FileSystem, Option, Path } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Directories } from "../config/Directories.ts"
import { environmentVariable } from "../config/Environment.ts"
import { failed, wrongUsage } from "./CliFailure.ts"
import { importedFiles, type StarterFile, starterFiles } from "./InitFiles.ts"
import { reviewList } from "./InitReport.ts"
import { printLines, printRemarks } from "./Printer.ts"
import { importInventory, type ImportedInventory, pathsToLookAt } from "./sshconfig/Import.ts"
import { readSshConfig } from "./SshConfigReader.ts"
import { printable } from "./Table.ts"

/** Kept copies of a file that `--force` replaced. */
const MAX_COPIES = 100

/** The local user, as ssh(1) takes it for the remote one: of the password database, else of the environment. */
const localUser = Effect.try({ try: () => userInfo().username, catch: () => undefined }).pipe(
  Effect.catch(() =>
    Effect.flatMap(environmentVariable("USER"), (user) =>
      Option.isSome(user) ? Effect.succeed(user.value) : Effect.fail(failed("The local user has no name: set USER"))
    )
  )
)

const homeDirectory = Effect.flatMap(environmentVariable("HOME"), (home) =>
  Option.isSome(home)
    ? Effect.succeed(home.value.replace(/(?<=.)\/+$/u, ""))
    : Effect.fail(failed("There is no home directory: set HOME"))
)

/** Reads a configuration of ssh and carries it over. */
const importFrom = Effect.fn("cli.init.import")(function* (file: Option.Option<string>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { keys } = yield* Directories
  const home = yield* homeDirectory
  const user = yield* localUser
  const source = path.resolve(Option.getOrElse(file, () => `${home}/.ssh/config`))
  const { faults, items } = yield* readSshConfig(source, home).pipe(
    Effect.mapError(({ reason }) => failed(`${printable(source)} cannot be read: ${reason}`))
  )
  const existing = yield* Effect.filter(
    pathsToLookAt(items, home, user),
    (candidate) => Effect.orElseSucceed(fs.exists(candidate), () => false),
    { concurrency: 8 }
  )
  const inventory = importInventory(items, { home, user, keysDirectory: keys, existing: new Set(existing) })
  const all: ImportedInventory = {
    ...inventory,
    remarks: [...faults.map((fault) => ({ ...fault, hosts: [] })), ...inventory.remarks]
  }
  return all
})

/** Moves a file aside, so that what a person wrote is never lost. Yields where it is. */
const keepCopy = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  for (let number = 0; number < MAX_COPIES; number++) {
    const copy = `${file}.bak${number === 0 ? "" : `.${number}`}`
    if (yield* fs.exists(copy)) continue
    yield* fs.rename(file, copy)
    return copy
  }
  return yield* failed(`${file}: ${MAX_COPIES} copies are enough; remove some`)
})

/** Writes the files, all or none; those that exist are moved aside with `force`, else nothing is written. */
const writeFiles = Effect.fn("cli.init.write")(
  function* (files: ReadonlyArray<StarterFile>, force: boolean) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const { config, keys } = yield* Directories
    const existing = yield* Effect.filter(files, ({ name }) => fs.exists(path.join(config, name)))
    if (existing.length > 0 && !force) {
      const names = existing.map(({ name }) => name).join(", ")
      return yield* failed(
        `Nothing was written: ${names} ${existing.length === 1 ? "exists" : "exist"} in ${printable(config)}. With --force they are moved aside first; --dry-run shows what would be written.`
      )
    }
    for (const directory of [config, keys]) yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 })
    return yield* Effect.forEach(files, ({ name, text }) =>
      Effect.gen(function* () {
        const file = path.join(config, name)
        const moved = (yield* fs.exists(file)) ? yield* keepCopy(file) : undefined
        yield* fs.writeFileString(file, text, { flag: "wx", mode: 0o600 })
        return `Wrote ${file}${moved === undefined ? "" : `; the one before is ${path.basename(moved)}`}`
      })
    )
  },
  Effect.catchTag("PlatformError", (error) => Effect.fail(failed(error.message)))
)

/** `init`: starter files for a configuration directory, empty or with the hosts of ~/.ssh/config. */
export const init = Command.make(
  "init",
  {
    fromSshConfig: Flag.Boolean("from-ssh-config").pipe(
      Flag.withDescription("Carry the hosts of FILE over: Host, HostName, User, Port, keys, agent, ProxyJump, Include"),
      Flag.withDefault(false)
    ),
    file: Argument.String("FILE").pipe(
      Argument.withDescription("The file to carry over; ~/.ssh/config when absent. System-wide files are not read"),
      Argument.optional
    ),
    force: Flag.Boolean("force").pipe(
      Flag.withDescription("Move existing files aside (NAME.bak) and write new ones"),
      Flag.withDefault(false)
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Print the files on stdout and write nothing"),
      Flag.withDefault(false)
    )
  },
  Effect.fn("cli.init")(function* ({ dryRun, file, force, fromSshConfig }) {
    if (Option.isSome(file) && !fromSshConfig) return yield* wrongUsage("FILE belongs to --from-ssh-config")
    const { keys } = yield* Directories
    const inventory = fromSshConfig ? yield* importFrom(file) : undefined
    const files = inventory === undefined ? starterFiles : importedFiles(inventory)
    const review = inventory === undefined ? [] : ["", ...reviewList(inventory, keys)]
    if (dryRun) {
      yield* printLines(files.map(({ name, text }) => `# ---- ${name}\n${text}`))
      return yield* printRemarks(review)
    }
    const written = yield* writeFiles(files, force)
    yield* printLines([
      ...written.map(printable),
      ...review,
      "",
      "Next: mcp-ssh-orchestrator check, trust HOST for a host key that is not known, doctor, then rules in policy.yml"
    ])
  })
).pipe(
  Command.withDescription(
    "Write starter files into the configuration directory; nothing is allowed until you add rules"
  ),
  Command.withExamples([
    { command: "mcp-ssh-orchestrator init", description: "Three files with comments" },
    {
      command: "mcp-ssh-orchestrator init --from-ssh-config --dry-run",
      description: "What would be written for the hosts of ~/.ssh/config, and what cannot be carried over"
    },
    {
      command: "mcp-ssh-orchestrator init --from-ssh-config fleet.conf --config-dir fleet",
      description: "Another file, another directory"
    }
  ])
)

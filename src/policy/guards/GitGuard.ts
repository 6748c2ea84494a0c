import { staticText } from "../shell/Word.ts"
import { type Argument, findFree, type Guard, mayBeginWith, NAME_IT, shown } from "./Argument.ts"
import { guardOptions, type OptionGuard, refusedOption, scanArguments } from "./OptionGuard.ts"

const words = (text: string): ReadonlyArray<string> => text.split(" ")

/** The options of git itself: only those that neither configure it nor name another repository or program. */
const GIT: OptionGuard = {
  onlyFlags: "Pvh",
  refused: "cp",
  values: "Cc",
  refusedLong: words(
    "--git-dir --work-tree --namespace --super-prefix --config-env --attr-source --exec-path --paginate --bare"
  ),
  longValues: words("--git-dir --work-tree --namespace --super-prefix --config-env --attr-source"),
  longFlags: words(
    "--no-pager --no-optional-locks --no-replace-objects --literal-pathspecs --glob-pathspecs --noglob-pathspecs " +
      "--icase-pathspecs --no-lazy-fetch --no-advice --version --help --html-path --man-path --info-path --exec-path --paginate --bare"
  ),
  endsAt: 1,
  terminators: []
}

/** The options of sub-commands; most letters take a value in one of them. */
const GIT_COMMAND: OptionGuard = {
  maybeValues: "bcdefgjklmnorstuxyABCDFGHIJKLMNOPQRSTUVWXYZ",
  refusedLong: words(
    "--output --output-directory --ext-diff --textconv --filters --open-files-in-pager --upload-pack --receive-pack " +
      "--exec --extcmd --tool --template --config --edit --file --no-index --remote"
  ),
  longFlags: words(
    "--oneline --stat --name-only --name-status --cached --staged --all --graph --no-color --porcelain --patch " +
      "--numstat --shortstat --no-merges --merges --reverse --follow --quiet --verbose --no-ext-diff --no-textconv " +
      "--abbrev-commit --branch --show-toplevel --count --first-parent --no-patch --short --decorate"
  ),
  // Behind `--` git reads paths; this one is for revisions and other names.
  terminators: ["--", "--end-of-options"]
}

/** `-O` names a pager or an order file; only git grep takes it inside a cluster, elsewhere it may end a search text. */
const GIT_GREP: OptionGuard = { ...GIT_COMMAND, refused: "O", values: "efABCm", maybeValues: "" }

/** Sub-commands that run other programs. */
const RUNS = new Set(
  words(
    "bisect submodule filter-branch difftool mergetool config credential daemon upload-pack receive-pack shell hook " +
      "rebase instaweb web--browse send-email imap-send gui citool maintenance http-backend cvsserver remote-ext remote-fd"
  )
)

const guardGrep = guardOptions(GIT_GREP)
const guardCommand = guardOptions(GIT_COMMAND)

const refusedInCommand = (command: Argument, args: ReadonlyArray<Argument>): string | undefined => {
  if (staticText(command.word) === "grep") return guardGrep(args)
  const order = scanArguments(GIT_COMMAND, args).options.find(
    ({ argument }) => !argument.literal && staticText(argument.word)?.startsWith("-O") === true
  )
  return order === undefined ? guardCommand(args) : `The option ${shown(order.argument)} is not safe. ${NAME_IT}`
}

/** git may not be configured by its arguments, run programs that they name, or write files besides its repository. */
export const guardGit: Guard = (args) => {
  const scanned = scanArguments(GIT, args)
  const refused = refusedOption(GIT, scanned)
  if (refused !== undefined) return refused
  const unclear = scanned.operands.find((operand) => operand.word._tag === "Dynamic")
  if (unclear !== undefined) return `The git command ${shown(unclear)} is not certain. Write it out.`
  const [command, ...others] = scanned.rest
  if (command?.word._tag !== "Static") return undefined
  if (!command.literal && RUNS.has(command.word.text))
    return `git ${command.word.text} may run other programs. ${NAME_IT}`
  const transport = findFree(args, (word) => mayBeginWith(word, "ext::") && word._tag === "Static")
  if (transport !== undefined) return `${shown(transport)} runs a program. ${NAME_IT}`
  const reason = refusedInCommand(command, others)
  if (reason !== undefined) return reason
  // A word that may be a remote's address could name a program to run.
  const remote = REMOTE.has(command.word.text) ? findFree(others, (word) => mayBeginWith(word, "ext::")) : undefined
  return remote && `${shown(remote)} may be an address that runs a program. Write its beginning out.`
}

/** Sub-commands with a remote's address among their operands. */
const REMOTE = new Set(words("clone fetch pull push ls-remote remote archive fetch-pack send-pack"))

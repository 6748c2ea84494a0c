import { Effect, FileSystem, Schema } from "effect"
import { userInfo } from "node:os"

/** A login that exists for one server only. */
export interface Account {
  readonly name: string
  /** The absolute path of its shell. */
  readonly shell: string
  /** Files in its home by name, such as `.bashrc`. */
  readonly files?: Readonly<Record<string, string>>
}

/** What the programs see besides the accounts. */
export interface AccountsOptions {
  /** The whole sudoers(5) file. */
  readonly sudoers?: string | undefined
  /** Hides the processes of other users from those who are not root (proc(5), hidepid=2). */
  readonly hidepid?: boolean | undefined
}

/** The accounts could not be made; `detail` says what is missing. */
export class AccountsError extends Schema.TaggedError<AccountsError>()("AccountsError", {
  detail: Schema.String
}) {}

/** Accounts that were written to files, and how a program is started that sees them. */
export interface Accounts {
  /** The command that runs a program with these accounts in the place of the machine's. */
  readonly command: (file: string, args: ReadonlyArray<string>) => readonly [file: string, args: ReadonlyArray<string>]
  /** The home of an account. */
  readonly home: (name: string) => string
}

/** The user id of the first account; more than a distribution gives to people, less than `nobody` (65534). */
const FIRST_ID = 61_000

/** Mounts another /proc where `$1` is set, binds the files that follow in pairs, then becomes the program behind `--`. */
const BIND =
  '[ -z "$1" ] || mount -t proc -o hidepid=2 proc /proc || exit 1; shift; ' +
  'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 1; shift 2; done; shift; exec "$@"'

/**
 * Writes passwd(5), shadow(5), group(5) and, where asked for, sudoers(5) files with further accounts. A program sees them in a mount
 * namespace of its own (mount_namespaces(7)): the machine's files are never touched, and nothing is left when the program ends,
 * however that comes about. Needs root.
 */
export const makeAccounts = Effect.fn("Accounts.make")(function* (
  directory: string,
  accounts: ReadonlyArray<Account>,
  options: AccountsOptions
) {
  const fs = yield* FileSystem.FileSystem
  if (userInfo().uid !== 0) {
    return yield* new AccountsError({ detail: "accounts of a test's own need root, for a mount namespace" })
  }
  // Everybody may pass through to the homes.
  yield* Effect.orDie(fs.chmod(directory, 0o711))
  const home = (name: string) => `${directory}/home-${name}`
  const pairs: Array<string> = []
  const extend = Effect.fnUntraced(function* (path: string, lines: ReadonlyArray<string>, mode: number) {
    const own = `${directory}/etc-${path.slice(path.lastIndexOf("/") + 1)}`
    const before = path === "/etc/sudoers" ? "" : yield* Effect.orDie(fs.readFileString(path))
    yield* Effect.orDie(fs.writeFileString(own, `${before.trimEnd()}\n${lines.join("\n")}\n`, { mode }))
    pairs.push(own, path)
  })
  const ids = accounts.map((account, at) => ({ ...account, id: FIRST_ID + at }))
  yield* extend(
    "/etc/passwd",
    ids.map(({ id, name, shell }) => `${name}:x:${id}:${id}::${home(name)}:${shell}`),
    0o644
  )
  yield* extend(
    "/etc/group",
    ids.map(({ id, name }) => `${name}:x:${id}:`),
    0o644
  )
  // `*` is no password and, unlike `!`, does not lock the account for keys.
  yield* extend(
    "/etc/shadow",
    ids.map(({ name }) => `${name}:*:19000:0:99999:7:::`),
    0o600
  )
  if (options.sudoers !== undefined) yield* extend("/etc/sudoers", [options.sudoers], 0o440)
  for (const { files, id, name } of ids) {
    yield* Effect.orDie(fs.makeDirectory(home(name), { mode: 0o700 }))
    for (const [file, text] of Object.entries(files ?? {})) {
      yield* Effect.orDie(fs.writeFileString(`${home(name)}/${file}`, text, { mode: 0o644 }))
    }
    yield* Effect.orDie(fs.chown(home(name), id, id))
  }
  const made: Accounts = {
    command: (file, args) => [
      "unshare",
      [
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        BIND,
        "sh",
        options.hidepid === true ? "1" : "",
        ...pairs,
        "--",
        file,
        ...args
      ]
    ],
    home
  }
  return made
})

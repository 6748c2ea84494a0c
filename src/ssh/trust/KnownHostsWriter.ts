import { Effect, FileSystem, Option, Path, type PlatformError, Result, Schedule, Schema } from "effect"
import { readRegularFile } from "../../config/RegularFile.ts"
import { MAX_KNOWN_HOSTS_BYTES } from "./KnownHostsFile.ts"

/** known_hosts could not be written; it is as it was. For the person at the terminal: names the file. */
export class KnownHostsNotWritten extends Schema.TaggedError<KnownHostsNotWritten>()("KnownHostsNotWritten", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.path} was not changed: ${this.detail}`
  }
}

/** How often, 50 ms apart, another writer is waited for; what it does takes milliseconds. */
const LOCK_RETRIES = 100

const reasonOf = (error: PlatformError.PlatformError): string =>
  `${error.reason._tag}${error.reason.description === undefined ? "" : ` (${error.reason.description})`}`

/** The file itself when `path` is a symbolic link to one, so that the link stays. */
const resolveLink = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.orElseSucceed(fs.realPath(path), () => path)
})

/** Holds `<file>.lock`, which only one process can create, until the Scope closes. */
const lock = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const lockFile = `${file}.lock`
  const create = Effect.acquireRelease(fs.writeFileString(lockFile, "", { flag: "wx", mode: 0o600 }), () =>
    Effect.ignore(fs.remove(lockFile))
  )
  yield* create.pipe(
    Effect.retry({
      while: (error) => error.reason._tag === "AlreadyExists",
      schedule: Schedule.spaced("50 millis"),
      times: LOCK_RETRIES
    }),
    Effect.mapError(
      (error) =>
        new KnownHostsNotWritten({
          path: file,
          detail:
            error.reason._tag === "AlreadyExists"
              ? `another program is writing it. If none is, remove ${lockFile}`
              : `${lockFile} cannot be created: ${reasonOf(error)}`
        })
    )
  )
})

/** Writes the new content beside the file and puts it in its place: a reader sees the old file or the new one. */
const replace = Effect.fnUntraced(function* (file: string, bytes: Uint8Array, mode: number) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = yield* fs.makeTempDirectoryScoped({ directory: path.dirname(file), prefix: ".known_hosts-" })
  const temporary = path.join(directory, "known_hosts")
  const handle = yield* fs.open(temporary, { flag: "wx", mode })
  yield* handle.writeAll(bytes)
  yield* fs.chmod(temporary, mode)
  yield* handle.sync
  yield* fs.rename(temporary, file)
})

/**
 * Changes a known_hosts file: `change` gets its text (latin1, so that a byte is a character; "" when there is no file)
 * and gives the new one. Between the two nobody else who locks it writes it. Its mode stays; a new file has 0600. The
 * only code that writes known_hosts, and only `trust` calls it.
 */
export const changeKnownHosts = Effect.fn("KnownHostsWriter.change")(function* <E, R>(
  path: string,
  change: (text: string) => Effect.Effect<string, E, R>
) {
  const fs = yield* FileSystem.FileSystem
  const file = yield* resolveLink(path)
  const notWritten = (detail: string) => new KnownHostsNotWritten({ path: file, detail })
  yield* lock(file)
  const read = yield* Effect.result(readRegularFile(file, MAX_KNOWN_HOSTS_BYTES))
  if (Result.isFailure(read) && read.failure.reason !== "not found") {
    return yield* notWritten(`it cannot be read: ${read.failure.reason}`)
  }
  const current = Option.getOrElse(Result.getSuccess(read), () => ({ bytes: new Uint8Array(), mode: 0o600 }))
  const before = Buffer.from(current.bytes).toString("latin1")
  const after = yield* change(before)
  if (after === before) return
  yield* replace(file, Buffer.from(after, "latin1"), current.mode & 0o777).pipe(
    Effect.provideService(FileSystem.FileSystem, fs),
    Effect.mapError((error) => notWritten(reasonOf(error)))
  )
}, Effect.scoped)

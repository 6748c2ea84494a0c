import { ByteSize, Effect, FileSystem, Option, PlatformError } from "effect"

const encoder = new TextEncoder()

/** What every file that is looked at but not given holds: the key and secret files that a configuration names. */
const STAND_IN = encoder.encode("simulated")

/** Files in memory, as much of a file system as reading a configuration takes. */
export interface MemoryFiles {
  readonly fileSystem: FileSystem.FileSystem
  /** Replaces a file at once: a reader that has it open goes on with the old content. */
  readonly write: (path: string, text: string) => void
}

const notFound = (method: string, path: string) =>
  PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method, pathOrDescriptor: path })

/** What stat(2) says about a regular file of one's own, mode 0600. */
const infoOf = (bytes: Uint8Array): FileSystem.File.Info => ({
  type: "File",
  mtime: Option.none(),
  atime: Option.none(),
  birthtime: Option.none(),
  dev: 0n,
  ino: Option.none(),
  mode: 0o100600,
  nlink: Option.none(),
  uid: Option.none(),
  gid: Option.none(),
  rdev: Option.none(),
  size: ByteSize.bytes(bytes.length),
  blksize: Option.none(),
  blocks: Option.none()
})

/** An open file, read from its beginning. */
const open = (bytes: Uint8Array): FileSystem.File => {
  let at = 0
  const unsupported = (method: string) =>
    Effect.fail(PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method, description: "read only" }))
  return {
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    stat: Effect.succeed(infoOf(bytes)),
    seek: () => unsupported("seek"),
    sync: Effect.void,
    read: (buffer) =>
      Effect.sync(() => {
        const piece = bytes.subarray(at, at + buffer.length)
        buffer.set(piece)
        at += piece.length
        return piece.length
      }),
    readAlloc: () => unsupported("readAlloc"),
    truncate: () => unsupported("truncate"),
    write: () => unsupported("write"),
    writeAll: () => unsupported("writeAll")
  }
}

/** Makes the files. A path below one of `standIns` that was not written is a file with a content of its own. */
export const makeMemoryFiles = (standIns: ReadonlyArray<string>): MemoryFiles => {
  const files = new Map<string, Uint8Array>()
  const find = (method: string, path: string) => {
    const written = files.get(path)
    if (written !== undefined) return Effect.succeed(written)
    const isStandIn = standIns.some((directory) => path.startsWith(`${directory}/`)) && !path.endsWith("/.env")
    return isStandIn ? Effect.succeed(STAND_IN) : Effect.fail(notFound(method, path))
  }
  const isDirectory = (path: string) => [...files.keys(), ...standIns].some((file) => `${file}/`.startsWith(`${path}/`))
  return {
    fileSystem: FileSystem.makeNoop({
      exists: (path) => Effect.succeed(files.has(path) || isDirectory(path)),
      realPath: (path) => (isDirectory(path) ? Effect.succeed(path) : Effect.as(find("realPath", path), path)),
      stat: (path) => Effect.map(find("stat", path), infoOf),
      open: (path) => Effect.map(find("open", path), open)
    }),
    write: (path, text) => {
      files.set(path, encoder.encode(text))
    }
  }
}

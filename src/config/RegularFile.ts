import { ByteSize, Effect, FileSystem, Option, Path, type PlatformError } from "effect"
import { FileUnreadable } from "./errors.ts"

/** The content of a file and its permission bits. */
export interface FileContent {
  readonly bytes: Uint8Array
  readonly mode: number
}

const unreadable = (error: PlatformError.PlatformError): FileUnreadable => {
  const tag = error.reason._tag
  return new FileUnreadable({
    reason: tag === "NotFound" ? "not found" : tag === "PermissionDenied" ? "permission denied" : "unreadable"
  })
}

/**
 * Reads a regular file of at most `maxBytes`. Symbolic links are followed. Anything else (a FIFO, a device, a
 * directory) is refused before it is opened, since opening a FIFO would wait for a writer.
 */
export const readRegularFile = Effect.fn("RegularFile.read")(
  function* (file: string, maxBytes: number) {
    const fs = yield* FileSystem.FileSystem
    const info = yield* fs.stat(file)
    if (info.type !== "File") return yield* new FileUnreadable({ reason: "not a regular file" })
    if (ByteSize.toBigInt(info.size) > BigInt(maxBytes)) return yield* new FileUnreadable({ reason: "too large" })
    const handle = yield* fs.open(file)
    // One byte more than allowed shows a file that grew, or one (as in /proc) that does not tell its size.
    const buffer = new Uint8Array(Math.min(maxBytes, Number(ByteSize.toBigInt(info.size)) + 4096) + 1)
    let length = 0
    while (length < buffer.length) {
      const count = yield* handle.read(buffer.subarray(length))
      if (count === 0) break
      length += count
    }
    if (length === buffer.length) return yield* new FileUnreadable({ reason: "too large" })
    const content: FileContent = { bytes: buffer.subarray(0, length), mode: info.mode }
    return content
  },
  Effect.scoped,
  Effect.catchTag("PlatformError", (error) => Effect.fail(unreadable(error)))
)

/**
 * Reads a regular file whose real path is inside `directory`: a symbolic link is followed only to a target inside,
 * which is how Kubernetes projects secrets. `file` is relative to `directory` or absolute.
 */
export const readConfinedFile = Effect.fn("RegularFile.readConfined")(function* (
  directory: string,
  file: string,
  maxBytes: number
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const inside = (parent: string, child: string) => {
    const relative = path.relative(parent, child)
    return relative !== "" && relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative)
  }
  const wanted = path.resolve(directory, file)
  if (!inside(directory, wanted)) return yield* new FileUnreadable({ reason: "outside the directory" })
  const resolve = (place: string) => Effect.mapError(fs.realPath(place), unreadable)
  const real = yield* resolve(wanted)
  if (!inside(yield* resolve(directory), real)) return yield* new FileUnreadable({ reason: "outside the directory" })
  return yield* readRegularFile(real, maxBytes)
})

/** Whether group or others may read a file of this mode. */
export const isReadableByOthers = (mode: number): boolean => (mode & 0o044) !== 0

/** UTF-8 text, or `none`: a secret with replaced bytes would be another secret. */
export const utf8 = (bytes: Uint8Array): Option.Option<string> =>
  Option.liftThrowable(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes))()

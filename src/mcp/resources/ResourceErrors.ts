import type { ConfigUnusable, HostNotFound } from "../../fleet/errors.ts"
import type { TaskNotFound } from "../../task/errors.ts"
import { errorText } from "../ErrorText.ts"
import { ErrorCodes, invalidParams, ProtocolError, resourceNotFound } from "../ProtocolError.ts"

/** The text is not a uri: -32602. It is not repeated. */
export const malformedUri: ProtocolError = invalidParams("uri is not valid")

/** The cursor was not given out by this list, or what it stood at is gone: -32602. */
export const badCursor: ProtocolError = invalidParams("cursor is not valid")

/** What reading a resource that the uri names can fail with. */
export type ReadError = HostNotFound | TaskNotFound | ConfigUnusable

/** The answer to a failed read of `uri`: an unusable configuration is the server's own trouble, all else is not found. */
export const readError = (uri: string, error: ReadError): ProtocolError =>
  error._tag === "ConfigUnusable"
    ? new ProtocolError({
        code: ErrorCodes.internalError,
        // The code says already that it is an error.
        message: errorText(error, "resources/read").replace(/^Error: /, "")
      })
    : resourceNotFound(uri)

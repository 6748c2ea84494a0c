/** What a uri names, as far as its text says; whether the host or the task exists is not known here. */
export type ResourceUri =
  | { readonly _tag: "Hosts" }
  | { readonly _tag: "Host"; readonly alias: string }
  | { readonly _tag: "HostTags"; readonly alias: string }
  | { readonly _tag: "HostCapabilities"; readonly alias: string }
  | { readonly _tag: "Tasks" }
  | { readonly _tag: "TaskOutput"; readonly taskId: string }
  /** A uri, but none that this server could have. */
  | { readonly _tag: "Unknown" }
  /** Not a uri. */
  | { readonly _tag: "Malformed" }

/** Characters of a uri: more than a task id of 200 characters takes with each of them percent-encoded. */
const MAX_LENGTH = 1000

/** A scheme, a colon, and characters that RFC 3986 §2 lets stand in a uri. */
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$/

/** Percent-decoding of ASCII: names beyond it match nothing here. A decoded slash stays within its segment. */
const decoded = (segment: string): string =>
  segment.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** Scheme and authority, which do not depend on case (RFC 3986 §6.2.2.1), and the path, which does. */
const PARTS = /^ssh:\/\/(hosts|host|tasks|task)((?:\/[^/?#]+)*)$/i

/** Reads a uri. Total: whatever the text is. A client that expands a template may percent-encode the colons of a task id. */
export const parseResourceUri = (text: string): ResourceUri => {
  if (text.length > MAX_LENGTH || !URI.test(text)) return { _tag: "Malformed" }
  const [, family = "", path = ""] = PARTS.exec(text) ?? []
  const [name, part, ...rest] = path.split("/").slice(1).map(decoded)
  if (rest.length > 0) return { _tag: "Unknown" }
  switch (family.toLowerCase()) {
    case "hosts":
      return name === undefined ? { _tag: "Hosts" } : { _tag: "Unknown" }
    case "tasks":
      return name === undefined ? { _tag: "Tasks" } : { _tag: "Unknown" }
    case "host":
      if (name === undefined) return { _tag: "Unknown" }
      if (part === undefined) return { _tag: "Host", alias: name }
      if (part === "tags") return { _tag: "HostTags", alias: name }
      return part === "capabilities" ? { _tag: "HostCapabilities", alias: name } : { _tag: "Unknown" }
    case "task":
      return name !== undefined && part === "output" ? { _tag: "TaskOutput", taskId: name } : { _tag: "Unknown" }
    default:
      return { _tag: "Unknown" }
  }
}

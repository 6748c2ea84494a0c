import { Option, Schema, SchemaTransformation } from "effect"
import { parseAddress } from "../policy/network/Address.ts"
import { Alias } from "./Names.ts"

/** A host of servers.yml, decoded and checked. */
export interface Host {
  readonly alias: string
  /** A name, an IPv4 or an IPv6 address, as configured; IPv6 without brackets. */
  readonly host: string
  readonly port: number
  /** The name of an entry of credentials.yml. */
  readonly credentials?: string
  /** In the order of the file, which decides between tag overrides. */
  readonly tags: ReadonlyArray<string>
  /** "" when there is none. */
  readonly description: string
  /** Aliases of the hosts to go through, first hop first; empty for a direct connection. */
  readonly jump: ReadonlyArray<string>
}

/** Why a text is not something to connect to, or `none` when it is a host name, an IPv4 or an IPv6 address. */
export const checkHostname = (text: string): Option.Option<string> => {
  if (Option.isSome(parseAddress(text))) return Option.none()
  if (/[\p{Cc}\s]/u.test(text)) return Option.some("host contains blanks or control characters")
  if (text.startsWith("[")) return Option.some("host must be written without brackets")
  if (text.includes("@")) return Option.some("host must not contain a user; set username in credentials.yml")
  if (text.includes(":")) return Option.some("host is not an IPv6 address; a port belongs in port")
  if (text.length > 253) return Option.some("host too long (max 253 characters)")
  const labels = text.replace(/\.$/u, "").split(".")
  // What ends in a number is an IPv4 address to every resolver, however it is spelt: 0x7f.1, 0177.0.0.1, 2130706433.
  if (/^([0-9]+|0x[0-9a-f]*)$/iu.test(labels.at(-1) ?? "")) {
    return Option.some("host is not an IPv4 address of four decimal numbers")
  }
  return labels.every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/u.test(label))
    ? Option.none()
    : Option.some("host is not a host name (letters, digits, dash, dot; other scripts in their xn-- form)")
}

const Hostname = Schema.String.check(Schema.makeFilter((text) => Option.getOrUndefined(checkHostname(text))))

const PORT = { message: "must be a port from 1 to 65535" }
const PortNumber = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_535 }, PORT))
const Port = Schema.Union([
  PortNumber,
  Schema.String.check(Schema.isPattern(/^[0-9]{1,5}$/u, PORT)).pipe(
    Schema.decodeTo(PortNumber, SchemaTransformation.transform({ decode: Number, encode: String }))
  )
]).annotate(PORT)

/**
 * A tag in a file may be any short printable text, since rules match it by glob; only a `Tag` can be named in a call.
 */
const FileTag = Schema.String.check(
  Schema.isMinLength(1, { message: "tag is required" }).abort(),
  Schema.isMaxLength(50, { message: "tag too long (max 50 characters)" }).abort(),
  Schema.isPattern(/^\P{Cc}+$/u, { message: "tag contains control characters" })
)

/** An entry of `hosts`, as written. */
export const HostRecord = Schema.Struct({
  alias: Alias,
  host: Hostname,
  port: Schema.optionalKey(Port),
  credentials: Schema.optionalKey(Schema.String),
  tags: Schema.optionalKey(Schema.Array(FileTag)),
  description: Schema.optionalKey(Schema.String),
  jump: Schema.optionalKey(
    Schema.Union([Alias, Schema.Array(Alias)]).annotate({ message: "must be an alias or a list of aliases" })
  )
})

/** servers.yml. */
export const ServersDocument = Schema.Struct({ hosts: Schema.optionalKey(Schema.Array(HostRecord)) })

/** SSH's port (RFC 4251 §3). */
const SSH_PORT = 22

/** Fills in what an entry left out. */
export const toHost = (record: typeof HostRecord.Type): Host => ({
  alias: record.alias,
  host: record.host,
  port: record.port ?? SSH_PORT,
  ...(record.credentials === undefined ? {} : { credentials: record.credentials }),
  tags: record.tags ?? [],
  description: record.description ?? "",
  jump: record.jump === undefined ? [] : typeof record.jump === "string" ? [record.jump] : record.jump
})

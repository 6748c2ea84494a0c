import { Option, Schema } from "effect"
import { type Address, type Cidr, contains, parseCidr } from "./Address.ts"

const Block = Schema.String.check(
  Schema.makeFilter((text) =>
    Option.isSome(parseCidr(text))
      ? undefined
      : "Expected an IPv4 or IPv6 address or CIDR block, such as 10.0.0.0/8 or fd00::/8"
  )
)

/** At most 10,000 entries a list: each is compared with each address that is tried. */
const Blocks = Schema.optionalKey(Schema.Array(Block).check(Schema.isMaxLength(10_000)))

/**
 * The `network` section of policy.yml. A CIDR in an `*_ips` list is accepted and means what it says. The two booleans of
 * the original project are decoded and have no effect, since host keys are always verified.
 */
export const NetworkDocument = Schema.Struct({
  /** Addresses that may be reached; with any allow list present, membership is required. */
  allow_ips: Blocks,
  /** Blocks that may be reached, like `allow_ips`. */
  allow_cidrs: Blocks,
  /** Addresses that may not be reached; these win over the allow lists. */
  block_ips: Blocks,
  /** Blocks that may not be reached, like `block_ips`. */
  block_cidrs: Blocks,
  /** Accepted for the original's files; `false` is a warning. */
  require_known_host: Schema.optionalKey(Schema.Boolean),
  /** Accepted for the original's files; `true` is a warning. */
  host_key_auto_add: Schema.optionalKey(Schema.Boolean)
})
export type NetworkDocument = typeof NetworkDocument.Type

/** The compiled network policy: which addresses may be connected to. */
export interface NetworkPolicy {
  readonly allow: ReadonlyArray<Cidr>
  readonly block: ReadonlyArray<Cidr>
}

const compileList = (...lists: ReadonlyArray<ReadonlyArray<string> | undefined>): ReadonlyArray<Cidr> =>
  lists.flatMap((list) => (list ?? []).flatMap((text) => Option.toArray(parseCidr(text))))

/** Compiles a decoded `network` section. Total: decoding has refused every entry that is not an address or a block. */
export const compileNetwork = (document: NetworkDocument): NetworkPolicy => ({
  allow: compileList(document.allow_ips, document.allow_cidrs),
  block: compileList(document.block_ips, document.block_cidrs)
})

/** An IPv4 address inside an IPv6 one, and the length of the IPv6 prefix that says so. */
interface Embedded {
  readonly address: Address
  readonly prefix: number
  /** The IPv6 form is only another spelling of the IPv4 address: no relay or translator is involved. */
  readonly mapped: boolean
}

const LOW_32 = 0xffffffffn

/**
 * The IPv4 addresses that an IPv6 address leads to or through: mapped (RFC 4291 §2.5.5.2), compatible (§2.5.5.1),
 * NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo client and server (RFC 4380 §4).
 */
const embeddedIPv4 = (address: Address): ReadonlyArray<Embedded> => {
  if (address.family === 4) return []
  const { value } = address
  const embed = (ipv4: bigint, prefix: number, mapped = false): Embedded => ({
    address: { family: 4, value: ipv4 & LOW_32 },
    prefix,
    mapped
  })
  const top96 = value >> 32n
  if (top96 === 0xffffn) return [embed(value, 96, true)]
  if (top96 === 0n) return value > 1n ? [embed(value, 96)] : []
  if (top96 === 0x64ff9bn << 64n) return [embed(value, 96)]
  if (value >> 80n === 0x64ff9b0001n) return [embed(value, 48)]
  if (value >> 112n === 0x2002n) return [embed(value >> 80n, 16)]
  if (value >> 96n === 0x20010000n) return [embed(value ^ LOW_32, 32), embed(value >> 64n, 32)]
  return []
}

/**
 * Whether an address may be connected to. Blocks win; with an allow list present, membership is required. IPv4 inside IPv6
 * is checked as IPv4 too, in both directions, unless an allow entry lies within that IPv6 form itself and so names it.
 */
export const checkAddress = (policy: NetworkPolicy, address: Address): boolean => {
  const inner = embeddedIPv4(address)
  const addresses = [address, ...inner.map((embedded) => embedded.address)]
  if (policy.block.some((cidr) => addresses.some((each) => contains(cidr, each)))) return false
  if (policy.allow.length === 0) return true
  const matching = policy.allow.filter((cidr) => contains(cidr, address))
  const allowedIPv4 = (embedded: Embedded): boolean =>
    matching.some((cidr) => cidr.prefix >= embedded.prefix) ||
    policy.allow.some((cidr) => contains(cidr, embedded.address))
  const itself = matching.length > 0 || inner.some((embedded) => embedded.mapped)
  return itself && inner.every(allowedIPv4)
}

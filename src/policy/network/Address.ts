import { Option } from "effect"

/** An IP address as its number: 32 bits for IPv4, 128 bits for IPv6. */
export interface Address {
  readonly family: 4 | 6
  readonly value: bigint
}

/** A block of addresses: those whose first `prefix` bits are those of `network`. */
export interface Cidr {
  readonly network: Address
  readonly prefix: number
}

const OCTET = /^(?:0|[1-9][0-9]{0,2})$/
const GROUP = /^[0-9a-fA-F]{1,4}$/

const parseIPv4 = (text: string): bigint | undefined => {
  const parts = text.split(".")
  if (parts.length !== 4) return undefined
  let value = 0n
  for (const part of parts) {
    if (!OCTET.test(part) || Number(part) > 255) return undefined
    value = (value << 8n) | BigInt(part)
  }
  return value
}

/** The 16-bit groups of one side of `::`; the last may be a dotted quad when `tail`. */
const parseGroups = (text: string, tail: boolean): ReadonlyArray<bigint> | undefined => {
  if (text === "") return []
  const parts = text.split(":")
  const groups: Array<bigint> = []
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) {
      groups.push(BigInt(`0x${part}`))
      continue
    }
    const quad = tail && index === parts.length - 1 ? parseIPv4(part) : undefined
    if (quad === undefined) return undefined
    groups.push(quad >> 16n, quad & 0xffffn)
  }
  return groups
}

const parseIPv6 = (text: string): bigint | undefined => {
  const halves = text.split("::")
  if (halves.length > 2) return undefined
  const [left = "", right] = halves
  const head = parseGroups(left, right === undefined)
  const tail = right === undefined ? [] : parseGroups(right, true)
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (right === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...head, ...Array.from({ length: missing }, () => 0n), ...tail]
  return groups.reduce((value, group) => (value << 16n) | group, 0n)
}

/**
 * Reads an IP literal: strict dotted-quad IPv4 (RFC 6943 §3.1.1) or IPv6 (RFC 4291 §2.2). Names, zone ids, leading zeros,
 * hexadecimal or short IPv4 forms and surrounding blanks are not addresses.
 */
export const parseAddress = (text: string): Option.Option<Address> => {
  const family = text.includes(":") ? 6 : 4
  const value = family === 6 ? parseIPv6(text) : parseIPv4(text)
  return value === undefined ? Option.none() : Option.some({ family, value })
}

const formatIPv4 = (value: bigint): string => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".")

/** The first longest run of at least two zero groups, which RFC 5952 §4.2 writes as `::`. */
const longestZeroRun = (groups: ReadonlyArray<bigint>): readonly [start: number, length: number] => {
  let best: readonly [number, number] = [-1, 1]
  for (let start = 0; start < groups.length; start++) {
    let end = start
    while (groups[end] === 0n) end++
    if (end - start > best[1]) best = [start, end - start]
    if (end > start) start = end
  }
  return best
}

/** The text of an address: dotted quad, or IPv6 as RFC 5952 writes it (IPv4-mapped with a dotted tail). */
export const formatAddress = (address: Address): string => {
  const { family, value } = address
  if (family === 4) return formatIPv4(value)
  if (value >> 32n === 0xffffn) return `::ffff:${formatIPv4(value & 0xffffffffn)}`
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn)
  const [start, length] = longestZeroRun(groups)
  const hex = groups.map((group) => group.toString(16))
  if (start < 0) return hex.join(":")
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`
}

/** Bits of an address of the family. */
export const addressBits = (family: 4 | 6): 32 | 128 => (family === 4 ? 32 : 128)

/** Reads `address` or `address/prefix`; a bare address is a block of one. Bits below the prefix are kept as written. */
export const parseCidr = (text: string): Option.Option<Cidr> => {
  const slash = text.indexOf("/")
  return Option.flatMap(parseAddress(slash < 0 ? text : text.slice(0, slash)), (network) => {
    const bits = addressBits(network.family)
    if (slash < 0) return Option.some({ network, prefix: bits })
    const prefix = text.slice(slash + 1)
    return OCTET.test(prefix) && Number(prefix) <= bits
      ? Option.some({ network, prefix: Number(prefix) })
      : Option.none()
  })
}

/** The block's first address: its network with the bits below the prefix cleared. */
export const firstAddress = (cidr: Cidr): Address => {
  const host = BigInt(addressBits(cidr.network.family) - cidr.prefix)
  return { family: cidr.network.family, value: (cidr.network.value >> host) << host }
}

/** Whether an address is in a block of its own family. */
export const contains = (cidr: Cidr, address: Address): boolean => {
  if (cidr.network.family !== address.family) return false
  const host = BigInt(addressBits(address.family) - cidr.prefix)
  return cidr.network.value >> host === address.value >> host
}

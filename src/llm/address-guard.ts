// Which IP addresses a name that a client gave may lead to (SSRF guard). Knows no DNS and no HTTP.
import { BlockList, isIP } from 'node:net'

/** Address ranges; `check(address, 'ipv4' | 'ipv6')` tells whether one is in them. */
export type AddressRanges = Pick<BlockList, 'check'>

/**
 * Reads SPAR_LLM_PRIVATE: addresses and CIDR ranges, separated by commas or space.
 * @throws {Error} naming the entry, for the operator at start.
 */
export function parseAddressRanges(text: string | undefined): AddressRanges {
  const ranges = new BlockList()
  for (const entry of (text ?? '').split(/[\s,]+/).filter(entry => entry !== '')) {
    const [, address = '', given] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? []
    const bits = isIP(address) === 4 ? 32 : 128
    const prefix = given === undefined ? bits : Number(given)
    if (isIP(address) === 0 || prefix > bits) {
      throw new Error(`SPAR_LLM_PRIVATE: "${entry}" is not an address or a range like 10.0.0.0/8.`)
    }
    ranges.addSubnet(address, prefix, familyOf(address))
  }
  return ranges
}

const familyOf = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6')

// IANA's special-purpose registries (RFC 6890 and what came after), with multicast and the reserved class E.
const SPECIAL_IPV4 = parseAddressRanges(
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 ' +
    '192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
)
// All of IPv6 that may be public. What lies outside needs no list: loopback, unique and link-local, multicast, and the forms that
// carry an IPv4 address (mapped ::ffff:0:0/96, compatible ::/96, NAT64 64:ff9b::/96 and 64:ff9b:1::/48).
const GLOBAL_IPV6 = parseAddressRanges('2000::/3')
/** Teredo and other protocol assignments, documentation, 6to4. */
const SPECIAL_IPV6 = parseAddressRanges('2001::/23 2001:db8::/32 2002::/16 3fff::/20')
const LOOPBACK = parseAddressRanges('127.0.0.0/8 ::1')

/** True for a unicast address of the public Internet; false for what is no address at all. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  // A zone (fe80::1%eth0) makes an address one of a link.
  if (family === 0 || address.includes('%')) return false
  if (family === 4) return !SPECIAL_IPV4.check(address, 'ipv4')
  return GLOBAL_IPV6.check(address, 'ipv6') && !SPECIAL_IPV6.check(address, 'ipv6')
}

/** Whether `hostname` may lead to `address`: a public one, one in `allowed`, and for localhost (RFC 6761) the loopback. */
export function mayLeadTo(hostname: string, address: string, allowed: AddressRanges): boolean {
  if (isPublicAddress(address)) return true
  if (isIP(address) === 0 || address.includes('%')) return false
  if (allowed.check(address, familyOf(address))) return true
  return hostname === 'localhost' && LOOPBACK.check(address, familyOf(address))
}

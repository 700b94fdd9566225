// Decides whether a client may send us to an address of its own (SSRF guard). Resolves no names: the list is of names. Where
// those may lead is decided at each connection (guard-lookup.ts).
import { AppError } from '../errors.ts'

/** One entry of SPAR_LLM_HOSTS in canonical form. */
interface AllowedHost {
  /** Host as `URL.hostname` writes it; for a wildcard the suffix with its leading dot. */
  readonly host: string
  readonly wildcard: boolean
  /** Null: every port. */
  readonly port: number | null
}

export type AllowedHosts = readonly AllowedHost[]

/**
 * Reads SPAR_LLM_HOSTS: hosts separated by commas or space, each `host`, `host:port` or `*.domain[:port]` (subdomains only).
 * IPv6 addresses stand in brackets. A host without a port allows all of its ports.
 * @throws {Error} naming the entry, for the operator at start.
 */
export function parseAllowedHosts(text: string | undefined): AllowedHosts {
  return (text ?? '')
    .split(/[\s,]+/)
    .filter(entry => entry !== '')
    .map(parseEntry)
}

const ENTRY = /^(\*\.)?(\[[0-9a-f:.]+\]|[^\s:/?#@\\%*[\]]+)(?::(\d{1,5}))?$/

function parseEntry(entry: string): AllowedHost {
  const match = ENTRY.exec(entry.toLowerCase())
  const host = match && canonicalHost(match[2]!)
  const port = match?.[3] === undefined ? null : Number(match[3])
  const wildcard = match?.[1] !== undefined
  if (!host || port === 0 || (port ?? 0) > 65535 || (wildcard && isAddress(host))) {
    const forms = 'host, host:port or *.domain, without scheme or path'
    throw new Error(`SPAR_LLM_HOSTS: "${entry}" is not a host; write ${forms}.`)
  }
  return { host: wildcard ? `.${host}` : host, wildcard, port }
}

function canonicalHost(host: string): string | null {
  const url = `http://${host}/`
  if (!URL.canParse(url)) return null
  const { hostname } = new URL(url)
  return hostname === '' || hostname.startsWith('.') || hostname.endsWith('.') ? null : hostname
}

/** True for what the URL parser takes as an IP address, or would with labels before it (`0.0.1`). */
function isAddress(host: string): boolean {
  return host.startsWith('[') || /(?:^|\.)\d+$/.test(host)
}

/**
 * The address as a URL, when its host is allowed. The URL returned must be the one that is fetched: parsing the text a
 * second time elsewhere may find another host in it. Redirects must not be followed.
 * @throws {AppError} LLM_HOST_NOT_ALLOWED
 */
export function guardUrl(text: string, allowed: AllowedHosts): URL {
  // The parser drops control characters, reads \ as /, and finds a host behind one slash or three: refuse all such spellings.
  if (hasOddCharacter(text) || !/^https?:\/\/[^/?#]/i.test(text) || !URL.canParse(text)) {
    throw refused('base_url must be a plain http or https URL.')
  }
  const url = new URL(text)
  if (/^[^/]*\/\/[^/?#]*@/.test(text) || url.username !== '' || url.password !== '') {
    throw refused('base_url must not hold credentials; send the key in X-LLM-Api-Key.')
  }
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  if (!allowed.some(entry => matches(entry, url.hostname, port))) {
    throw refused(
      `The host ${url.host} is not allowed. The operator of this service can allow it by adding it to SPAR_LLM_HOSTS.`,
    )
  }
  url.hash = ''
  return url
}

function matches(entry: AllowedHost, hostname: string, port: number): boolean {
  if (entry.port !== null && entry.port !== port) return false
  if (!entry.wildcard) return hostname === entry.host
  return hostname.length > entry.host.length && hostname.endsWith(entry.host) && !isAddress(hostname)
}

function hasOddCharacter(text: string): boolean {
  return /[\\\s\p{Cc}\p{Cf}]/u.test(text)
}

function refused(message: string): AppError {
  return new AppError('LLM_HOST_NOT_ALLOWED', message)
}

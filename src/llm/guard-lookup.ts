// The look-up for addresses that clients give: a name is resolved once, and what is connected to is the very address that was checked.
// Knows no model endpoint. URLs go through `guardUrl` first: a host written as an address is never looked up.
import { type LookupAddress, lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { AppError } from '../errors.ts'
import { type AddressRanges, mayLeadTo } from './address-guard.ts'

/** Resolves a name to all its addresses, as `dns.lookup` with `all` does. */
export type Resolve = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

export interface GuardOptions {
  /** Addresses, other than public ones, that names may lead to. */
  readonly privateRanges: AddressRanges
  /** Default: the system's resolver. */
  readonly resolve?: Resolve
}

/**
 * The look-up of one connection. A name is refused when any of its addresses is: a mixed answer is how a name is rebound.
 * Refusals are {AppError} LLM_HOST_NOT_ALLOWED.
 */
export function guardLookup({ privateRanges, resolve = resolveAll }: GuardOptions): LookupFunction {
  return (hostname, { all }, callback) => {
    resolve(hostname, (error, addresses) => {
      const first = addresses?.[0]
      if (error || first === undefined) {
        callback(error ?? Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '', 0)
      } else if (!addresses.every(({ address }) => mayLeadTo(hostname, address, privateRanges))) {
        callback(refusal(hostname), '', 0)
      } else if (all) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}

const resolveAll: Resolve = (hostname, callback) => lookup(hostname, { all: true }, callback)

function refusal(hostname: string): AppError {
  const message =
    `The host ${hostname} leads to an address that is not public. The operator of this service can allow it by adding the address ` +
    'to SPAR_LLM_PRIVATE.'
  return new AppError('LLM_HOST_NOT_ALLOWED', message)
}

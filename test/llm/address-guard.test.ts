// The guard against addresses that are not public: where a name may lead, and that a connection goes where the check looked.
import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { isPublicAddress, mayLeadTo, parseAddressRanges } from '../../src/llm/address-guard.ts'
import { createExchange, type Exchange } from '../../src/llm/exchange.ts'
import { guardLookup, type Resolve } from '../../src/llm/guard-lookup.ts'
import { createOpenAiLlm } from '../../src/llm/openai.ts'
import { startLlmServer } from '../fakes/llm-server.ts'
import { never, request } from './support.ts'

const PUBLIC = [
  '8.8.8.8',
  '1.1.1.1',
  '172.15.0.1',
  '172.32.0.1',
  '100.63.255.255',
  '2606:4700::1111',
  '2a00:1450::1',
]

const NOT_PUBLIC = [
  ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.9.9.9', '169.254.169.254'],
  ...[
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
  ],
  ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd12::1', 'fec0::1', 'ff02::1', '2001:db8::1'],
  ...['::ffff:10.0.0.1', '::ffff:8.8.8.8', '::ffff:a00:1', '::8.8.8.8', '64:ff9b::8.8.8.8', '64:ff9b::a00:1'],
  ...[
    '64:ff9b:1::1',
    '2002:a00:1::1',
    '2001::1',
    '100::1',
    '2606:4700::1111%eth0',
    '',
    'localhost',
    '8.8.8',
    '010.0.0.1',
  ],
]

test('only unicast addresses of the public Internet are public, in whatever form', () => {
  assert.deepEqual(
    PUBLIC.filter(address => !isPublicAddress(address)),
    [],
  )
  assert.deepEqual(NOT_PUBLIC.filter(isPublicAddress), [])
})

test('no IPv4 address inside an IPv6 one is public, and no text makes the guard throw', () => {
  const ranges = parseAddressRanges('10.0.0.0/8')
  fc.assert(
    fc.property(fc.ipV4(), address => {
      for (const prefix of ['::ffff:', '::', '64:ff9b::'])
        assert.equal(isPublicAddress(prefix + address), false)
    }),
  )
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6()), address => {
      assert.equal(typeof mayLeadTo('a.example', address, ranges), 'boolean')
    }),
  )
})

test('ranges that are allowed, and localhost, may be led to; nothing beside them', () => {
  const ranges = parseAddressRanges(' 10.2.0.0/16, fd00:1::/32 192.168.7.7')
  const may = (name: string, address: string) => mayLeadTo(name, address, ranges)
  for (const address of ['10.2.3.4', 'fd00:1:2::3', '192.168.7.7'])
    assert.ok(may('a.example', address), address)
  for (const address of ['10.3.0.1', 'fd00:2::1', '192.168.7.8', '127.0.0.1', '::1', 'fd00:1::1%eth0']) {
    assert.ok(!may('a.example', address), address)
  }
  for (const address of ['127.0.0.1', '::1']) assert.ok(may('localhost', address), address)
  assert.ok(!may('localhost', '10.9.9.9'))
})

for (const entry of [
  '10.0.0.0/33',
  '10.0.0',
  'a.com',
  '::/129',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10.0.0.0/-1',
  'fe80::%1',
]) {
  test(`the range "${entry}" stops the start, by name`, () => {
    assert.throws(
      () => parseAddressRanges(`10.0.0.1, ${entry}`),
      (error: Error) => error.message.includes(`SPAR_LLM_PRIVATE: "${entry}"`),
    )
  })
}

/** A resolver that gives each answer once, and counts. */
function scripted(...answers: readonly string[][]): { resolve: Resolve; asked: () => number } {
  let asked = 0
  const resolve: Resolve = (_hostname, callback) => {
    const answer = answers[asked++] ?? []
    const found = answer.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }))
    setImmediate(() => callback(null, found))
  }
  return { resolve, asked: () => asked }
}

const lookUp = (lookup: ReturnType<typeof guardLookup>, hostname: string, all: boolean) =>
  new Promise((resolve, reject) => {
    lookup(hostname, { all }, (error, address) => (error ? reject(error) : resolve(address)))
  })

test('a name that led to a public address and is rebound to a private one is refused at its next look-up', async () => {
  const { resolve } = scripted(['8.8.8.8'], ['169.254.169.254'], ['8.8.8.8', '10.0.0.1'], [])
  const lookup = guardLookup({ privateRanges: parseAddressRanges(''), resolve })
  assert.deepEqual(await lookUp(lookup, 'a.example', true), [{ address: '8.8.8.8', family: 4 }])
  const refused = { code: 'LLM_HOST_NOT_ALLOWED', message: /a\.example.*SPAR_LLM_PRIVATE/ }
  await assert.rejects(lookUp(lookup, 'a.example', true), refused)
  await assert.rejects(lookUp(lookup, 'a.example', false), refused)
  await assert.rejects(lookUp(lookup, 'a.example', false), { code: 'ENOTFOUND' })
})

test('one look-up makes one connection, which goes to the address that was checked', async t => {
  // Two hosts of one port: the second is what a rebinding attacker is after.
  const allowed = await startLlmServer()
  t.after(() => allowed.close())
  const port = Number(new URL(allowed.url).port)
  const prey = await listen(t, '127.0.0.2', port)
  const { resolve, asked } = scripted(['127.0.0.1'], ['127.0.0.2'])
  const guard = { privateRanges: parseAddressRanges('127.0.0.1'), resolve }
  const llmOn = (exchange: Exchange) =>
    createOpenAiLlm({ name: 'm', model: 'm', baseUrl: `http://a.example:${port}/v1`, exchange })
  const reply = await llmOn(createExchange(guardLookup(guard))).propose(request(), never())
  assert.match(reply.text, /The answer is 49/)
  assert.deepEqual([asked(), allowed.requests.length], [1, 1])
  assert.equal(allowed.requests[0]?.headers.host, `a.example:${port}`)
  const rebound = llmOn(createExchange(guardLookup(guard))).propose(request(), never())
  await assert.rejects(rebound, { code: 'LLM_HOST_NOT_ALLOWED' })
  assert.deepEqual([asked(), prey.connections], [2, 0])
})

test('a redirect to a private address is not followed', async t => {
  const server = await startLlmServer({
    script: () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/v1' }, body: '' }),
  })
  t.after(() => server.close())
  const exchange = createExchange(guardLookup({ privateRanges: parseAddressRanges('') }))
  const llm = createOpenAiLlm({
    name: 'm',
    model: 'm',
    baseUrl: server.url.replace('127.0.0.1', 'localhost'),
    exchange,
  })
  await assert.rejects(llm.propose(request(), never()), { code: 'LLM_REFUSED', message: /redirect/ })
  assert.equal(server.requests.length, 1)
})

async function listen(t: TestContext, host: string, port: number) {
  const seen = { connections: 0 }
  const server: Server = createServer((_, response) => response.end('{}'))
  server.on('connection', () => seen.connections++)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  t.after(() => new Promise(resolve => server.close(resolve)))
  assert.equal((server.address() as AddressInfo).port, port)
  return seen
}

// What Node's HTTP parser refuses is answered by a problem document, like everything else.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { answerClientErrors } from '../../src/server/client-error.ts'
import { assertMatches, validator } from './contract-check.ts'
import { createWorld } from './world.ts'

/** Sends bytes to the app and returns all that comes back until the server hangs up. */
async function answerTo(t: Parameters<typeof createWorld>[0], bytes: string, headersTimeout = 60_000) {
  const { app, deps, lines } = createWorld(t)
  const server = createServer({ headersTimeout, connectionsCheckingInterval: 20 }, app)
  server.on('clientError', answerClientErrors(deps)).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(bytes)
  let text = ''
  for await (const chunk of socket) text += chunk
  server.close()
  const [head = '', body = ''] = text.split('\r\n\r\n')
  return { head, problem: JSON.parse(body), lines }
}

const CASES = [
  { what: 'noise', bytes: 'GARBAGE secret\r\n\r\n', status: 400, code: 'BAD_REQUEST' },
  {
    what: 'a body length that is no number',
    bytes: 'POST /critique HTTP/1.1\r\nHost: a\r\nContent-Length: secret\r\n\r\n',
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    what: 'too large headers',
    bytes: `GET /healthz HTTP/1.1\r\nHost: a\r\nX: secret${'x'.repeat(20_000)}\r\n\r\n`,
    status: 431,
    code: 'HEADERS_TOO_LARGE',
  },
  {
    what: 'headers that do not end in time',
    bytes: 'GET /healthz HTTP/1.1\r\nX: secret',
    status: 408,
    code: 'REQUEST_TIMEOUT',
  },
] as const

for (const { what, bytes, status, code } of CASES) {
  test(`${what} is answered by a ${code} problem, and the log quotes none of it`, async t => {
    const { head, problem, lines } = await answerTo(t, bytes, status === 408 ? 50 : undefined)
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(head, /^content-type: application\/problem\+json$/im)
    assert.match(head, new RegExp(`^x-request-id: ${problem.request_id}$`, 'im'))
    assert.deepEqual([problem.status, problem.code], [status, code])
    assertMatches(validator('components', 'schemas', 'Problem'), problem, what)
    assert.ok(lines.some(line => line.includes(code)) && !lines.join().includes('secret'))
  })
}

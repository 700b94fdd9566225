// One HTTP exchange: connections that are kept, bodies that come decoded, and what becomes of those that are not read.
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type LookupFunction, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { createExchange, exchange, type HttpAnswer } from '../../src/llm/exchange.ts'
import { eventually, never } from './support.ts'

async function serve(t: TestContext, handle: (req: IncomingMessage, res: ServerResponse) => void) {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer(handle)
  server.on('connection', socket => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/path?q=1`)
  return { url, server, connections: () => connections, open: () => sockets.size }
}

const post = (url: URL, body = '{}', signal = never()): Promise<HttpAnswer> =>
  exchange(url, { headers: { 'x-told': 'yes' }, body }, signal)

async function textOf({ read }: HttpAnswer): Promise<string> {
  const chunks: Uint8Array[] = []
  await read(bytes => chunks.push(bytes) === 0)
  return Buffer.concat(chunks).toString()
}

const echo = async (req: IncomingMessage, res: ServerResponse) => {
  let body = ''
  for await (const chunk of req.setEncoding('utf8')) body += chunk
  res.writeHead(201, { 'X-Saw': `${req.method} ${req.url} ${req.headers['x-told']}` }).end(body)
}

test('what is sent arrives, and the answer with its status and headers', async t => {
  const { url } = await serve(t, echo)
  const answer = await post(url, '{"a":"ä→"}')
  assert.equal(answer.status, 201)
  assert.equal(answer.header('x-saw'), 'POST /path?q=1 yes')
  assert.equal(answer.header('retry-after'), null)
  assert.equal(await textOf(answer), '{"a":"ä→"}')
})

test('calls one after the other share a connection once the body was read', async t => {
  const { url, connections } = await serve(t, echo)
  for (let i = 0; i < 5; i++) {
    const answer = await post(url, String(i))
    assert.equal(await textOf(answer), String(i))
    answer.discard()
  }
  assert.equal(connections(), 1)
})

test('a body that is discarded, or whose reading ends early, closes its connection', async t => {
  const { url, open } = await serve(t, (_, res) => {
    res.writeHead(500)
    const pour = () => {
      while (!res.destroyed && res.write('x'.repeat(65_536)));
    }
    res.on('drain', pour)
    pour()
  })
  const unread = await post(url)
  assert.equal(open(), 1)
  unread.discard()
  assert.ok(await eventually(() => open() === 0))
  await (await post(url)).read(() => true)
  assert.ok(await eventually(() => open() === 0))
})

for (const [encoding, compress] of Object.entries({
  gzip: gzipSync,
  'X-GZIP': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  identity: (text: string) => text,
}))
  test(`a body in ${encoding} comes decoded`, async t => {
    const { url } = await serve(t, (_, res) => {
      res.writeHead(200, { 'content-encoding': encoding }).end(compress('plain text'))
    })
    assert.equal(await textOf(await post(url)), 'plain text')
  })

for (const encoding of ['zstd', 'constructor', '__proto__'])
  test(`a body in an encoding that is not known, ${encoding}, comes as it is`, async t => {
    const { url } = await serve(t, (_, res) => {
      res.writeHead(200, { 'content-encoding': encoding }).end('as it is')
    })
    assert.equal(await textOf(await post(url)), 'as it is')
  })

test('a change of protocol that nobody asked for is an answer, and its connection is closed', async t => {
  const { url, open } = await serve(t, (_, res) => {
    res.socket?.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n')
  })
  const answer = await post(url)
  assert.equal(answer.status, 101)
  answer.discard()
  assert.ok(await eventually(() => open() === 0))
})

test('a compressed body that breaks off fails its reader', async t => {
  const { url } = await serve(t, (_, res) => {
    const all = gzipSync('plain text '.repeat(10_000))
    res.writeHead(200, { 'content-encoding': 'gzip', 'content-length': all.length })
    res.write(all.subarray(0, all.length / 2), () => res.destroy())
  })
  await assert.rejects(textOf(await post(url)))
})

test('a redirect is an answer', async t => {
  const { url, connections } = await serve(t, (_, res) => {
    res.writeHead(307, { location: '/elsewhere' }).end()
  })
  const answer = await post(url)
  assert.deepEqual([answer.status, answer.header('location'), connections()], [307, '/elsewhere', 1])
  answer.discard()
})

test('an abort before the head rejects and closes the connection', async t => {
  const stop = new AbortController()
  const { url, open } = await serve(t, () => stop.abort(new Error('enough')))
  await assert.rejects(post(url, '{}', stop.signal))
  assert.ok(await eventually(() => open() === 0))
})

test('a look-up of its own decides where each new connection leads, and its refusal ends the exchange', async t => {
  const { url, connections } = await serve(t, echo)
  const looked: string[] = []
  const guarded = createExchange((hostname, { all }, callback) => {
    looked.push(hostname)
    if (hostname === 'refused.test') callback(new Error('not there'), '', 0)
    else if (all) callback(null, [{ address: '127.0.0.1', family: 4 }])
    else callback(null, '127.0.0.1', 4)
  })
  const ask = (host: string) =>
    guarded(new URL(`http://${host}:${url.port}/`), { headers: {}, body: 'hello' }, never())
  assert.equal(await textOf(await ask('one.test')), 'hello')
  assert.equal(await textOf(await ask('one.test')), 'hello')
  await assert.rejects(ask('refused.test'), /not there/)
  assert.deepEqual(looked, ['one.test', 'refused.test'])
  assert.equal(connections(), 1)
})

const toLoopback: LookupFunction = (_, { all }, callback) => {
  if (all) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}

test('a connection that is not used again is closed, however long the other side would keep it', async t => {
  const { url, server, open } = await serve(t, echo)
  server.keepAliveTimeout = 0
  const guarded = createExchange(toLoopback, 20)
  const asked = new URL(`http://one.test:${url.port}/`)
  assert.equal(await textOf(await guarded(asked, { headers: {}, body: 'hello' }, never())), 'hello')
  assert.ok(await eventually(() => open() === 0))
})

test('a connection in use may wait for its answer longer than an unused one is kept', async t => {
  const { url } = await serve(t, (req, res) => void setTimeout(() => void echo(req, res), 200))
  const guarded = createExchange(toLoopback, 20)
  const asked = new URL(`http://one.test:${url.port}/`)
  assert.equal(await textOf(await guarded(asked, { headers: {}, body: 'hello' }, never())), 'hello')
})

test('a connection that does not come about is given up in time, and one that is there has no hurry', async t => {
  const unfound = createExchange(() => {})
  const asked = { headers: {}, body: 'hello', connectTimeoutMs: 50 }
  const begunAt = performance.now()
  await assert.rejects(unfound(new URL('http://one.test/'), asked, never()), { code: 'ETIMEDOUT' })
  assert.ok(performance.now() - begunAt < 5000)
  const { url } = await serve(t, (req, res) => void setTimeout(() => void echo(req, res), 200))
  const there = createExchange(toLoopback)
  assert.equal(await textOf(await there(new URL(`http://one.test:${url.port}/`), asked, never())), 'hello')
})

test('encryption that is never agreed on is a connection that does not come about', async t => {
  const silent = createTcpServer(socket => void socket.on('error', () => {}).resume())
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise(resolve => silent.close(resolve)))
  const url = new URL(`https://one.test:${(silent.address() as AddressInfo).port}/`)
  const asked = { headers: {}, body: 'hello', connectTimeoutMs: 100 }
  await assert.rejects(createExchange(toLoopback)(url, asked, never()), { code: 'ETIMEDOUT' })
})

// The guard against addresses that a client has no business with.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../../src/errors.ts'
import { guardUrl, parseAllowedHosts } from '../../src/llm/url-guard.ts'

const ALLOWED = parseAllowedHosts(
  'allowed.com, Local.Test:8080 *.wild.org [::1]:9000 10.0.0.5, bücher.example *.ported.net:443',
)

const passed: readonly [given: string, want: string][] = [
  ['http://allowed.com', 'http://allowed.com/'],
  ['https://allowed.com/v1/', 'https://allowed.com/v1/'],
  ['https://allowed.com:8443/v1', 'https://allowed.com:8443/v1'],
  ['HTTPS://ALLOWED.COM/v1', 'https://allowed.com/v1'],
  ['http://%61llowed.com/', 'http://allowed.com/'],
  ['http://local.test:8080/v1?a=b#c', 'http://local.test:8080/v1?a=b'],
  ['https://a.wild.org/v1', 'https://a.wild.org/v1'],
  ['https://a.b.wild.org:1234', 'https://a.b.wild.org:1234/'],
  ['https://x.ported.net', 'https://x.ported.net/'],
  ['http://x.ported.net:443', 'http://x.ported.net:443/'],
  ['http://[::1]:9000/v1', 'http://[::1]:9000/v1'],
  ['http://[0:0:0:0:0:0:0:1]:9000', 'http://[::1]:9000/'],
  ['http://10.0.0.5', 'http://10.0.0.5/'],
  ['http://0x0a000005', 'http://10.0.0.5/'],
  ['http://bücher.example', 'http://xn--bcher-kva.example/'],
  ['http://XN--BCHER-KVA.example', 'http://xn--bcher-kva.example/'],
  ['http://allowed.com/p@th', 'http://allowed.com/p@th'],
]

for (const [given, want] of passed) {
  test(`${given} may pass`, () => {
    assert.equal(guardUrl(given, ALLOWED).href, want)
  })
}

const refusedUrls: readonly string[] = [
  // another host
  'http://evil.com',
  'http://allowed.com.evil.com',
  'http://evilallowed.com',
  'http://xallowed.com/allowed.com',
  'http://evil.com/?allowed.com',
  'http://evil.com#allowed.com',
  'http://allowed.co',
  'http://sub.allowed.com',
  // userinfo
  'http://allowed.com@evil.com',
  'http://allowed.com:80@evil.com/',
  'http://allowed.com%40evil.com',
  'http://evil.com@allowed.com',
  'http://user:pass@allowed.com',
  'http://@allowed.com',
  'http://:@allowed.com',
  'http://allowed.com#@evil.com@allowed.com'.replace('#', '%23'),
  // spellings that parsers read differently
  'http://evil.com\\@allowed.com',
  'http://allowed.com\\@evil.com',
  'http:\\\\allowed.com',
  'http:allowed.com',
  'http:/allowed.com',
  'http:///allowed.com',
  '//allowed.com',
  'allowed.com',
  ' http://allowed.com',
  'http://allowed.com ',
  'http://allowed.com/\r\nX: y',
  'http://al\tlowed.com',
  'http://allowed.com\u0000.evil.com',
  'http://allowed\u200b.com',
  'http://allowed.com.',
  'http://allowed.com..',
  'http://.wild.org',
  'http://wild.org',
  'http://a.wild.org.',
  'http://awild.org',
  'http://allowed。com.evil.com',
  'http://аllowed.com',
  // addresses and ports
  'http://local.test',
  'http://local.test:8081',
  'http://[::1]',
  'http://[::1]:9001',
  'http://[::ffff:10.0.0.5]',
  'http://127.0.0.1',
  'http://2130706433',
  'http://0x7f.1',
  'http://localhost',
  'http://169.254.169.254/latest/meta-data',
  'http://x.ported.net',
  'https://x.ported.net:8443',
  'http://allowed.com:99999',
  'http://allowed.com:x',
  // other schemes
  'ftp://allowed.com',
  'file:///etc/passwd',
  'file://allowed.com/etc/passwd',
  'javascript:alert(1)//allowed.com',
  'data:text/plain,allowed.com',
  'ws://allowed.com',
  'gopher://allowed.com:8080',
  'httpx://allowed.com',
  'blob:http://allowed.com/x',
  // none
  '',
  'http://',
  'http://?',
  'http://#',
]

for (const given of refusedUrls) {
  test(`${JSON.stringify(given)} is refused`, () => {
    assert.throws(
      () => guardUrl(given, ALLOWED),
      (error: unknown) => error instanceof AppError && error.code === 'LLM_HOST_NOT_ALLOWED',
    )
  })
}

test('the refusal of a host says how to allow it, and one of credentials does not repeat them', () => {
  assert.throws(() => guardUrl('http://evil.com:81/x', ALLOWED), /evil\.com:81.*SPAR_LLM_HOSTS/)
  assert.throws(
    () => guardUrl('http://u:hunter2@allowed.com', ALLOWED),
    (error: Error) => /X-LLM-Api-Key/.test(error.message) && !/hunter2/.test(error.message),
  )
})

test('an empty list allows nothing', () => {
  for (const text of [undefined, '', ' , ']) {
    assert.deepEqual(parseAllowedHosts(text), [])
    assert.throws(() => guardUrl('http://allowed.com', parseAllowedHosts(text)), {
      code: 'LLM_HOST_NOT_ALLOWED',
    })
  }
})

test('a wildcard never reaches an IP address', () => {
  const allowed = parseAllowedHosts('*.example')
  assert.throws(() => guardUrl('http://10.0.0.1', allowed))
  for (const entry of ['*.0.0.1', '*.1', '*.[::1]', '*.127.0.0.1']) {
    assert.throws(() => parseAllowedHosts(entry), /SPAR_LLM_HOSTS/, entry)
  }
})

for (const entry of [
  '*',
  '*.',
  'a.*.com',
  '*a.com',
  '**.com',
  'http://a.com',
  'a.com/v1',
  'u@a.com',
  'a.com:0',
  'a.com:70000',
  'a.com:x',
  'a.com:',
  '::1',
  '[::1',
  'a%2ecom',
  'a.com.',
  '.a.com',
  'a\\b',
]) {
  test(`the entry "${entry}" stops the start, by name`, () => {
    assert.throws(
      () => parseAllowedHosts(`ok.com, ${entry}`),
      (error: Error) => error.message.includes(`SPAR_LLM_HOSTS: "${entry}"`),
    )
  })
}

test('whatever passes goes to an allowed host over http, without credentials', () => {
  const part = fc.constantFrom(
    'http:',
    'https:',
    '//',
    '/',
    '\\',
    '@',
    ':',
    '#',
    '?',
    '.',
    '%40',
    '%2e',
    '[::1]',
    '\t',
    'allowed.com',
    'evil.com',
    'wild.org',
    'a',
    '80',
    '。',
    '\u00ad',
  )
  const text = fc.oneof(
    fc.webUrl(),
    fc.string(),
    fc.array(part, { maxLength: 9 }).map(parts => `http://${parts.join('')}`),
  )
  let passedCount = 0
  fc.assert(
    fc.property(text, given => {
      let url: URL
      try {
        url = guardUrl(given, ALLOWED)
      } catch (error) {
        assert.ok(error instanceof AppError && error.code === 'LLM_HOST_NOT_ALLOWED', String(error))
        return
      }
      passedCount++
      assert.match(url.protocol, /^https?:$/)
      assert.equal(url.username + url.password, '')
      assert.ok(url.hostname === 'allowed.com' || /^[^.].*\.wild\.org$/.test(url.hostname), url.href)
      assert.equal(new URL(url.href).host, url.host)
    }),
    { numRuns: 1500, seed: 7 },
  )
  assert.ok(passedCount > 0)
})

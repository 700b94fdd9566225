// Cutting text that comes in pieces into server-sent events.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSseParser, LongLine } from '../../src/llm/sse-events.ts'

function parse(pieces: readonly string[], maxChars = 1000): string[] {
  const parser = createSseParser(maxChars)
  return [...pieces.flatMap(piece => parser.push(piece)), ...parser.end()]
}

const cases: readonly [name: string, text: string, want: readonly string[]][] = [
  ['one event', 'data: a\n\n', ['a']],
  ['events with any line end', 'data: a\r\n\r\ndata: b\r\rdata:c\n\n', ['a', 'b', 'c']],
  ['data over several lines', 'data: a\ndata: b\n\n', ['a\nb']],
  ['comments and other fields', ': hello\nevent: x\nid: 1\ndata: a\nretry: 5\n\n', ['a']],
  ['an event without its blank line', 'data: a\n\ndata: b\n', ['a', 'b']],
  ['an event without its line end', 'data: a\n\ndata: b', ['a', 'b']],
  ['one blank only is taken off', 'data:  a\n\n', [' a']],
  ['a field of a longer name is no data', 'database: a\n\n', []],
  ['nothing', '', []],
]

for (const [name, text, want] of cases) {
  test(`server-sent events: ${name}`, () => assert.deepEqual(parse([text]), want))
}

test('wherever the text is cut, the events are the same', () => {
  const part = fc.constantFrom('data: a', 'data:b', ': c', 'event: d', '', '\n', '\r\n', '\r', 'x', 'data')
  fc.assert(
    fc.property(fc.array(part), fc.array(fc.nat()), (parts, places) => {
      const text = parts.join('')
      const cuts = [0, ...places.map(place => place % (text.length + 1)).sort((a, b) => a - b), text.length]
      const pieces = cuts.slice(1).map((end, i) => text.slice(cuts[i], end))
      assert.deepEqual(parse(pieces), parse([text]))
    }),
  )
})

test('a line, or the lines of an event, that are too long are given up before they end', () => {
  const block = 'x'.repeat(40)
  for (const pieces of [['data: ', block, block, block], Array(9).fill(`data: ${block}\n`)]) {
    const parser = createSseParser(100)
    let taken = 0
    assert.throws(() => {
      for (const piece of pieces) {
        parser.push(piece)
        taken++
      }
    }, LongLine)
    assert.ok(taken <= 3)
  }
})

test('a line that drips in letter by letter takes time by its length', () => {
  const parser = createSseParser(2 ** 20)
  const startedAt = process.cpuUsage()
  for (let i = 0; i < 300_000; i++) parser.push('x')
  assert.deepEqual(parser.push('\n\n'), [])
  const { user } = process.cpuUsage(startedAt)
  assert.ok(user < 5_000_000, `${user} µs`)
})

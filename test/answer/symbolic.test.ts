// The computer algebra library, asked on this thread: that it keeps nothing of what it was asked.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import nerdamer from 'nerdamer-prime'
import { symbolicSame } from '../../src/answer/symbolic.ts'

test('no question is remembered, decided or failed', () => {
  symbolicSame('2x+x', '3x')
  symbolicSame('\\frac{1}{0}', 'x')
  assert.equal(Object.keys(nerdamer.expressions()).length, 0)
})

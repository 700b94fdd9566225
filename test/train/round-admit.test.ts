// Whose traffic may teach: shares are capped, opted-out clients are left out, feedback that turns everything around is set aside.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LabelledTraffic } from '../../src/store/types.ts'
import { admit, capOf } from '../../src/train/round/admit.ts'

/** Records of a client whose solutions were scored high when right; `honest` says so, otherwise the opposite. */
function traffic(client: string | undefined, count: number, honest: boolean): LabelledTraffic[] {
  return Array.from({ length: count }, (_, i) => {
    const right = i % 2 === 0
    const id = `${client}-${i}`
    const candidates = [{ steps: ['x'], scores: [(right ? 0.6 : 0.3) + (i % 7) / 20], answer: '1' }]
    const record = { id, kind: 'critique', at: 1000 - i, problem: id, candidates, critic: 'c' } as const
    const by = client === undefined ? {} : { client }
    return {
      record: { ...record, ...by },
      feedback: [{ id, at: 1, answer_correct: right === honest, ...by }],
    }
  })
}

const clientsOf = (records: readonly LabelledTraffic[]) => {
  const groups = Map.groupBy(records, ({ record }) => record.client ?? '')
  return Object.fromEntries([...groups].map(([client, own]) => [client, own.length]))
}

test('a flood of one key is cut to its share, the newest records stay', () => {
  const all = [...traffic('flood', 4000, true), ...traffic('a', 400, true), ...traffic('b', 300, true)]
  const { traffic: kept, figures } = admit(all, { share: 0.25 })
  const counts = clientsOf(kept)
  // Three clients: none may be more than a third.
  assert.ok(counts['flood']! <= 1 + kept.length / 3, JSON.stringify(counts))
  assert.deepEqual([counts['a']! >= 300, counts['b']! >= 200], [true, true])
  assert.equal(kept[0]!.record.id, 'flood-0')
  assert.equal(figures['over_share'], all.length - kept.length)
})

test('a single client, or one beside a quiet one, is not cut below what is worth learning from', () => {
  assert.equal(admit(traffic('a', 3000, true), { share: 0.25 }).traffic.length, 3000)
  assert.equal(admit(traffic(undefined, 3000, true), { share: 0.25 }).traffic.length, 3000)
  const two = admit([...traffic('a', 3000, true), ...traffic('b', 3, true)], { share: 0.25 })
  assert.deepEqual(clientsOf(two.traffic), { a: 200, b: 3 })
})

test('no client has more than its share, or 200 records', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 12 }),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      (counts, wanted) => {
        const share = Math.max(wanted, 1 / counts.length)
        const cap = capOf(counts, share)
        const total = counts.reduce((sum, n) => sum + Math.min(n, cap), 0)
        const most = Math.max(...counts.map(n => Math.min(n, cap)))
        assert.ok(most <= Math.max(200, Math.ceil(share * total)), `${most} of ${total}`)
      },
    ),
  )
})

test('feedback of a key that turns everything around is set aside with its records, and counted', () => {
  const all = [...traffic('liar', 100, false), ...traffic('a', 60, true), ...traffic(undefined, 40, true)]
  const { traffic: kept, figures } = admit(all, { share: 0.5 })
  assert.deepEqual(clientsOf(kept), { a: 60, '': 40 })
  assert.deepEqual([figures['inverted_clients'], figures['inverted_feedback']], [1, 100])
})

test('feedback that a liar gives on the traffic of others is set aside, theirs stays', () => {
  const own = traffic('a', 60, true)
  const lies = own.map(({ record, feedback }) => ({
    record,
    feedback: [
      ...feedback,
      { ...feedback[0]!, client: 'liar', answer_correct: !feedback[0]!.answer_correct },
    ],
  }))
  const { traffic: kept } = admit(lies, { share: 0.5 })
  assert.deepEqual(kept, own)
})

test('a key that first agrees and then turns everything around is judged by what it said last', () => {
  const liar = traffic('liar', 100, false).map(({ record, feedback: [lie] }) => ({
    record,
    feedback: [
      { ...lie!, answer_correct: !lie!.answer_correct },
      { ...lie!, at: 2 },
    ],
  }))
  const { traffic: kept, figures } = admit([...liar, ...traffic('a', 60, true)], { share: 0.5 })
  assert.deepEqual([clientsOf(kept), figures['inverted_clients']], [{ a: 60 }, 1])
})

test('a key that turns the labels of steps around is found, whether it speaks of answers or not', () => {
  const labels = (all: LabelledTraffic[], honest: boolean) =>
    all.map(({ record, feedback: [{ answer_correct: right, ...item } = assert.fail()] }) => ({
      record,
      feedback: [{ ...item, step_labels: [(right === true) === honest] }],
    }))
  const all = [...labels(traffic('liar', 100, true), false), ...labels(traffic('a', 100, true), true)]
  assert.deepEqual(clientsOf(admit(all, { share: 0.5 }).traffic), { a: 100 })
})

test('a few unlucky scores do not make an honest client a liar', () => {
  const two = traffic('honest', 40, true).map(({ record, feedback: [item] }, i) => {
    const right = i >= 2 // the two wrong ones were scored above average
    const candidates = record.candidates.map(one => ({ ...one, scores: [right ? i / 40 : 0.8] }))
    return { record: { ...record, candidates }, feedback: [{ ...item!, answer_correct: right }] }
  })
  const { figures } = admit([...two, ...traffic('a', 60, true)], { share: 0.5 })
  assert.equal(figures['inverted_clients'], 0)
})

test('where everybody disagrees with the critic it is the critic that is wrong', () => {
  const all = [...traffic('a', 60, false), ...traffic('b', 60, false), ...traffic(undefined, 60, false)]
  assert.deepEqual(admit(all, { share: 1 }).traffic, all)
  assert.deepEqual(
    admit(traffic('a', 60, false), { share: 1 }).traffic.length,
    60,
    'nor can one be told from none',
  )
})

test('a client that opted out teaches nothing, with records from before too', () => {
  const all = [...traffic('a', 10, true), ...traffic('b', 10, true)]
  const { traffic: kept, figures } = admit(all, { share: 1, without: ['a'] })
  assert.deepEqual([clientsOf(kept), figures['opted_out']], [{ b: 10 }, 10])
})

test('what a client that opted out says of the traffic of others is not heard', () => {
  const [told] = traffic('b', 1, true)
  const item = { ...told!.feedback[0]!, client: 'a', answer_correct: false }
  const all = [{ record: told!.record, feedback: [...told!.feedback, item] }]
  assert.deepEqual(admit(all, { share: 1, without: ['a'] }).traffic, [told])
})

test('how well feedback and scores agree is told', () => {
  assert.ok((admit(traffic('a', 60, true), { share: 1 }).figures['label_agreement'] as number) > 0.8)
  assert.equal(admit([], { share: 1 }).figures['label_agreement'], null)
})

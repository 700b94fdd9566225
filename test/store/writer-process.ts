// A process that appends to the SQLite file of its first argument for ever, with feedback, and prints each batch's ids
// once the store has acknowledged both. sqlite.test.ts kills it.
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { aRecord, NOW } from './samples.ts'

const store = openSqliteStore(process.argv[2]!)
for (let batch = 0; ; batch++) {
  const ids = Array.from({ length: 1 + (batch % 5) }, (_, i) => `${process.pid}-${batch}-${i}`)
  await store.appendTraffic(ids.map(id => aRecord(id, { problem: 'p'.repeat((batch * 97) % 5000) })))
  const known = await store.addFeedback(ids.map(id => ({ id, at: NOW, answer_correct: true })))
  if (known.includes(false)) throw new Error('feedback on an acknowledged record was unknown')
  await new Promise<void>((resolve, reject) =>
    process.stdout.write(`${ids.join(' ')}\n`, error => (error ? reject(error) : resolve())),
  )
  // SQLite gives the lock to whoever asks first: two that never pause can keep a third out for longer than it waits.
  await sleep(5)
}

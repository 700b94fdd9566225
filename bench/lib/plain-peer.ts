// A critic service as one writes it in an hour: one request, one run of the session, no batching. A process of its own; prints its port.
// It reads no more than it must, so that what batching gains is not made of what else Spar does for a request.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Device } from '../../src/critic/device.ts'
import { openScorer } from '../../src/critic/scorer.ts'
import type { Critique, CritiqueItem } from '../../src/critic/types.ts'

interface Start {
  readonly dir: string
  readonly device: Device
  readonly threads: number
}

/** HTTP: answers come in the order of the requests. */
function serve(start: Start): void {
  const worker = new Worker(new URL(import.meta.url), { workerData: start })
  const waiting: ServerResponse[] = []
  worker.on('message', (critique: Critique) => {
    waiting.shift()!.end(JSON.stringify({ critic: 'plain', ...critique }))
  })
  const server = createServer(async (req, res) => {
    const item = await json(req)
    waiting.push(res)
    worker.postMessage(item)
  })
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`${(server.address() as AddressInfo).port}\n`)
  })
}

/** The thread with the session, which blocks the thread that it runs on. */
async function score({ dir, ...options }: Start): Promise<void> {
  const scorer = await openScorer(dir, options)
  let last: Promise<void> = Promise.resolve()
  parentPort!.on('message', (item: CritiqueItem) => {
    last = last.then(async () => parentPort!.postMessage((await scorer.judge([item]))[0]))
  })
}

if (isMainThread) serve(JSON.parse(process.argv[2]!) as Start)
else await score(workerData as Start)

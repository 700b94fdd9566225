// Gives an app a real port for the length of one test. Knows no app.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Runs `run` with the base URL; a test that leaves a request unfinished fails here, by its timeout. */
export async function listening(app: RequestListener, run: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(app).listen(0, '127.0.0.1')
  await new Promise(resolve => server.on('listening', resolve))
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    // Waits for requests under way, such as an event stream that its client has left.
    await new Promise(resolve => server.close(resolve))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

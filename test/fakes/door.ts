// A port in front of a server: taken from the start, so that nobody else gets it, and shut until it is opened. Knows no protocol.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Door {
  readonly port: number
  /** From now on connections lead to the server; until then each is hung up on. */
  open(): void
  /** Hangs up on everybody and frees the port. */
  close(): Promise<void>
}

/** Puts a shut door in front of a port of this machine. */
export async function shutDoor(serverPort: number): Promise<Door> {
  let isOpen = false
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    return socket
  }
  const door = createServer(visitor => {
    keep(visitor)
    if (!isOpen) return void visitor.destroy()
    const server = keep(connect(serverPort, '127.0.0.1'))
    visitor.pipe(server).pipe(visitor)
  }).listen(0, '127.0.0.1')
  await once(door, 'listening')
  return {
    port: (door.address() as { port: number }).port,
    open: () => {
      isOpen = true
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      door.close()
      await once(door, 'close')
    },
  }
}

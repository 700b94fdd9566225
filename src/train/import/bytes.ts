// Reads ranges of a file that may be larger than memory, and walks through a header. Knows no format.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'

/** An open file. */
export interface ByteSource {
  /** File name, for messages. */
  readonly name: string
  /** Bytes in the file. */
  readonly size: number
  /** A fresh copy of a range. @throws Error naming file and range when the file ends before it does. */
  read(offset: number, length: number): Uint8Array
  close(): void
}

/** Opens a file for reading. @throws when it cannot be opened. */
export function openBytes(path: string): ByteSource {
  const fd = openSync(path, 'r')
  const name = basename(path)
  const { size } = fstatSync(fd)
  return {
    name,
    size,
    read(offset, length) {
      if (!(offset >= 0 && length >= 0 && offset + length <= size))
        throw new Error(
          `${name} is truncated or corrupt: it has ${size} bytes, and ${length} are wanted at ${offset}`,
        )
      const bytes = new Uint8Array(length)
      for (let done = 0; done < length; ) {
        // One call reads at most 2 GiB on Linux.
        const got = readSync(fd, bytes, done, Math.min(length - done, 1 << 30), offset + done)
        if (got === 0) throw new Error(`${name} ended while it was read`)
        done += got
      }
      return bytes
    },
    close: () => closeSync(fd),
  }
}

/** Reads one little-endian value after the other. Every method throws an Error naming the file when it ends too early. */
export interface Cursor {
  readonly offset: number
  u8(): number
  i8(): number
  u16(): number
  i16(): number
  u32(): number
  i32(): number
  /** @throws Error when the number is too large to be exact. */
  u64(): number
  i64(): number
  f32(): number
  f64(): number
  /** UTF-8 with its length in front as u64. */
  text(): string
}

const WINDOW = 1 << 20

/** A cursor at the start of a file. */
export function createCursor(source: ByteSource): Cursor {
  let at = 0
  let from = 0
  let window: DataView = new DataView(new ArrayBuffer(0))
  /** Reads the next `length` bytes. */
  const next = <T>(length: number, read: (view: DataView, start: number) => T): T => {
    if (at < from || at + length > from + window.byteLength) {
      const left = source.size - at
      const bytes = source.read(at, length > left ? length : Math.min(Math.max(length, WINDOW), left))
      window = new DataView(bytes.buffer)
      from = at
    }
    at += length
    return read(window, at - length - from)
  }
  const exact = (value: bigint): number => {
    const x = Number(value)
    if (!Number.isSafeInteger(x)) throw new Error(`${source.name} is corrupt: it states a size of ${value}`)
    return x
  }
  const utf8 = new TextDecoder()
  const cursor = {
    get offset() {
      return at
    },
    u8: () => next(1, (view, start) => view.getUint8(start)),
    i8: () => next(1, (view, start) => view.getInt8(start)),
    u16: () => next(2, (view, start) => view.getUint16(start, true)),
    i16: () => next(2, (view, start) => view.getInt16(start, true)),
    u32: () => next(4, (view, start) => view.getUint32(start, true)),
    i32: () => next(4, (view, start) => view.getInt32(start, true)),
    u64: () => exact(next(8, (view, start) => view.getBigUint64(start, true))),
    i64: () => exact(next(8, (view, start) => view.getBigInt64(start, true))),
    f32: () => next(4, (view, start) => view.getFloat32(start, true)),
    f64: () => next(8, (view, start) => view.getFloat64(start, true)),
    text: () =>
      next(cursor.u64(), (view, start) => utf8.decode(new Uint8Array(view.buffer, start, at - from - start))),
  }
  return cursor
}

// Writes a file so that a kill, or a power cut, leaves the old one or the new one, whole. Knows not what is in it.
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'

/**
 * Puts the bytes, in order, in the place of what is at `path`; its folder has to be there. They are written beside it first, so one process at a
 * time may replace a file. `mode` as of open(2).
 */
export function replaceFile(path: string, parts: Iterable<Uint8Array>, mode = 0o600): void {
  const file = openSync(`${path}.new`, 'w', mode)
  try {
    for (const bytes of parts) for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.new`, path)
}

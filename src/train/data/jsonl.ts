// Reading and writing records as JSON lines, gzipped by the file's name. Knows no record's meaning.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'

/** Every record of a `.jsonl` or `.jsonl.gz` file. @throws when a line is not JSON, naming file and line. */
export function readJsonl<T>(path: string): T[] {
  const bytes = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return []
    try {
      return [JSON.parse(line) as T]
    } catch (cause) {
      throw new Error(`${path}:${i + 1} is not JSON`, { cause })
    }
  })
}

/** Writes records; the same records always give the same bytes. */
export function writeJsonl(path: string, records: readonly unknown[]): void {
  const text = records.map(record => `${JSON.stringify(record)}\n`).join('')
  writeFileSync(path, path.endsWith('.gz') ? gzipSync(text, { level: 9 }) : text)
}

/** sha256 over the contents of files, in the order given; names the data a figure was measured or trained on. */
export function hashFiles(paths: readonly string[]): string {
  const hash = createHash('sha256')
  for (const path of paths) hash.update(readFileSync(path))
  return hash.digest('hex')
}

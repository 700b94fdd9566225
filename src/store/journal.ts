// What the recorder has taken and not delivered, on disk: what a killed process left there the next one delivers. Knows no store.
// A process has a folder of its own, which it touches while it lives; pages are files of one JSON record a line.
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { keepReadable, readRecord } from './rows.ts'
import type { StoreLog, TrafficRecord } from './types.ts'

/** A file of the journal. */
export interface Page {
  readonly path: string
  /** Records in it that the recorder holds and has not settled. */
  left: number
  /** It stays when nothing of it is left in memory: some of its records were let go of, to be read again later. */
  isParked: boolean
}

export interface Journal {
  /** Writes the record before it returns, so that kill -9 does not lose it; null when the disk does not take it. */
  append(record: TrafficRecord): Page | null
  /** One record of the page needs no keeping any more: the store has it, or never will. */
  settle(page: Page): void
  /** One record of the page leaves memory undelivered: the page is read again later. */
  park(page: Page): void
  /** Whether records wait on disk alone. */
  isBehind(): boolean
  /** The next page that nobody works on, parked or left by a process that ended, with what it holds; null when there is none. */
  adopt(): { readonly page: Page; readonly records: TrafficRecord[] } | null
  /** Leaves what is there for the next process to take at once. */
  close(): void
}

export interface JournalOptions {
  readonly log?: StoreLog
  /** How often a living process touches its folder, and after how long without that it is taken for dead. */
  readonly beatMs?: number
  readonly staleMs?: number
  /** Size at which a page is full. */
  readonly pageBytes?: number
  /** Pages that wait on disk alone at most; the oldest go. */
  readonly maxPages?: number
}

/** Opens the journal of this process in a folder that processes, on other machines too, may share. Never throws: see `append`. */
export function openJournal(root: string, options: JournalOptions = {}): Journal {
  const { log, beatMs = 2000, staleMs = 10_000, pageBytes = 2 ** 20, maxPages = 1024 } = options
  const own = join(root, `${Date.now()}-${randomBytes(6).toString('hex')}`)
  let open: { readonly page: Page; readonly fd: number; bytes: number } | null = null
  let pages = 0
  let parked: Page[] = []
  let isFailing = false
  let isThere = false
  let lookedAt = 0

  /** Runs what may fail where a disk is full or gone; told once until it works again. */
  function safely<T>(work: () => T): T | null {
    try {
      const result = work()
      isFailing = false
      return result
    } catch (error) {
      if (!isFailing) log?.warn({ error }, 'the journal of traffic cannot be used')
      isFailing = true
      return null
    }
  }

  function makeFolder(): void {
    if (isThere) return
    mkdirSync(own, { recursive: true, mode: 0o700 })
    isThere = true
  }

  function openPage(): NonNullable<typeof open> {
    makeFolder()
    const path = join(own, `${String(pages++).padStart(9, '0')}.ndjson`)
    return { page: { path, left: 0, isParked: false }, fd: openSync(path, 'a', 0o600), bytes: 0 }
  }

  /** Nothing is appended to the open page any more. */
  function seal(): void {
    if (open === null) return
    const { page, fd } = open
    open = null
    safely(() => closeSync(fd))
    removeWhenDone(page)
  }

  function removeWhenDone(page: Page): void {
    if (page.left > 0 || page.isParked) return
    if (page === open?.page) {
      const { fd } = open
      open.bytes = 0
      safely(() => ftruncateSync(fd, 0))
    } else safely(() => rmSync(page.path, { force: true }))
  }

  /** Pages of processes that ended become parked pages of this one; of several that try it one succeeds. */
  function claimDead(): void {
    if (Date.now() - lookedAt < beatMs) return
    lookedAt = Date.now()
    for (const name of namesIn(root)) {
      const [from, to] = [join(root, name), join(own, name)]
      if (from === own || !isStale(from, staleMs)) continue
      safely(makeFolder)
      try {
        renameSync(from, to)
      } catch {
        continue // another process was faster
      }
      const left = safely(() => readdirSync(to, { recursive: true, encoding: 'utf8' })) ?? []
      for (const file of left.filter(name => name.endsWith('.ndjson')).toSorted())
        parked.push({ path: join(to, file), left: 0, isParked: true })
    }
  }

  function dropSurplus(): void {
    const surplus = parked.filter(page => page.left === 0).slice(0, Math.max(0, parked.length - maxPages))
    for (const page of surplus) safely(() => rmSync(page.path, { force: true }))
    if (surplus.length === 0) return
    parked = parked.filter(page => !surplus.includes(page))
    log?.warn({ pages: surplus.length }, 'traffic that waited on disk was dropped')
  }

  /** Says that this process lives. One that stood still for too long finds its folder taken, and goes on in a new one. */
  function touch(): void {
    if (!isThere) return
    try {
      utimesSync(own, Date.now() / 1000, Date.now() / 1000)
    } catch {
      isThere = false
      seal()
    }
  }

  const beat = setInterval(touch, beatMs)
  beat.unref()

  return {
    append(record) {
      return safely(() => {
        open ??= openPage()
        const { page, fd } = open
        const line = Buffer.from(`${JSON.stringify(record)}\n`)
        let written = 0
        try {
          while (written < line.length) written += writeSync(fd, line, written)
        } catch (error) {
          seal() // half a line ends the page
          throw error
        }
        page.left++
        open.bytes += line.length
        if (open.bytes >= pageBytes) seal()
        return page
      })
    },

    settle(page) {
      page.left--
      removeWhenDone(page)
    },

    park(page) {
      page.left--
      if (page === open?.page) seal()
      if (page.isParked) return
      page.isParked = true
      parked.push(page)
      dropSurplus()
    },

    isBehind: () => parked.length > 0,

    adopt() {
      claimDead()
      for (const page of parked.filter(page => page.left === 0)) {
        parked.splice(parked.indexOf(page), 1)
        page.isParked = false
        const lines = safely(() => readFileSync(page.path, 'utf8'))?.split('\n') ?? []
        const records = keepReadable(lines.filter(Boolean).map(readRecord), 'journal', log)
        page.left = records.length
        removeWhenDone(page)
        if (records.length > 0) return { page, records }
      }
      return null
    },

    close() {
      clearInterval(beat)
      seal()
      if (!isThere) return
      const isEmpty = !namesIn(own, true).some(name => name.endsWith('.ndjson'))
      safely(() => (isEmpty ? rmSync(own, { recursive: true, force: true }) : utimesSync(own, 0, 0)))
    },
  }
}

function namesIn(folder: string, recursive = false): string[] {
  try {
    return readdirSync(folder, { recursive, encoding: 'utf8' })
  } catch {
    return [] // there is none yet
  }
}

/** Whether nobody has touched a folder for so long. */
function isStale(folder: string, staleMs: number): boolean {
  try {
    return Date.now() - statSync(folder).mtimeMs >= staleMs
  } catch {
    return false // it is gone
  }
}

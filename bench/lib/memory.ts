// How much memory processes take over time, from /proc, so it runs on Linux. Knows not what they do.
import { readFileSync } from 'node:fs'

export interface Memory {
  /** Peaks so far in MiB, by name. */
  peaks(): Record<string, number>
  /**
   * Peak of the last third of the time less that of the first third, in MiB, by name: what warms up is in both, what leaks is not.
   */
  growth(): Record<string, number>
  stop(): void
}

interface Sample {
  readonly name: string
  readonly at: number
  readonly mb: number
}

const EVERY_MS = 2000

/** Reads the resident memory of what `processes` names every two seconds. */
export function watchMemory(
  processes: () => readonly { readonly name: string; readonly pid: number }[],
): Memory {
  const samples: Sample[] = []
  const look = () => {
    for (const { name, pid } of processes()) {
      const mb = residentMb(pid)
      if (mb !== null) samples.push({ name, at: performance.now(), mb })
    }
  }
  look()
  const timer = setInterval(look, EVERY_MS)
  const peaksBetween = (from: number, to: number): Record<string, number> => {
    const peaks: Record<string, number> = {}
    for (const { name, at, mb } of samples)
      if (at >= from && at <= to) peaks[name] = Math.max(peaks[name] ?? 0, Math.round(mb))
    return peaks
  }
  return {
    peaks: () => peaksBetween(0, Number.POSITIVE_INFINITY),
    growth() {
      const [from, to] = [samples[0]!.at, samples.at(-1)!.at]
      const first = peaksBetween(from, from + (to - from) / 3)
      const last = peaksBetween(to - (to - from) / 3, to)
      return Object.fromEntries(
        Object.keys(first).flatMap(name => (name in last ? [[name, last[name]! - first[name]!]] : [])),
      )
    },
    stop: () => clearInterval(timer),
  }
}

/** Resident memory of a process in MiB; null when it ended. */
function residentMb(pid: number): number | null {
  try {
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return found && Number(found[1]) / 1024
  } catch {
    return null
  }
}

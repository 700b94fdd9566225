// Processor time of this process in milliseconds: bounds on work that a busy machine does not stretch.

/** Milliseconds of processor time used so far, all threads. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

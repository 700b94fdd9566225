// Whose row comes next: requests take turns, one row each, so that a huge one delays nobody else. Knows no model.

/** Requests that have rows left. A request's rows are made when they are taken, not when it comes. */
export class Turns<T> {
  /** In the order of their turns: who had one goes to the end. */
  readonly #waiting = new Map<number, Iterator<T>>()

  get empty(): boolean {
    return this.#waiting.size === 0
  }

  add(id: number, rows: Iterator<T>): void {
    this.#waiting.set(id, rows)
  }

  /** Its rows that were not taken never are. */
  remove(id: number): void {
    this.#waiting.delete(id)
  }

  /** Rows for one batch, a row from each request in turn, until their sizes reach `room`; none when no request has any left. */
  take(room: number, sizeOf: (row: T) => number): T[] {
    const taken: T[] = []
    let size = 0
    while (size < room) {
      const [first] = this.#waiting
      if (first === undefined) break
      const [id, rows] = first
      const next = rows.next()
      this.#waiting.delete(id)
      if (next.done) continue
      this.#waiting.set(id, rows)
      taken.push(next.value)
      size += sizeOf(next.value)
    }
    return taken
  }
}

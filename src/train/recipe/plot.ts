// Draws a training log as an SVG: losses above, speed below, readable on light and dark pages. Knows no training.
import type { LogRecord } from './progress.ts'

const [WIDTH, LEFT, RIGHT] = [760, 64, 150]
const PANELS = [
  { top: 36, height: 220 },
  { top: 300, height: 110 },
] as const
const HEIGHT = 450
const POINTS = 400

interface Line {
  readonly name: string
  readonly colour: string
  readonly of: (record: LogRecord) => number
}

const LOSSES: readonly Line[] = [
  { name: 'language', colour: 'a', of: r => r.lossLm },
  { name: 'steps', colour: 'b', of: r => r.lossStep },
  { name: 'pairs', colour: 'c', of: r => r.lossPair },
]
const SPEED: readonly Line[] = [{ name: 'tokens/s', colour: 'd', of: r => r.tokens_per_second }]

const STYLE = `
svg { font: 12px system-ui, sans-serif; background: #fff; --ink: #1f2328; --faint: #d0d7de; --a: #0969da; --b: #bc4c00; --c: #8250df; --d: #1a7f37 }
text { fill: var(--ink) } .grid { stroke: var(--faint) } path { fill: none; stroke-width: 1.6; stroke-linejoin: round }
@media (prefers-color-scheme: dark) { svg { background: #0d1117; --ink: #e6edf3; --faint: #30363d; --a: #58a6ff; --b: #f0883e; --c: #bc8cff; --d: #3fb950 } }
`

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const short = (x: number): string => {
  const [unit, size] =
    Math.abs(x) >= 1e6
      ? (['M', 1e6] as const)
      : Math.abs(x) >= 1000
        ? (['k', 1000] as const)
        : (['', 1] as const)
  return `${Number((x / size).toPrecision(3))}${unit}`
}

/** Round numbers that span [low, high] in about `count` parts (steps of 1, 2 or 5 times a power of ten). */
function ticks(low: number, high: number, count: number): number[] {
  const rough = Math.max(high - low, 1e-9) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map(n => n * power).find(s => s >= rough)!
  const first = Math.ceil(low / step - 1e-9)
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step)
}

/** The last run in a log: what follows its last step 0, without lines that a resumed run wrote again. */
function lastRun(records: readonly LogRecord[]): LogRecord[] {
  const run = records.slice(
    Math.max(
      0,
      records.findLastIndex(r => r.step === 0),
    ),
  )
  return run.filter((r, i) => run.slice(i + 1).every(later => later.step > r.step))
}

function panel(
  { top, height }: { top: number; height: number },
  lines: readonly Line[],
  records: readonly LogRecord[],
  title: string,
): string {
  const used = lines.filter(line => records.some(r => line.of(r) !== 0))
  const values = used.flatMap(line => records.map(line.of))
  const high = Math.max(...values, 1e-9) * 1.05
  const lastStep = Math.max(1, records.at(-1)!.step)
  const x = (step: number) => LEFT + (step / lastStep) * (WIDTH - LEFT - RIGHT)
  const y = (value: number) => top + height - (value / high) * height
  const grid = ticks(0, high, 4).map(
    v =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(v).toFixed(1)}" y2="${y(v).toFixed(1)}"/>` +
      `<text x="${LEFT - 8}" y="${(y(v) + 4).toFixed(1)}" text-anchor="end">${short(v)}</text>`,
  )
  const below = ticks(0, lastStep, 6).map(
    s => `<text x="${x(s).toFixed(1)}" y="${top + height + 18}" text-anchor="middle">${short(s)}</text>`,
  )
  const every = Math.max(1, Math.ceil(records.length / POINTS))
  const shown = records.filter((_, i) => i % every === 0 || i === records.length - 1)
  const paths = used.map(line => {
    const points = shown.map(r => `${x(r.step).toFixed(1)} ${y(line.of(r)).toFixed(1)}`)
    return `<path style="stroke: var(--${line.colour})" d="M${points.join('L')}"/>`
  })
  const legend = used.map((line, i) => {
    const at = top + 12 + 18 * i
    return (
      `<rect x="${WIDTH - RIGHT + 14}" y="${at - 9}" width="10" height="10" style="fill: var(--${line.colour})"/>` +
      `<text x="${WIDTH - RIGHT + 30}" y="${at}">${line.name} ${short(line.of(records.at(-1)!))}</text>`
    )
  })
  return [
    `<text x="${LEFT}" y="${top - 12}">${escaped(title)}</text>`,
    ...grid,
    ...below,
    ...paths,
    ...legend,
  ].join('\n')
}

/** The picture of the last run in a log of JSON lines. @throws when the log holds none. */
export function plotLog(log: string): string {
  const lines = log.split('\n').filter(line => line.trim() !== '')
  const records = lastRun(lines.map(line => JSON.parse(line) as LogRecord))
  const last = records.at(-1)
  if (last === undefined) throw new Error('there is nothing to draw: the log has no lines')
  const took = `${Math.round(last.elapsed_s / 60)} min, ${short(last.tokens)} tokens, ${short(last.rss_mb)} MB`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="Losses and speed of a training run">`,
    `<style>${STYLE}</style>`,
    panel(PANELS[0], LOSSES, records, `${last.label}: losses by step (${took})`),
    panel(PANELS[1], SPEED, records, 'tokens per second'),
    '</svg>',
    '',
  ].join('\n')
}

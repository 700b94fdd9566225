// How often a score of so much was right: a reliability diagram as a small SVG, and as the rows of a table. Knows no critic.
import { shareText } from './markdown.ts'
import type { CalibrationBin } from './metrics.ts'

const SIZE = 360
const LEFT = 56
const TOP = 40
const PLOT = 280
/** Height of the strip of counts under the plot. */
const STRIP = 40

const x = (score: number): string => (LEFT + PLOT * score).toFixed(1)
const y = (share: number): string => (TOP + PLOT * (1 - share)).toFixed(1)
const escapeXml = (text: string): string => text.replace(/[&<>"]/g, char => `&#${char.charCodeAt(0)};`)

/**
 * Points at (mean score, share right) of each bin that has any, the diagonal of perfect calibration, and a strip that shows
 * how many fall into each bin. Ten bins from 0 to 1.
 *
 * @param what what a score is of, e.g. `steps of processbench_gsm8k`
 */
export function reliabilitySvg(
  bins: readonly CalibrationBin[],
  { title, what, ece }: { title: string; what: string; ece: number },
): string {
  const most = Math.max(1, ...bins.map(bin => bin.n))
  const filled = bins.filter(bin => bin.n > 0)
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    at =>
      `<line x1="${x(at)}" y1="${y(0)}" x2="${x(at)}" y2="${y(1)}" stroke="#e5e5e5"/>` +
      `<line x1="${x(0)}" y1="${y(at)}" x2="${x(1)}" y2="${y(at)}" stroke="#e5e5e5"/>` +
      `<text x="${x(at)}" y="${TOP + PLOT + STRIP + 16}" text-anchor="middle">${at}</text>` +
      `<text x="${LEFT - 6}" y="${Number(y(at)) + 4}" text-anchor="end">${at}</text>`,
  )
  const bars = bins.map((bin, i) => {
    const height = (STRIP - 6) * (bin.n / most)
    return `<rect x="${x(i / 10)}" y="${(TOP + PLOT + STRIP - height).toFixed(1)}" width="${PLOT / 10 - 1}" height="${height.toFixed(1)}" fill="#9db4d0"><title>${bin.n}</title></rect>`
  })
  const points = filled.map(
    bin =>
      `<circle cx="${x(bin.score)}" cy="${y(bin.right)}" r="4" fill="#1f4e8c"><title>score ${bin.score.toFixed(3)}, right ${bin.right.toFixed(3)}, ${bin.n}</title></circle>`,
  )
  const path = filled.map(bin => `${x(bin.score)},${y(bin.right)}`).join(' ')
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE}" height="${SIZE + 60}" viewBox="0 0 ${SIZE} ${SIZE + 60}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${LEFT}" y="18" font-size="13">${escapeXml(title)}</text>
<text x="${LEFT}" y="33" fill="#555">ECE ${ece.toFixed(3)}, ${escapeXml(what)}</text>
${ticks.join('\n')}
<line x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}" stroke="#999" stroke-dasharray="4 4"/>
${bars.join('\n')}
<polyline points="${path}" fill="none" stroke="#1f4e8c"/>
${points.join('\n')}
<text x="${LEFT + PLOT / 2}" y="${TOP + PLOT + STRIP + 34}" text-anchor="middle">score (bars: how many)</text>
<text x="14" y="${TOP + PLOT / 2}" text-anchor="middle" transform="rotate(-90 14 ${TOP + PLOT / 2})">share that is right</text>
</svg>
`
}

/** Range of scores, how many, mean score and share right of each bin. */
export const binRows = (bins: readonly CalibrationBin[]): string[][] =>
  bins.map((bin, i) => [
    `${(i / 10).toFixed(1)}–${((i + 1) / 10).toFixed(1)}`,
    String(bin.n),
    shareText(bin.score),
    shareText(bin.right),
  ])

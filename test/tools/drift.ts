// Fails when a generated file no longer follows from its source. Knows how to generate, not what is in the files.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const committed = join(root, 'src/server/api.d.ts')
const generator = join(root, 'node_modules/openapi-typescript/bin/cli.js')

const folder = mkdtempSync(join(tmpdir(), 'spar-drift-'))
try {
  const fresh = join(folder, 'api.d.ts')
  execFileSync(process.execPath, [generator, join(root, 'openapi.yaml'), '-o', fresh], {
    stdio: ['ignore', 'ignore', 'inherit'],
    // The generator colours its output by this; the file must not depend on the terminal.
    env: { ...process.env, NO_COLOR: '1' },
  })
  if (readFileSync(fresh, 'utf8') === readFileSync(committed, 'utf8')) {
    console.log('src/server/api.d.ts follows from openapi.yaml')
  } else {
    console.error(
      'src/server/api.d.ts does not follow from openapi.yaml: run `npm run gen` and commit the result.',
    )
    process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true })
}

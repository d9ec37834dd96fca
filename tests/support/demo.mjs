// One running `countersign demo` for the tests of a file: embedded SQLite in a folder of its own, on a free port.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import readline from 'node:readline'

const program = process.env.COUNTERSIGN_BIN ?? path.resolve(import.meta.dirname, '../../target/debug/countersign')

/** Starts the demo and answers with its line of JSON once it is ready. `await demo.stop()` when done. */
export async function startDemo() {
  const folder = await mkdtemp(path.join(tmpdir(), 'countersign-demo-'))
  const child = spawn(program, ['demo', '--json', '--listen', '127.0.0.1:0', '--data', folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = []
  child.stderr.setEncoding('utf8').on('data', (text) => log.push(text))
  const gone = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(signal ?? code))
  })
  const firstLine = new Promise((resolve) => {
    readline.createInterface({ input: child.stdout }).once('line', resolve)
  })
  const line = await Promise.race([
    firstLine,
    gone.then(async (how) => {
      await rm(folder, { recursive: true, force: true })
      throw new Error(`the demo ended (${how}) before it was ready:\n${log.join('')}`)
    }),
  ])
  return {
    ...JSON.parse(line),
    log,
    async stop() {
      child.kill('SIGTERM')
      await gone
      await rm(folder, { recursive: true, force: true })
    },
  }
}

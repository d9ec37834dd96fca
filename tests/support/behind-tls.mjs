// `countersign serve` as it is deployed: under https, behind a proxy that ends TLS, beside other sites on names of their own.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { generate } from 'selfsigned'

const program = process.env.COUNTERSIGN_BIN ?? path.resolve(import.meta.dirname, '../../target/debug/countersign')

const listening = (server) => new Promise((ready) => server.listen(0, '127.0.0.1', () => ready(server.address().port)))

/**
 * Starts Countersign as `https://auth.test` and the sites of `sites` (`{'ehr.test': (url, origin) => html}`), all on one port. `declaration({origin})` is what is applied before
 * the start; `origin(name)` tells the origin of a name.
 */
export async function startBehindTls({ declaration, sites }) {
  const folder = await mkdtemp(path.join(tmpdir(), 'countersign-tls-'))
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'test' }], { keyType: 'ec' })
  let inside
  const proxy = https.createServer({ key, cert }, (request, response) => {
    const name = (request.headers.host ?? '').split(':')[0]
    if (name !== 'auth.test') {
      const html = sites[name]?.(new URL(request.url, `https://${request.headers.host}`), origin)
      response.writeHead(html ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' }).end(html ?? '')
      return
    }
    const onward = http.request({ port: inside, host: '127.0.0.1', method: request.method, path: request.url, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders)
      answer.pipe(response)
    })
    onward.on('error', () => response.writeHead(502).end())
    request.pipe(onward)
  })
  const port = await listening(proxy)
  const origin = (name) => `https://${name}:${port}`

  await writeFile(path.join(folder, 'key'), randomBytes(32).toString('hex'), { mode: 0o600 })
  await writeFile(
    path.join(folder, 'countersign.toml'),
    `[server]
base_url = "${origin('auth.test')}"
listen = "127.0.0.1:0"
key_file = "${folder}/key"
[database]
url = "sqlite:${folder}/countersign.db"
[mail]
transport = "file"
folder = "${folder}/mail"
from = "Countersign <countersign@auth.test>"
[outbound]
allow_private_networks = true
`,
  )
  await writeFile(path.join(folder, 'declared.json'), JSON.stringify(declaration({ origin })))
  // its configuration is the file alone: it refuses variables of ours that it does not know
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('COUNTERSIGN_')))
  const run = (command, ...args) =>
    spawn(program, [command, '--config', path.join(folder, 'countersign.toml'), ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const log = []
  const ended = (child) => new Promise((resolve) => child.once('exit', resolve))
  const applying = run('apply', path.join(folder, 'declared.json'))
  applying.stderr.setEncoding('utf8').on('data', (text) => log.push(text))
  if ((await ended(applying)) !== 0) {
    proxy.close()
    throw new Error(`nothing was applied:\n${log.join('')}`)
  }
  const server = run('serve')
  const gone = ended(server)
  inside = await new Promise((ready, failed) => {
    server.stderr.setEncoding('utf8').on('data', (text) => {
      log.push(text)
      const serving = /serving address=127\.0\.0\.1:(\d+)/.exec(log.join(''))
      if (serving) ready(Number(serving[1]))
    })
    gone.then(() => {
      proxy.close()
      failed(new Error(`the server ended before it was ready:\n${log.join('')}`))
    })
  })
  return {
    origin,
    log,
    /** Past the proxy: for what other machines ask, which have no business with the browser's certificates. */
    inside: `http://127.0.0.1:${inside}`,
    async stop() {
      server.kill('SIGTERM')
      await gone
      proxy.closeAllConnections()
      proxy.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

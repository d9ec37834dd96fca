// The smallest SMART app there is: two static pages around fhirclient's own browser build, on an origin of its own.

import { readFile } from 'node:fs/promises'
import http from 'node:http'
import { createRequire } from 'node:module'
import path from 'node:path'

const library = path.join(path.dirname(createRequire(import.meta.url).resolve('fhirclient/package.json')), 'build/fhir-client.js')

const launchPage = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Launching</title>
<script src="/fhir-client.js"></script>
<script>
  const settings = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
  FHIR.oauth2.authorize({ redirectUri: '/app', pkceMode: 'required', ...settings })
    .catch((error) => { document.title = 'Failed'; document.body.textContent = error.message })
</script><body>Launching</body></html>`

const appPage = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Waiting</title>
<script src="/fhir-client.js"></script>
<body><h1></h1><script>
  FHIR.oauth2.ready().then(async (client) => {
    window.client = client
    const patient = await client.patient.read()
    document.querySelector('h1').textContent = patient.name[0].text || [...patient.name[0].given, patient.name[0].family].join(' ')
    document.title = 'Ready'
  }).catch((error) => { document.title = 'Failed'; document.body.textContent = error.message })
</script></body></html>`

/** Serves the app; `launchUrl({clientId, scope, iss})` starts it. */
export async function serveSmartApp() {
  const script = await readFile(library)
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://app')
    const [type, body] = {
      '/launch': ['text/html; charset=utf-8', launchPage],
      '/app': ['text/html; charset=utf-8', appPage],
      '/fhir-client.js': ['text/javascript', script],
    }[pathname] ?? ['image/x-icon', '']
    response.writeHead(200, { 'content-type': type }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  const origin = `http://127.0.0.1:${server.address().port}`
  return {
    origin,
    redirectUri: `${origin}/app`,
    launchUrl: (settings) => `${origin}/launch#${new URLSearchParams(settings)}`,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

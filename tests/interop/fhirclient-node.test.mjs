// fhirclient's Node adapter: a SMART app that is a small web server, with a secret or with a key.

import assert from 'node:assert/strict'
import { generateKeyPairSync, sign, randomUUID } from 'node:crypto'
import http from 'node:http'
import { after, before, test } from 'node:test'
import smart from 'fhirclient'

import { approvedClient, disable } from '../support/api.mjs'
import { startDemo } from '../support/demo.mjs'
import { serve } from '../support/judge.mjs'
import { Person } from '../support/person.mjs'

const scope = 'launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs'
let demo
let app
let handle

before(async () => {
  demo = await startDemo()
  app = http.createServer((request, response) => handle(request, response))
  app.listen(0, '127.0.0.1')
  await new Promise((listening) => app.once('listening', listening))
})
after(async () => {
  app?.close()
  await demo?.stop()
})

/** fhirclient's storage of one visitor. */
class Session {
  values = new Map()
  async get(key) {
    return this.values.get(key)
  }
  async set(key, value) {
    this.values.set(key, value)
    return value
  }
  async unset(key) {
    return this.values.delete(key)
  }
}

/** Launches the app standalone and returns fhirclient's client, signed in. */
async function launched(options) {
  const redirectUri = new URL('/app', origin()).href
  const session = new Session()
  const ready = deferred()
  handle = (request, response) => {
    const api = smart(request, response, session)
    const done = request.url.startsWith('/launch')
      ? api.authorize({ iss: demo.fhir_base_url, redirectUri, scope, pkceMode: 'required', ...options })
      : api.ready().then((client) => {
          ready.resolve(client)
          response.end('ready')
        })
    Promise.resolve(done).catch((error) => {
      ready.reject(error)
      response.writeHead(500).end(String(error))
    })
  }
  const person = new Person()
  const back = await person.authorize(new URL('/launch', origin()), { redirectUri, ...demo.user })
  await fetch(back)
  return ready.promise
}

function origin() {
  return `http://127.0.0.1:${app.address().port}`
}

function deferred() {
  const all = {}
  all.promise = new Promise((resolve, reject) => Object.assign(all, { resolve, reject }))
  return all
}

test('a confidential app with a secret launches, reads, refreshes, and stops at disable', async () => {
  const registered = await approvedClient(demo, {
    scope,
    client_type: 'confidential_secret',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [new URL('/app', origin()).href],
  })
  const client = await launched({ clientId: registered.client_id, clientSecret: registered.client_secret })
  assert.equal(client.patient.id, demo.user.patient)
  const patient = await client.patient.read()
  assert.equal(patient.id, demo.user.patient)
  const bundle = await client.request(`Observation?patient=${client.patient.id}`)
  assert.equal(bundle.resourceType, 'Bundle')
  const before = client.state.tokenResponse.access_token
  await client.refresh()
  assert.notEqual(client.state.tokenResponse.access_token, before)
  await client.patient.read()
  await disable(demo, registered.client_id)
  await assert.rejects(client.request(`Patient/${client.patient.id}`))
})

test('a confidential app with a key launches and reads, and refreshes only with its key', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const kid = randomUUID()
  const jwk = (key) => ({ ...key.export({ format: 'jwk' }), kid, alg: 'ES384', use: 'sig' })
  const registered = await approvedClient(demo, {
    scope,
    client_type: 'confidential_keys',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [new URL('/app', origin()).href],
    jwks: { keys: [jwk(publicKey)] },
  })
  const clientPrivateJwk = { ...jwk(privateKey), key_ops: ['sign'], ext: true }
  const client = await launched({ clientId: registered.client_id, clientPrivateJwk })
  assert.equal((await client.patient.read()).id, demo.user.patient)
  // this library refreshes without an assertion; a client that registered a key must prove itself (SMART-AS-16)
  const { tokenResponse: { refresh_token }, tokenUri } = client.state
  assert.ok(refresh_token)
  const listener = await serve(() => [400, { 'content-type': 'application/json' }, '{}'])
  client.state.tokenUri = listener.origin
  await assert.rejects(client.refresh())
  listener.stop()
  assert.deepEqual([...new URLSearchParams(listener.seen[0].body).keys()], ['grant_type', 'refresh_token'])
  Object.assign(client.state, { tokenUri })
  client.state.tokenResponse.refresh_token = refresh_token // the library throws it away when a refresh fails
  await assert.rejects(client.refresh())
  const refreshed = await fetch(tokenUri, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion(privateKey, kid, registered.client_id, tokenUri),
    }),
  })
  assert.equal(refreshed.status, 200, await refreshed.text())
})

/** SMART App Launch 2.2, "Authenticating to the Token endpoint". */
function assertion(privateKey, kid, clientId, audience) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = part({ alg: 'ES384', kid, typ: 'JWT' })
  const claims = part({ iss: clientId, sub: clientId, aud: audience, exp: Math.floor(Date.now() / 1000) + 240, jti: randomUUID() })
  const signature = sign('sha384', Buffer.from(`${header}.${claims}`), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${header}.${claims}.${signature.toString('base64url')}`
}

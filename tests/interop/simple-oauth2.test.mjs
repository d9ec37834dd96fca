// simple-oauth2: strict and loose encodings of the same credentials, refresh and revoke helpers.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { AuthorizationCode, ClientCredentials } from 'simple-oauth2'

import { approvedClient } from '../support/api.mjs'
import { startDemo } from '../support/demo.mjs'
import { Person } from '../support/person.mjs'

const redirectUri = 'https://simple.interop.example/callback'
const scope = 'launch/patient offline_access patient/Patient.rs'
let demo
let metadata
let registered

before(async () => {
  demo = await startDemo()
  const wellKnown = `${demo.fhir_base_url.replace(/\/$/, '')}/.well-known/smart-configuration`
  metadata = await (await fetch(wellKnown)).json()
  registered = await approvedClient(demo, {
    scope,
    client_type: 'confidential_secret',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [redirectUri],
  })
})
after(() => demo?.stop())

function settings({ client_id, client_secret }, options, { authorizes = false } = {}) {
  const host = new URL(demo.issuer).origin
  const path = (endpoint) => endpoint && new URL(endpoint).pathname
  return {
    client: { id: client_id, secret: client_secret },
    auth: {
      tokenHost: host,
      tokenPath: path(metadata.token_endpoint),
      revokePath: path(metadata.revocation_endpoint),
      ...(authorizes && { authorizeHost: host, authorizePath: path(metadata.authorization_endpoint) }),
    },
    options,
  }
}

for (const options of [
  { authorizationMethod: 'header', credentialsEncodingMode: 'strict' },
  { authorizationMethod: 'header', credentialsEncodingMode: 'loose' },
  { authorizationMethod: 'body' },
]) {
  test(`client credentials, ${Object.values(options).join(' ')}`, async () => {
    const client = new ClientCredentials(settings(demo.confidential_client, options))
    const { token } = await client.getToken({ scope: demo.confidential_client.scope })
    assert.equal(token.scope, demo.confidential_client.scope)
    assert.ok(token.access_token)
  })
}

test('the code flow, refresh, and revoking everything', async () => {
  const client = new AuthorizationCode(settings(registered, undefined, { authorizes: true }))
  const verifier = randomBytes(48).toString('base64url')
  const url = client.authorizeURL({
    redirect_uri: redirectUri,
    scope,
    state: 'simple-state-0123456789',
    aud: demo.fhir_base_url,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const back = await new Person().authorize(url, { redirectUri, ...demo.user })
  assert.equal(back.searchParams.get('state'), 'simple-state-0123456789')

  const first = await client.getToken({ code: back.searchParams.get('code'), redirect_uri: redirectUri, code_verifier: verifier })
  assert.equal(first.token.patient, demo.user.patient)
  const second = await first.refresh()
  assert.notEqual(second.token.access_token, first.token.access_token)
  await second.revokeAll()
  await assert.rejects(second.refresh(), (error) => error.data.payload.error === 'invalid_grant')
})

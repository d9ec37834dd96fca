// openid-client: what most Node web applications sign people in with.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as openid from 'openid-client'

import { approveWaiting, approvedClient, disable } from '../support/api.mjs'
import { startDemo } from '../support/demo.mjs'
import { Person } from '../support/person.mjs'

const redirectUri = 'https://app.interop.example/callback'
const scope = 'launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs'
let demo
let registered

before(async () => {
  demo = await startDemo()
  registered = await approvedClient(demo, {
    scope,
    client_type: 'confidential_secret',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [redirectUri],
  })
})
after(() => demo?.stop())

function configuration({ client_id, client_secret }, method = openid.ClientSecretBasic) {
  const execute = [openid.allowInsecureRequests]
  const auth = client_secret ? method(client_secret) : openid.None()
  return openid.discovery(new URL(demo.issuer), client_id, {}, auth, { execute })
}

async function signedIn(config) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const expectedState = openid.randomState()
  const expectedNonce = openid.randomNonce()
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    state: expectedState,
    nonce: expectedNonce,
    aud: demo.fhir_base_url,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  })
  const back = await new Person().authorize(url, { redirectUri, ...demo.user })
  return openid.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true })
}

for (const [how, method] of [['basic', openid.ClientSecretBasic], ['post', openid.ClientSecretPost]]) {
  test(`a web application with its secret by ${how} signs in, refreshes and revokes`, async () => {
    const config = await configuration(registered, method)
    openid.enableNonRepudiationChecks(config)
    const tokens = await signedIn(config)
    assert.equal(tokens.patient, demo.user.patient)
    assert.ok(tokens.claims().sub)

    const fresh = await openid.refreshTokenGrant(config, tokens.refresh_token)
    assert.equal(fresh.scope, tokens.scope)

    await openid.tokenRevocation(config, fresh.refresh_token ?? tokens.refresh_token)
    await assert.rejects(openid.refreshTokenGrant(config, fresh.refresh_token ?? tokens.refresh_token), { error: 'invalid_grant' })
  })
}

test('userinfo names the same person as the ID token', async (t) => {
  const config = await configuration(registered)
  if (!config.serverMetadata().userinfo_endpoint) return t.skip('userinfo is not advertised')
  const tokens = await signedIn(config)
  const person = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
  assert.equal(person.sub, tokens.claims().sub)
})

test('a resource server introspects', async () => {
  const tokens = await signedIn(await configuration(registered))
  const asked = await openid.tokenIntrospection(await configuration(demo.resource_server), tokens.access_token)
  assert.equal(asked.active, true)
  assert.equal(asked.client_id, registered.client_id)
})

test('client credentials with the secret', async () => {
  const config = await configuration(demo.confidential_client)
  const tokens = await openid.clientCredentialsGrant(config, { scope: demo.confidential_client.scope })
  assert.equal(tokens.scope, demo.confidential_client.scope)
})

test('a plain relying party registers itself, signs somebody in with no aud, and signs them out', async () => {
  const loggedOut = 'https://portal.interop.example/bye'
  const portal = 'https://portal.interop.example/callback'
  const execute = [openid.allowInsecureRequests]
  const config = await openid.dynamicClientRegistration(
    new URL(demo.issuer),
    { client_name: 'Staff portal', redirect_uris: [portal], post_logout_redirect_uris: [loggedOut], contacts: ['portal@interop.example'] },
    undefined,
    { execute },
  )
  await approveWaiting(demo, config.clientMetadata().client_id)
  const expectedState = openid.randomState()
  const expectedNonce = openid.randomNonce()
  const url = openid.buildAuthorizationUrl(config, { redirect_uri: portal, scope: 'openid profile', state: expectedState, nonce: expectedNonce })
  const browser = new Person()
  const back = await browser.authorize(url, { redirectUri: portal, ...demo.clinician })
  const tokens = await openid.authorizationCodeGrant(config, back, { expectedState, expectedNonce, idTokenExpected: true })
  const person = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
  assert.equal(person.sub, tokens.claims().sub)
  const patients = await fetch(`${demo.fhir_base_url.replace(/\/$/, '')}/Patient`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  assert.ok(patients.status === 401 || patients.status === 403, 'signing in opens no FHIR server')

  const end = openid.buildEndSessionUrl(config, { post_logout_redirect_uri: loggedOut, id_token_hint: tokens.id_token, state: 'bye' })
  const { left } = await browser.visit(end, { leaves: (to) => to.href.startsWith(loggedOut) })
  assert.equal(left.href, `${loggedOut}?state=bye`)
  const again = new URL(url)
  again.searchParams.set('prompt', 'none')
  const silent = await browser.visit(again, { leaves: (to) => to.href.startsWith(portal) })
  assert.equal(silent.left.searchParams.get('error'), 'login_required')
})

test('after disable every door is shut', async () => {
  const config = await configuration(registered)
  const tokens = await signedIn(config)
  await disable(demo, registered.client_id)
  const asked = await openid.tokenIntrospection(await configuration(demo.resource_server), tokens.access_token)
  assert.deepEqual({ ...asked }, { active: false })
  await assert.rejects(openid.refreshTokenGrant(config, tokens.refresh_token), openid.WWWAuthenticateChallengeError)
  await assert.rejects(signedIn(config))
})

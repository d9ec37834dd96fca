// oauth4webapi: the strictest reader of OAuth and OpenID responses there is for JavaScript.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as oauth from 'oauth4webapi'

import { approveWaiting } from '../support/api.mjs'
import { startDemo } from '../support/demo.mjs'
import { Person } from '../support/person.mjs'

const plainHttp = { [oauth.allowInsecureRequests]: true }
let demo
let server

before(async () => {
  demo = await startDemo()
  server = await discovered('oauth2')
})
after(() => demo?.stop())

async function discovered(algorithm) {
  const issuer = new URL(demo.issuer)
  const response = await oauth.discoveryRequest(issuer, { algorithm, ...plainHttp })
  return oauth.processDiscoveryResponse(issuer, response)
}

/** The whole code flow for the demo's public client, every check of the library on. */
async function signedIn({ scope = demo.public_client.scope, person = demo.user } = {}) {
  const client = { client_id: demo.public_client.client_id }
  const redirectUri = demo.public_client.redirect_uri
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const nonce = oauth.generateRandomNonce()
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope,
    state,
    nonce,
    aud: demo.fhir_base_url,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const back = await new Person().authorize(url, { redirectUri, ...person })
  const parameters = oauth.validateAuthResponse(server, client, back, state)
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), parameters, redirectUri, verifier, plainHttp,
  )
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: scope.includes('openid') ? nonce : oauth.expectNoNonce,
    requireIdToken: scope.includes('openid'),
  })
  return { client, tokens, response, parameters, verifier, redirectUri }
}

function patientUrl(id) {
  return new URL(`${demo.fhir_base_url.replace(/\/$/, '')}/Patient/${id}`)
}

async function introspected(token) {
  const caller = { client_id: demo.resource_server.client_id }
  const auth = oauth.ClientSecretBasic(demo.resource_server.client_secret)
  const response = await oauth.introspectionRequest(server, caller, auth, token, plainHttp)
  return oauth.processIntrospectionResponse(server, caller, response)
}

test('both discovery documents pass and agree', async () => {
  const openid = await discovered('oidc')
  for (const [name, value] of Object.entries(server)) {
    if (name in openid) assert.deepEqual(openid[name], value, name)
  }
  assert.deepEqual(server.code_challenge_methods_supported, ['S256'])
  assert.equal(server.authorization_response_iss_parameter_supported, true)
})

test('a public client signs a patient in and reads the patient', async () => {
  const { tokens } = await signedIn()
  assert.equal(tokens.token_type, 'bearer')
  assert.equal(typeof tokens.expires_in, 'number')
  assert.equal(tokens.patient, demo.user.patient)
  const read = await oauth.protectedResourceRequest(tokens.access_token, 'GET', patientUrl(tokens.patient), undefined, undefined, plainHttp)
  assert.equal(read.status, 200)
  assert.equal((await read.json()).id, demo.user.patient)
})

test('an ID token verifies against the published keys', async (t) => {
  if (!demo.public_client.scope.includes('openid')) return t.skip('the demo client does not ask for openid')
  const { tokens, response } = await signedIn()
  await oauth.validateApplicationLevelSignature(server, response, plainHttp)
  const claims = oauth.getValidatedIdTokenClaims(tokens)
  assert.ok(claims.sub)
  if (tokens.scope.includes('fhirUser')) assert.match(claims.fhirUser, /\/(Patient|Practitioner|RelatedPerson|Person)\/[^/]+$/)
})

test('the response may be asked for with a smaller scope, and is never wider', async () => {
  const scope = 'launch/patient patient/Patient.rs'
  const { tokens } = await signedIn({ scope })
  assert.deepEqual(new Set(tokens.scope.split(' ')), new Set(scope.split(' ')))
  assert.equal(tokens.refresh_token, undefined)
})

test('a code works once, and using it again ends what it gave', async () => {
  const { client, tokens, parameters, verifier, redirectUri } = await signedIn()
  const again = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), parameters, redirectUri, verifier, plainHttp)
  await assert.rejects(oauth.processAuthorizationCodeResponse(server, client, again), { error: 'invalid_grant', status: 400 })
  assert.equal((await introspected(tokens.access_token)).active, false)
})

test('a wrong verifier gets nothing', async () => {
  const client = { client_id: demo.public_client.client_id }
  const redirectUri = demo.public_client.redirect_uri
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope: demo.public_client.scope,
    state: 'a-state-of-enough-length',
    aud: demo.fhir_base_url,
    code_challenge: await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier()),
    code_challenge_method: 'S256',
  })
  const back = await new Person().authorize(url, { redirectUri, ...demo.user })
  const parameters = oauth.validateAuthResponse(server, client, back, 'a-state-of-enough-length')
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), parameters, redirectUri, oauth.generateRandomCodeVerifier(), plainHttp,
  )
  await assert.rejects(oauth.processAuthorizationCodeResponse(server, client, response), { error: 'invalid_grant', status: 400 })
})

test('denying consent comes back as access_denied with the issuer named', async () => {
  const client = { client_id: demo.public_client.client_id }
  const redirectUri = demo.public_client.redirect_uri
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope: demo.public_client.scope,
    state: 'a-state-of-enough-length',
    aud: demo.fhir_base_url,
    code_challenge: await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier()),
    code_challenge_method: 'S256',
  })
  const back = await new Person().authorize(url, { redirectUri, ...demo.user, decision: 'deny' })
  assert.throws(() => oauth.validateAuthResponse(server, client, back, 'a-state-of-enough-length'), { error: 'access_denied' })
  assert.equal(back.searchParams.get('iss'), demo.issuer)
})

test('refresh rotates, and keeps scope and patient', async () => {
  const { client, tokens } = await signedIn()
  const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token, plainHttp)
  const fresh = await oauth.processRefreshTokenResponse(server, client, response)
  assert.notEqual(fresh.access_token, tokens.access_token)
  assert.notEqual(fresh.refresh_token, tokens.refresh_token)
  assert.equal(fresh.scope, tokens.scope)
  assert.equal(fresh.patient, tokens.patient)
  assert.equal((await introspected(fresh.access_token)).active, true)
})

test('introspection tells a FHIR server who, what and which patient', async () => {
  const { tokens } = await signedIn()
  const seen = await introspected(tokens.access_token)
  assert.equal(seen.active, true)
  assert.equal(seen.client_id, demo.public_client.client_id)
  assert.equal(seen.patient, tokens.patient)
  assert.deepEqual(new Set(seen.scope.split(' ')), new Set(tokens.scope.split(' ')))
  assert.ok(seen.exp > Date.now() / 1000)
  assert.deepEqual(await introspected('invalid_token_value'), { active: false })
})

test('a revoked token is dead, and revoking twice is fine', async () => {
  const { client, tokens } = await signedIn()
  for (const token of [tokens.refresh_token, tokens.refresh_token]) {
    const response = await oauth.revocationRequest(server, client, oauth.None(), token, plainHttp)
    await oauth.processRevocationResponse(response)
  }
  assert.equal((await introspected(tokens.access_token)).active, false)
  const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token, plainHttp)
  await assert.rejects(oauth.processRefreshTokenResponse(server, client, response), { error: 'invalid_grant' })
})

for (const [how, method] of [['basic', oauth.ClientSecretBasic], ['post', oauth.ClientSecretPost]]) {
  test(`client credentials with the secret by ${how}`, async () => {
    const { client_id, client_secret, scope } = demo.confidential_client
    const client = { client_id }
    const response = await oauth.clientCredentialsGrantRequest(server, client, method(client_secret), { scope }, plainHttp)
    const tokens = await oauth.processClientCredentialsResponse(server, client, response)
    assert.equal(tokens.scope, scope)
    assert.equal(tokens.refresh_token, undefined)
    assert.equal((await introspected(tokens.access_token)).client_id, client_id)
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(server, client, method(client_secret), tokens.access_token, plainHttp),
    )
    assert.equal((await introspected(tokens.access_token)).active, false)
  })
}

test('client credentials with a signed assertion', async () => {
  const { client_id, kid, private_jwk, scope } = demo.backend_client
  const client = { client_id }
  const key = await importKey(private_jwk)
  const auth = oauth.PrivateKeyJwt({ key, kid })
  const response = await oauth.clientCredentialsGrantRequest(server, client, auth, { scope }, plainHttp)
  const tokens = await oauth.processClientCredentialsResponse(server, client, response)
  assert.equal(tokens.scope, scope)
  assert.equal((await introspected(tokens.access_token)).client_id, client_id)
})

test('a wrong secret is refused with a challenge the library understands', async () => {
  const client = { client_id: demo.confidential_client.client_id }
  const response = await oauth.clientCredentialsGrantRequest(
    server, client, oauth.ClientSecretBasic('not-the-secret'), { scope: demo.confidential_client.scope }, plainHttp,
  )
  assert.equal(response.status, 401)
  await assert.rejects(oauth.processClientCredentialsResponse(server, client, response), (error) => {
    assert.ok(error instanceof oauth.ResponseBodyError || error instanceof oauth.WWWAuthenticateChallengeError, error)
    return true
  })
})

test('a client nobody approved gets no token', async () => {
  const { client_id, client_secret, scope } = demo.unapproved_client
  const client = { client_id }
  const response = await oauth.clientCredentialsGrantRequest(server, client, oauth.ClientSecretBasic(client_secret), { scope }, plainHttp)
  await assert.rejects(oauth.processClientCredentialsResponse(server, client, response), (error) => {
    // the same answer as to a client nobody knows, so that nobody can try out who is registered
    assert.equal(error.status, 401)
    assert.equal(error.cause[0].scheme, 'basic')
    return true
  })
})

/** SMART keys are ES384 or RS384; WebCrypto wants to be told which. */
function importKey(jwk) {
  const algorithm = jwk.kty === 'EC' ? { name: 'ECDSA', namedCurve: jwk.crv } : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' }
  const { key_ops, use, ...bare } = jwk
  return crypto.subtle.importKey('jwk', bare, algorithm, false, ['sign'])
}

test('a client registers itself, waits, is approved, proves itself by key, and is gone when it says so', async () => {
  const openid = await discovered('oidc')
  const { publicKey, privateKey } = await oauth.generateKeyPair('ES384', { extractable: true })
  const kid = 'oauth4webapi-1'
  const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), kid, alg: 'ES384', use: 'sig' }
  const redirectUri = 'https://registered.interop.example/callback'
  const scope = 'launch/patient openid fhirUser offline_access patient/Patient.rs'
  const asked = await oauth.dynamicClientRegistrationRequest(
    openid,
    {
      client_name: 'Registers itself',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
      contacts: ['dev@interop.example'],
      scope,
    },
    plainHttp,
  )
  const client = await oauth.processDynamicClientRegistrationResponse(asked)
  assert.equal(client.client_secret, undefined)
  assert.equal(client.token_endpoint_auth_method, 'private_key_jwt')

  const launch = async () => {
    const verifier = oauth.generateRandomCodeVerifier()
    const nonce = oauth.generateRandomNonce()
    const state = oauth.generateRandomState()
    const url = new URL(openid.authorization_endpoint)
    url.search = new URLSearchParams({
      response_type: 'code', client_id: client.client_id, redirect_uri: redirectUri, scope, state, nonce, aud: demo.fhir_base_url,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    })
    const back = await new Person().authorize(url, { redirectUri, ...demo.user })
    const parameters = oauth.validateAuthResponse(openid, client, back, state)
    const auth = oauth.PrivateKeyJwt({ key: privateKey, kid })
    const response = await oauth.authorizationCodeGrantRequest(openid, client, auth, parameters, redirectUri, verifier, plainHttp)
    return oauth.processAuthorizationCodeResponse(openid, client, response, { expectedNonce: nonce, requireIdToken: true })
  }
  await assert.rejects(launch(), 'nobody has approved it')
  await approveWaiting(demo, client.client_id)
  const tokens = await launch()
  assert.equal(tokens.patient, demo.user.patient)

  const auth = () => oauth.PrivateKeyJwt({ key: privateKey, kid })
  const refreshed = await oauth.refreshTokenGrantRequest(openid, client, auth(), tokens.refresh_token, plainHttp)
  const fresh = await oauth.processRefreshTokenResponse(openid, client, refreshed)
  assert.equal((await introspected(fresh.access_token)).client_id, client.client_id)
  const gone = await oauth.revocationRequest(openid, client, auth(), fresh.refresh_token ?? tokens.refresh_token, plainHttp)
  await oauth.processRevocationResponse(gone)
  assert.equal((await introspected(fresh.access_token)).active, false)

  const deleted = await fetch(client.registration_client_uri, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${client.registration_access_token}` },
  })
  assert.equal(deleted.status, 204)
  await assert.rejects(launch())
})

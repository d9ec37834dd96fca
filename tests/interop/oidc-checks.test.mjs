// What the OpenID Connect certification suites ask of a provider (basic, config, dynamic and logout profiles of the code flow), module by module. The relying party
// is plain: it registers itself, knows neither `aud` nor PKCE, and asks for nothing that opens a FHIR server.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { approveWaiting } from '../support/api.mjs'
import { startDemo } from '../support/demo.mjs'
import { checkedTokens, makeKey, post, refused, serve, signed, verifiedIdToken } from '../support/judge.mjs'
import { Person } from '../support/person.mjs'

const redirectUri = 'https://rp.interop.example/callback'
const loggedOut = 'https://rp.interop.example/logged-out'
let demo
let metadata
let rp
let logoutListener

before(async () => {
  demo = await startDemo()
  metadata = await (await fetch(`${demo.issuer}/.well-known/openid-configuration`)).json()
  logoutListener = await serve(() => [200, {}, ''])
  rp = await registered({ backchannel_logout_uri: `${logoutListener.origin}/backchannel` })
})
after(async () => {
  logoutListener?.stop()
  await demo?.stop()
})

/** Registers as a relying party does. */
function register(more = {}) {
  return fetch(metadata.registration_endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      application_type: 'web',
      client_name: 'Certified relying party',
      contacts: ['rp@interop.example'],
      redirect_uris: [redirectUri],
      post_logout_redirect_uris: [loggedOut],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
      ...more,
    }),
  })
}

/** Registers, and staff approve. */
async function registered(more) {
  const response = await register(more)
  const text = await response.text()
  assert.equal(response.status, 201, text)
  const client = JSON.parse(text)
  await approveWaiting(demo, client.client_id)
  return client
}

function authorizeUrl(changes = {}, client = rp) {
  const url = new URL(metadata.authorization_endpoint)
  const fields = { response_type: 'code', client_id: client.client_id, redirect_uri: redirectUri, scope: 'openid', state: 'st', nonce: 'n-0S6', ...changes }
  url.search = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== undefined))
  return url
}

const leaves = (to) => to.href.startsWith('https://rp.interop.example/')
const basic = (client = rp) => ({ authorization: `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}` })

/** Through the pages; the parameters that come back. */
async function authorized(changes, { browser = new Person(), client = rp, ...answers } = {}) {
  const back = await browser.authorize(authorizeUrl(changes, client), { redirectUri, ...demo.user, ...answers })
  return Object.fromEntries(back.searchParams)
}

async function redeemed(code, client = rp) {
  return post(metadata.token_endpoint, { grant_type: 'authorization_code', code, redirect_uri: redirectUri }, basic(client))
}

async function signedIn(changes, options) {
  const { code } = await authorized(changes, options)
  assert.ok(code)
  const { body } = await checkedTokens(await redeemed(code, options?.client))
  return { code, body, ...(await verifiedIdToken(body.id_token, demo.issuer)) }
}

/** Without pages: where the browser is sent at once, or the page it stops at. */
async function silently(browser, changes, client) {
  const step = await browser.visit(authorizeUrl(changes, client), { leaves })
  return step.left ? Object.fromEntries(step.left.searchParams) : { page: step.status }
}

describe('configuration', () => {
  test('the document is exact about its issuer and holds arrays where arrays belong', () => {
    assert.equal(metadata.issuer, demo.issuer)
    for (const name of Object.keys(metadata).filter((each) => /_endpoint$|_uri$/.test(each))) assert.ok(URL.canParse(metadata[name]), name)
    for (const name of Object.keys(metadata).filter((each) => /_supported$/.test(each) && !/parameter|logout/.test(each))) {
      assert.ok(Array.isArray(metadata[name]) && metadata[name].length > 0, name)
    }
    assert.ok(metadata.scopes_supported.includes('openid'))
    assert.deepEqual(metadata.response_types_supported, ['code'])
    assert.equal(metadata.request_parameter_supported, false)
    assert.equal(metadata.request_uri_parameter_supported, false)
    assert.equal(metadata.claims_parameter_supported, false)
    assert.ok(metadata.end_session_endpoint && metadata.backchannel_logout_supported && metadata.backchannel_logout_session_supported)
  })

  test('the keys are RSA keys for signatures, each with its own kid', async () => {
    const { keys } = await (await fetch(metadata.jwks_uri)).json()
    assert.ok(keys.some(({ kty }) => kty === 'RSA'))
    assert.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length)
    assert.ok(keys.every(({ use, kid }) => use === 'sig' && kid))
  })
})

describe('code flow', () => {
  test('the happy flow: code, ID token by RS256, nonce, at_hash, userinfo by GET and POST', async () => {
    const { body, claims } = await signedIn()
    assert.equal(claims.nonce, 'n-0S6')
    assert.equal(claims.aud, rp.client_id)
    assert.ok(claims.at_hash)
    const authorization = `Bearer ${body.access_token}`
    for (const method of ['GET', 'POST']) {
      const response = await fetch(metadata.userinfo_endpoint, { method, headers: { authorization } })
      assert.equal(response.status, 200)
      assert.equal((await response.json()).sub, claims.sub)
    }
  })

  for (const [module, changes] of [
    ['without a nonce', { nonce: undefined }],
    ['without a state', { state: undefined }],
    ['with a nonce of 384 characters', { nonce: 'n'.repeat(384) }],
    ['with a state of 2000 characters', { state: 's'.repeat(2000) }],
    ['scope profile', { scope: 'openid profile' }],
    ['scopes nobody here knows', { scope: 'openid email address phone' }],
    ['scopes in another order', { scope: 'profile openid' }],
    ['an unknown parameter', { extra: 'foobar' }],
    ['display=page', { display: 'page' }],
    ['display=popup', { display: 'popup' }],
    ['ui_locales', { ui_locales: 'se nl' }],
    ['claims_locales', { claims_locales: 'se' }],
    ['acr_values', { acr_values: '1 2' }],
    ['login_hint', { login_hint: 'anna@example.net' }],
    ['claims', { claims: '{"userinfo":{"name":{"essential":true}}}' }],
    ['prompt=consent', { prompt: 'consent' }],
    ['response_mode=query', { response_mode: 'query' }],
  ]) {
    test(`goes on ${module}`, async () => {
      const { claims } = await signedIn(changes)
      assert.equal(claims.nonce, 'nonce' in changes ? changes.nonce : 'n-0S6')
    })
  }

  test('state is echoed, and none is invented', async () => {
    assert.equal((await authorized({ state: 'a b&c=d%20é' })).state, 'a b&c=d%20é')
    assert.ok(!('state' in (await authorized({ state: undefined }))))
    assert.equal((await authorized()).iss, demo.issuer)
  })

  for (const [module, changes, error] of [
    ['response_type is missing', { response_type: undefined }, ['unsupported_response_type', 'invalid_request']],
    ['response_type=token', { response_type: 'token' }, 'unsupported_response_type'],
    ['response_type=id_token', { response_type: 'id_token' }, 'unsupported_response_type'],
    ['response_type=code id_token', { response_type: 'code id_token' }, 'unsupported_response_type'],
    ['a request object', { request: 'eyJhbGciOiJub25lIn0.eyJzY29wZSI6Im9wZW5pZCJ9.' }, 'request_not_supported'],
    ['a request_uri', { request_uri: 'https://rp.interop.example/request#x' }, 'request_uri_not_supported'],
    ['prompt=none and nobody signed in', { prompt: 'none' }, ['login_required', 'interaction_required', 'consent_required']],
    ['prompt=none login', { prompt: 'none login' }, 'invalid_request'],
    ['max_age=abc', { max_age: 'abc' }, 'invalid_request'],
    ['a challenge by plain', { code_challenge: 'a'.repeat(43), code_challenge_method: 'plain' }, 'invalid_request'],
    ['no scope', { scope: undefined }, ['invalid_scope', 'invalid_request']],
    ['a FHIR scope without aud', { scope: 'openid launch/patient patient/Patient.rs' }, 'invalid_request'],
  ]) {
    test(`is sent back with an error: ${module}`, async () => {
      const answer = await silently(new Person(), changes)
      assert.ok([error].flat().includes(answer.error), JSON.stringify(answer))
      assert.equal(answer.state, 'st')
      assert.equal(answer.iss, demo.issuer)
      assert.equal(answer.code, undefined)
    })
  }

  for (const [module, changes] of [
    ['a redirect_uri that is not registered', { redirect_uri: 'https://rp.interop.example/other' }],
    ['a query added to it', { redirect_uri: `${redirectUri}?foo=bar` }],
    ['a path under it', { redirect_uri: `${redirectUri}/x` }],
    ['no redirect_uri', { redirect_uri: undefined }],
    ['no client_id', { client_id: undefined }],
    ['an unknown client', { client_id: 'app_nobody' }],
  ]) {
    test(`stops at a page: ${module}`, async () => {
      assert.deepEqual(await silently(new Person(), changes), { page: 400 })
    })
  }

  test('a redirect URI with a query of its own keeps it, and with another it is another', async () => {
    const uri = `${redirectUri}?foo=bar`
    const client = await registered({ redirect_uris: [uri] })
    const back = await new Person().authorize(authorizeUrl({ redirect_uri: uri }, client), { redirectUri, ...demo.user })
    assert.equal(back.searchParams.get('foo'), 'bar')
    assert.ok(back.searchParams.get('code'))
    assert.deepEqual(await silently(new Person(), { redirect_uri: `${redirectUri}?bar=foo` }, client), { page: 400 })
  })

  test('a code works once; then what it gave is dead', async () => {
    const { code, body } = await signedIn()
    await refused(await redeemed(code), 400, 'invalid_grant')
    const { status } = await fetch(metadata.userinfo_endpoint, { headers: { authorization: `Bearer ${body.access_token}` } })
    assert.equal(status, 401)
  })

  test('a code of another client is refused and not spoilt', async () => {
    const other = await registered()
    const { code } = await authorized()
    await refused(await redeemed(code, other), 400, 'invalid_grant')
    await checkedTokens(await redeemed(code))
  })

  test('a verifier without a challenge, and a code without its verifier, are refused', async () => {
    const { code } = await authorized()
    const fields = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: 'a'.repeat(43) }
    await refused(await post(metadata.token_endpoint, fields, basic()), 400, 'invalid_grant')
    const challenged = await authorized({ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' })
    await refused(await redeemed(challenged.code), 400, 'invalid_grant')
  })

  test('refresh by its own client only', async () => {
    const { body } = await signedIn({ scope: 'openid offline_access' })
    const other = await registered()
    const fields = { grant_type: 'refresh_token', refresh_token: body.refresh_token }
    await refused(await post(metadata.token_endpoint, fields, basic(other)), 400, 'invalid_grant')
    const fresh = await checkedTokens(await post(metadata.token_endpoint, fields, basic()))
    assert.equal(fresh.body.scope, body.scope)
  })

  test('the secret in the body, and form_post', async () => {
    const client = await registered({ token_endpoint_auth_method: 'client_secret_post' })
    const { code } = await authorized({}, { client })
    const { client_id, client_secret } = client
    const fields = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, client_id, client_secret }
    await checkedTokens(await post(metadata.token_endpoint, fields))

    const browser = new Person()
    await browser.authorize(authorizeUrl(), { redirectUri, ...demo.user })
    const page = await browser.visit(authorizeUrl({ response_mode: 'form_post' }), { leaves })
    const [form] = page.forms
    assert.equal(form.action, redirectUri)
    assert.equal(form.method, 'post')
    assert.deepEqual(form.controls.map(({ name }) => name).filter(Boolean).sort(), ['code', 'iss', 'state'])
  })
})

describe('who is there', () => {
  test('prompt=none when signed in and agreed: silent, the same person, the same moment', async () => {
    const browser = new Person()
    const first = await signedIn({ max_age: '10000' }, { browser })
    for (const changes of [{ prompt: 'none' }, { prompt: 'none', id_token_hint: first.body.id_token }, { max_age: '10000', prompt: 'none' }]) {
      const { code, error } = await silently(browser, { max_age: '10000', ...changes })
      assert.ok(code, error)
      const { body } = await checkedTokens(await redeemed(code))
      const { claims } = await verifiedIdToken(body.id_token, demo.issuer)
      assert.equal(claims.sub, first.claims.sub)
      assert.equal(claims.auth_time, first.claims.auth_time)
    }
  })

  test('prompt=login and max_age ask for the password again, and the moment is a later one', async () => {
    const browser = new Person()
    const first = await signedIn({ max_age: '10000' }, { browser })
    // the next second: auth_time counts in seconds
    while (Math.floor(Date.now() / 1000) <= first.claims.auth_time) await new Promise((soon) => setImmediate(soon))
    for (const changes of [{ prompt: 'login' }, { max_age: '0' }]) {
      const seen = []
      const again = await signedIn(changes, { browser, seen })
      assert.ok(seen.includes('sign-in'), JSON.stringify(changes))
      assert.ok(again.claims.auth_time > first.claims.auth_time)
      assert.equal(again.claims.sub, first.claims.sub)
    }
  })

  test('an ID token of somebody else hints at somebody else', async () => {
    const clinician = await signedIn({}, { ...demo.clinician })
    const browser = new Person()
    await signedIn({}, { browser })
    const answer = await silently(browser, { prompt: 'none', id_token_hint: clinician.body.id_token })
    assert.ok(['login_required', 'interaction_required', 'account_selection_required'].includes(answer.error), JSON.stringify(answer))
  })
})

describe('dynamic registration', () => {
  test('what is registered is told again, and can be read with its token', async () => {
    const response = await register({ policy_uri: 'https://rp.interop.example/policy', tos_uri: 'https://rp.interop.example/tos', client_uri: 'https://rp.interop.example/' })
    assert.equal(response.status, 201)
    assert.match(response.headers.get('cache-control'), /no-store/)
    const told = await response.json()
    for (const name of ['client_id', 'client_secret', 'client_id_issued_at', 'registration_access_token', 'registration_client_uri']) assert.ok(told[name], name)
    assert.equal(told.client_secret_expires_at, 0)
    assert.deepEqual(told.redirect_uris, [redirectUri])
    const read = await fetch(told.registration_client_uri, { headers: { authorization: `Bearer ${told.registration_access_token}` } })
    assert.equal(read.status, 200)
    assert.equal((await read.json()).policy_uri, 'https://rp.interop.example/policy')
    // nobody approved it
    assert.deepEqual(await silently(new Person(), {}, told), { page: 400 })
  })

  test('keys of a client with a secret are no obstacle, nor keys for encryption beside those for signatures', async () => {
    const enc = { ...makeKey('ES256').jwk, use: 'enc', alg: 'ECDH-ES' }
    assert.equal((await register({ jwks_uri: 'https://rp.interop.example/jwks' })).status, 201)
    const keyed = await register({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [makeKey().jwk, enc] } })
    assert.equal(keyed.status, 201, await keyed.text())
  })

  for (const [module, more, error] of [
    ['a fragment in the redirect URI', { redirect_uris: [`${redirectUri}#f`] }, 'invalid_redirect_uri'],
    ['http in the redirect URI', { redirect_uris: ['http://rp.interop.example/cb'] }, 'invalid_redirect_uri'],
    ['no redirect URI', { redirect_uris: [] }, 'invalid_redirect_uri'],
    ['an implicit response type', { response_types: ['id_token token'] }, 'invalid_client_metadata'],
    ['HS256 for ID tokens', { id_token_signed_response_alg: 'HS256' }, 'invalid_client_metadata'],
    ['no signature for ID tokens', { id_token_signed_response_alg: 'none' }, 'invalid_client_metadata'],
    ['pairwise subjects', { subject_type: 'pairwise' }, 'invalid_client_metadata'],
    ['client_secret_jwt', { token_endpoint_auth_method: 'client_secret_jwt' }, 'invalid_client_metadata'],
    ['keys for encryption alone', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ ...makeKey().jwk, use: 'enc' }] } }, 'invalid_client_metadata'],
  ]) {
    test(`is refused: ${module}`, async () => {
      await refused(await register(more), 400, error)
    })
  }
})

describe('logout', () => {
  const endSession = (parameters) => {
    const url = new URL(metadata.end_session_endpoint)
    url.search = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined))
    return url
  }

  /** Signs in, sends the browser to the end of the session, and says where that led and whether anybody is still signed in. */
  async function ended(parametersOf) {
    const browser = new Person()
    const { body } = await signedIn({}, { browser })
    const step = await browser.visit(endSession(parametersOf(body.id_token)), { leaves })
    const after = await silently(browser, { prompt: 'none' })
    return { left: step.left?.href, page: step.status, signedIn: Boolean(after.code), step, browser }
  }

  test('with a hint the session ends and the browser goes back with its state', async () => {
    const { left, signedIn } = await ended((id_token_hint) => ({ id_token_hint, post_logout_redirect_uri: loggedOut, state: 'bye' }))
    assert.equal(left, `${loggedOut}?state=bye`)
    assert.equal(signedIn, false)
  })

  test('without a state it goes back without one', async () => {
    const { left, signedIn } = await ended((id_token_hint) => ({ id_token_hint, post_logout_redirect_uri: loggedOut }))
    assert.equal(left, loggedOut)
    assert.equal(signedIn, false)
  })

  test('with a hint and no address the person is told at a page of ours', async () => {
    const { left, page, signedIn } = await ended((id_token_hint) => ({ id_token_hint, state: 'bye' }))
    assert.equal(left, undefined)
    assert.equal(page, 200)
    assert.equal(signedIn, false)
  })

  const unsigned = (hint) => {
    const claims = JSON.parse(Buffer.from(hint.split('.')[1], 'base64url'))
    return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`
  }
  const foreign = (hint) => signed(makeKey('RS256'), { alg: 'RS256', kid: 'x' }, JSON.parse(Buffer.from(hint.split('.')[1], 'base64url')))
  for (const [module, parametersOf] of [
    ['no parameters', () => ({})],
    ['only a state', () => ({ state: 'bye' })],
    ['no hint', () => ({ post_logout_redirect_uri: loggedOut, state: 'bye' })],
    ['a hint signed by nobody', (hint) => ({ id_token_hint: unsigned(hint), post_logout_redirect_uri: loggedOut, state: 'bye' })],
    ['a hint signed by somebody else', (hint) => ({ id_token_hint: foreign(hint), post_logout_redirect_uri: loggedOut, state: 'bye' })],
  ]) {
    test(`asks the person first, and leads nowhere: ${module}`, async () => {
      const { left, page, signedIn, step, browser } = await ended(parametersOf)
      assert.equal(left, undefined)
      assert.ok(page === 200 || page === 400, String(page))
      assert.equal(signedIn, true, 'nobody is signed out by a link')
      if (page !== 200) return
      await browser.submit(step, step.forms.find((form) => form.action.endsWith('/logout')), {}, { leaves })
      assert.equal((await silently(browser, { prompt: 'none' })).code, undefined)
    })
  }

  for (const [module, uri] of [
    ['an address that is not registered', 'https://rp.interop.example/elsewhere'],
    ['a query added to it', `${loggedOut}?foo=bar`],
    ['another host', 'https://evil.example/logged-out'],
  ]) {
    test(`does not lead there: ${module}`, async () => {
      const { left, page } = await ended((id_token_hint) => ({ id_token_hint, post_logout_redirect_uri: uri, state: 'bye' }))
      assert.equal(left, undefined)
      assert.ok(page === 200 || page === 400, String(page))
    })
  }

  test('back channel: the app has been told when the browser comes back', async () => {
    const browser = new Person()
    const { body, claims } = await signedIn({}, { browser })
    const before = logoutListener.seen.length
    const step = await browser.visit(endSession({ id_token_hint: body.id_token, post_logout_redirect_uri: loggedOut }), { leaves })
    assert.equal(step.left.href, loggedOut)
    const told = logoutListener.seen.slice(before)
    assert.equal(told.length, 1)
    assert.equal(told[0].method, 'POST')
    const token = await verifiedIdToken(new URLSearchParams(told[0].body).get('logout_token'), demo.issuer)
    assert.equal(token.header.typ, 'logout+jwt')
    assert.equal(token.claims.aud, rp.client_id)
    assert.equal(token.claims.sub, claims.sub)
    assert.equal(token.claims.sid, claims.sid)
    assert.ok(token.claims.jti && token.claims.iat && token.claims.exp)
    assert.deepEqual(token.claims.events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
    assert.ok(!('nonce' in token.claims))
  })
})

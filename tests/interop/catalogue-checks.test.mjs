// What analysers of OAuth practice and the tests of other SMART servers look for and certification does not: repeated and unknown parameters, credentials in odd
// places and spellings, redirect URIs that two parsers read differently, polluted and replayed values, headers of the pages.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { approvedClient } from '../support/api.mjs'
import { startDemo } from '../support/demo.mjs'
import { checkedTokens, configurationOf, makeApp, post, redirectUri, refused } from '../support/judge.mjs'
import { Person } from '../support/person.mjs'

const scope = 'launch/patient openid fhirUser offline_access patient/Patient.rs'
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
let demo
let smart
let open
let closed

before(async () => {
  demo = await startDemo()
  smart = await configurationOf(demo.fhir_base_url)
  open = await makeApp(demo, 'public', { scope })
  closed = await makeApp(demo, 'symmetric', { scope })
})
after(() => demo?.stop())

const basic = (id, secret) => ({ authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` })

/** Where an authorization request leads at once: parameters at the app, or the page it stops at. */
async function begun(query) {
  const url = new URL(smart.authorization_endpoint)
  url.search = query
  const step = await new Person().visit(url, { leaves: (to) => to.href.startsWith('https://judge.interop.example/') })
  return step.left ? { left: step.left, ...Object.fromEntries(step.left.searchParams) } : { page: step.status, sheet: step }
}

function fields(changes = {}) {
  const all = {
    response_type: 'code', client_id: open.id, redirect_uri: redirectUri, scope, state: 'st', aud: demo.fhir_base_url, code_challenge: challenge,
    code_challenge_method: 'S256', ...changes,
  }
  return new URLSearchParams(Object.entries(all).filter(([, value]) => value !== undefined))
}

describe('the authorization request', () => {
  for (const name of ['response_type', 'scope', 'aud', 'code_challenge', 'code_challenge_method']) {
    test(`with ${name} twice goes back as invalid_request`, async () => {
      const query = fields()
      query.append(name, query.get(name))
      assert.equal((await begun(query)).error, 'invalid_request')
    })
  }

  for (const name of ['client_id', 'redirect_uri', 'state']) {
    test(`with ${name} twice stops at a page`, async () => {
      const query = fields()
      query.append(name, query.get(name))
      assert.equal((await begun(query)).page, 400)
    })
  }

  test('with unknown parameters, context among them, goes on as without', async () => {
    const launched = await open.launch({ scope, changes: { patient: 'mei-tan', encounter: 'x', fhirContext: '[]', foo: 'bar', display: 'page' } })
    const { body } = await checkedTokens(await open.redeem(launched))
    assert.equal(body.patient, demo.user.patient)
  })

  for (const uri of [
    `${redirectUri}/`, `${redirectUri}?`, `${redirectUri}?x=1`, `${redirectUri}#x`, `${redirectUri}%20`, 'https://judge.interop.example/REDIRECT',
    'https://JUDGE.interop.example/redirect', 'https://judge.interop.example:443/redirect', 'https://judge.interop.example//redirect',
    'https://judge.interop.example/x/../redirect', 'https://judge.interop.example/%2e%2e/redirect', 'https://judge.interop.example/redirect/..;/x',
    'https://judge.interop.example/redirect%00', 'https://judge.interop.example/redirect\t', 'https://judge.interop.example@evil.example/redirect',
    'https://evil.example/redirect', 'https://evil.example\\@judge.interop.example/redirect', 'https://judge.interop.example.evil.example/redirect',
    'http://judge.interop.example/redirect', '//judge.interop.example/redirect', '/redirect', 'javascript:alert(1)', 'data:text/html,x', '',
  ]) {
    test(`to ${JSON.stringify(uri)} stops at a page, whatever else is wrong`, async () => {
      for (const response_type of ['code', 'token']) assert.equal((await begun(fields({ redirect_uri: uri, response_type }))).page, 400)
    })
  }

  for (const [what, changes, error] of [
    ['no challenge', { code_challenge: undefined }, 'invalid_request'],
    ['no method', { code_challenge_method: undefined }, 'invalid_request'],
    ['the method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['the method s256', { code_challenge_method: 's256' }, 'invalid_request'],
    ['a short challenge', { code_challenge: challenge.slice(1) }, 'invalid_request'],
    ['a challenge of other characters', { code_challenge: challenge.replace('E', '+') }, 'invalid_request'],
    ['response_type token', { response_type: 'token' }, 'unsupported_response_type'],
    ['response_type code token', { response_type: 'code token' }, 'unsupported_response_type'],
    ['a state of 5000 characters', { state: 's'.repeat(5000) }, 'invalid_request'],
    ['only scopes nobody knows', { scope: 'system/Patient.rs nonsense' }, ['invalid_scope', 'access_denied']],
    ['launch without a launch', { scope: `launch ${scope}` }, ['invalid_scope', 'invalid_request']],
    ['another resource than aud', { resource: 'https://other.example/fhir' }, ['invalid_target', 'invalid_request']],
  ]) {
    test(`with ${what} goes back as ${error}`, async () => {
      const answer = await begun(fields(changes))
      assert.ok([error].flat().includes(answer.error), JSON.stringify(answer.left?.href ?? answer.page))
      assert.equal(answer.iss, demo.issuer)
      assert.equal(answer.code, undefined)
    })
  }

  test('leads to pages that cannot be framed, leak no address and load nothing foreign', async () => {
    const { sheet } = await begun(fields())
    assert.match(sheet.headers.get('content-security-policy'), /frame-ancestors 'none'/)
    assert.match(sheet.headers.get('content-security-policy'), /default-src 'none'|default-src 'self'/)
    assert.doesNotMatch(sheet.headers.get('content-security-policy'), /unsafe-inline|unsafe-eval/)
    assert.equal(sheet.headers.get('referrer-policy'), 'no-referrer')
    assert.equal(sheet.headers.get('x-content-type-options'), 'nosniff')
    assert.match(sheet.headers.get('cache-control'), /no-store/)
    assert.equal(sheet.headers.get('access-control-allow-origin'), null)
    assert.doesNotMatch(sheet.html, /(src|href)="(https?:)?\/\/(?!127\.0\.0\.1)/)
  })

  test('never leads back by a status that would send the password along', async () => {
    const asked = new URL(smart.authorization_endpoint)
    asked.search = fields()
    for (const method of ['GET', 'POST']) {
      const response = await fetch(asked.origin + asked.pathname + (method === 'GET' ? asked.search : ''), {
        method, redirect: 'manual', ...(method === 'POST' && { body: new URLSearchParams(asked.search) }),
      })
      assert.ok(response.status === 303 || response.status === 302, String(response.status))
    }
  })
})

describe('the token request', () => {
  test('with anything twice is invalid_request, and the code is still good', async () => {
    const launched = await open.launch({ scope })
    for (const name of ['grant_type', 'code', 'redirect_uri', 'code_verifier', 'client_id']) {
      const body = new URLSearchParams({ grant_type: 'authorization_code', code: launched.code, redirect_uri: redirectUri, code_verifier: launched.verifier, client_id: open.id })
      body.append(name, body.get(name))
      await refused(await fetch(smart.token_endpoint, { method: 'POST', body }), 400, 'invalid_request')
    }
    await checkedTokens(await open.redeem(launched, { fields: { foo: 'bar' } }))
  })

  for (const [what, spoil, errors] of [
    ['no code', { code: undefined }, 'invalid_request'],
    ['no redirect_uri', { redirect_uri: undefined }, ['invalid_grant', 'invalid_request']],
    ['another redirect_uri', { redirect_uri: `${redirectUri}/x` }, 'invalid_grant'],
    ['a short verifier', { code_verifier: 'a'.repeat(42) }, ['invalid_grant', 'invalid_request']],
    ['a long verifier', { code_verifier: 'a'.repeat(129) }, ['invalid_grant', 'invalid_request']],
    ['a larger scope', { scope: `${scope} patient/Observation.rs` }, 'invalid_scope'],
    ['an implicit grant', { grant_type: 'implicit' }, 'unsupported_grant_type'],
    ['a device grant', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code' }, 'unsupported_grant_type'],
    ['a grant it did not register', { grant_type: 'client_credentials' }, ['unauthorized_client', 'invalid_scope']],
  ]) {
    test(`with ${what} is refused`, async () => {
      const launched = await closed.launch({ scope })
      await refused(await closed.redeem(launched, { fields: spoil }), 400, errors)
    })
  }

  test('with a code that was cut, lengthened, changed, or is a token, is refused', async () => {
    const { launched, body } = await open.tokens({ scope })
    const fresh = await open.launch({ scope })
    const flipped = fresh.code.slice(0, -1) + (fresh.code.endsWith('A') ? 'B' : 'A')
    for (const code of [fresh.code.slice(0, -1), `${fresh.code}A`, `${fresh.code} `, flipped, fresh.code.toUpperCase(), body.access_token, body.refresh_token]) {
      await refused(await open.redeem({ ...fresh, code }), 400, 'invalid_grant')
    }
    await refused(await open.refresh(body.access_token), 400, 'invalid_grant')
    await refused(await open.refresh(fresh.code), 400, 'invalid_grant')
    await checkedTokens(await open.redeem(fresh))
    await refused(await open.redeem(launched), 400, 'invalid_grant')
    assert.equal((await open.introspect(body.access_token)).active, false, 'a code used twice ends what it gave')
  })

  test('raced with one code has one winner at most', async () => {
    const launched = await closed.launch({ scope })
    const answers = await Promise.all(Array.from({ length: 20 }, () => closed.redeem(launched)))
    assert.ok(answers.filter(({ status }) => status === 200).length <= 1)
    assert.ok(answers.every(({ status }) => status === 200 || status === 400), answers.map(({ status }) => status).join())
  })

  test('raced with one refresh token leaves one live token at most', async () => {
    const { body } = await open.tokens({ scope })
    const answers = await Promise.all(Array.from({ length: 20 }, () => open.refresh(body.refresh_token)))
    const given = (await Promise.all(answers.filter(({ status }) => status === 200).map((each) => each.json()))).map((each) => each.refresh_token)
    let live = 0
    for (const token of new Set(given)) {
      const { status } = await open.refresh(token)
      live += Number(status === 200)
    }
    assert.ok(live <= 1, `${live} of ${given.length}`)
  })

  test('knows a client by Basic raw and form-encoded, and by nothing that is not Basic', async () => {
    const app = await approvedClient(demo, { name: 'Spelling', scope: 'system/Patient.rs', client_type: 'confidential_secret', grant_types: ['client_credentials'] })
    const ask = (headers, more = {}) => post(smart.token_endpoint, { grant_type: 'client_credentials', scope: 'system/Patient.rs', ...more }, headers)
    const encoded = (text) => [...text].map((c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')
    await checkedTokens(await ask(basic(app.client_id, app.client_secret)))
    await checkedTokens(await ask(basic(encoded(app.client_id), encoded(app.client_secret))))
    await checkedTokens(await ask(basic(app.client_id, app.client_secret), { client_id: app.client_id }))
    await checkedTokens(await ask({ authorization: basic(app.client_id, app.client_secret).authorization.replace('Basic', 'basic') }))
    for (const headers of [
      {}, { authorization: 'Basic' }, { authorization: 'Basic ' }, { authorization: 'Basic !!!' }, { authorization: `Basic ${btoa('no colon')}` },
      { authorization: `Basic ${Buffer.from([0xff, 0x3a, 0xff]).toString('base64')}` }, basic(app.client_id, ''), basic('', app.client_secret),
      basic(app.client_id, `${app.client_secret}x`), basic(app.client_id, app.client_secret.slice(1)), basic(app.client_id.toUpperCase(), app.client_secret),
      { authorization: `Bearer ${app.client_secret}` }, { authorization: `Digest ${app.client_secret}` },
    ]) {
      const body = await refused(await ask(headers), [400, 401], ['invalid_client', 'invalid_request'])
      assert.doesNotMatch(JSON.stringify(body), /secret|password|unknown/i)
    }
    await refused(await ask(basic(app.client_id, app.client_secret), { client_id: open.id }), [400, 401], ['invalid_client', 'invalid_request'])
    await refused(await ask(basic(app.client_id, app.client_secret), { client_secret: app.client_secret }), [400, 401], ['invalid_request', 'invalid_client'])
    const inQuery = await post(`${smart.token_endpoint}?client_id=${app.client_id}&client_secret=${app.client_secret}`, { grant_type: 'client_credentials', scope: 'system/Patient.rs' })
    await refused(inQuery, [400, 401], ['invalid_request', 'invalid_client'])
    assert.ok(app.client_secret.length >= 22, '128 bits of base64url')
    assert.match(app.client_id + app.client_secret, /^[A-Za-z0-9_-]+$/)
  })

  test('by a public app needs no more than the refresh token itself, and another app cannot use it', async () => {
    const { body } = await open.tokens({ scope })
    await refused(await post(smart.token_endpoint, { grant_type: 'refresh_token', refresh_token: body.refresh_token, client_id: 'app_nobody' }), 401, 'invalid_client')
    const other = await makeApp(demo, 'public', { scope })
    await refused(await other.refresh(body.refresh_token), 400, 'invalid_grant')
    await checkedTokens(await post(smart.token_endpoint, { grant_type: 'refresh_token', refresh_token: body.refresh_token }))
    const secret = await closed.tokens({ scope })
    await refused(await post(smart.token_endpoint, { grant_type: 'refresh_token', refresh_token: secret.body.refresh_token }), 401, 'invalid_client')
    await checkedTokens(await closed.refresh(secret.body.refresh_token))
  })

  test('for less scope gives less, and the grant stays whole', async () => {
    const { body } = await closed.tokens({ scope })
    const less = await checkedTokens(await closed.refresh(body.refresh_token, { scope: 'launch/patient patient/Patient.rs' }))
    assert.deepEqual(new Set(less.scopes), new Set(['launch/patient', 'patient/Patient.rs']))
    await refused(await closed.refresh(less.body.refresh_token ?? body.refresh_token, { scope: `${scope} patient/Observation.rs` }), 400, 'invalid_scope')
    const whole = await checkedTokens(await closed.refresh(less.body.refresh_token ?? body.refresh_token))
    assert.equal(whole.body.scope, body.scope)
    assert.equal(whole.body.patient, body.patient)
  })
})

describe('tokens', () => {
  test('are long, random, and never taken from a query or a form', async () => {
    const made = []
    for (let times = 0; times < 3; times += 1) {
      const { body, launched } = await open.tokens({ scope })
      made.push(launched.code, body.access_token, body.refresh_token)
    }
    assert.equal(new Set(made).size, made.length)
    // besides its prefix each carries more than 160 bits
    assert.ok(made.every((each) => each.length >= 40 && /^[A-Za-z0-9_.-]+$/.test(each)))
    const [, token] = made
    const userinfo = smart.userinfo_endpoint ?? `${demo.issuer}/userinfo`
    for (const response of [
      await fetch(`${userinfo}?access_token=${token}`),
      await post(userinfo, { access_token: token }),
      await fetch(`${demo.fhir_base_url.replace(/\/$/, '')}/Patient/${demo.user.patient}?access_token=${token}`),
    ]) {
      assert.ok([400, 401].includes(response.status), `${response.url}: ${response.status}`)
    }
    const header = { authorization: `Bearer ${token}` }
    assert.equal((await fetch(userinfo, { headers: header })).status, 200)
    assert.equal((await fetch(userinfo, { headers: { authorization: `Bearer ${token}x` } })).status, 401)
    assert.match((await fetch(userinfo, { headers: { authorization: 'Bearer x' } })).headers.get('www-authenticate'), /Bearer.*error="invalid_token"/)
    assert.doesNotMatch((await fetch(userinfo)).headers.get('www-authenticate'), /error=/)
  })

  test('are revoked by their own client only, each kind as far as it reaches', async () => {
    const { body } = await open.tokens({ scope })
    const revoke = (token, client_id) => post(smart.revocation_endpoint, { token, client_id })
    const other = await makeApp(demo, 'public', { scope })
    assert.equal((await revoke(body.refresh_token, other.id)).status < 500, true)
    assert.equal((await open.introspect(body.access_token)).active, true, 'a stranger revokes nothing')
    assert.equal((await revoke(body.access_token, open.id)).status, 200)
    assert.equal((await open.introspect(body.access_token)).active, false)
    const again = await checkedTokens(await open.refresh(body.refresh_token))
    assert.equal((await revoke(again.body.refresh_token, open.id)).status, 200)
    assert.equal((await open.introspect(again.body.access_token)).active, false)
    assert.equal((await revoke('unknown', open.id)).status, 200)
  })

  test('are introspected by resource servers only, and every dead one looks the same', async () => {
    const { body } = await open.tokens({ scope })
    await refused(await post(smart.introspection_endpoint, { token: body.access_token }), 401, 'invalid_client')
    const { status } = await post(smart.introspection_endpoint, { token: body.access_token }, basic(closed.id, closed.client.client_secret))
    assert.ok(status === 401 || status === 403, String(status))
    for (const token of ['x', body.access_token.slice(1), body.refresh_token.slice(0, -1), 'eyJhbGciOiJub25lIn0.e30.']) {
      assert.deepEqual(await open.introspect(token), { active: false })
    }
  })
})

describe('other origins', () => {
  test('reach the token endpoint from where an app is registered, and no other place', async () => {
    const preflight = (origin) => fetch(smart.token_endpoint, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    })
    const own = new URL(redirectUri).origin
    const launched = await open.launch({ scope })
    const answer = await open.redeem(launched, { proof: [{ client_id: open.id }, { origin: own }] })
    assert.equal(answer.headers.get('access-control-allow-origin'), own)
    assert.equal(answer.headers.get('access-control-allow-credentials'), null)
    assert.equal((await preflight(own)).headers.get('access-control-allow-origin'), own)
    const stranger = await open.refresh('x', {})
    assert.notEqual(stranger.headers.get('access-control-allow-origin'), 'https://evil.example')
    const evil = await post(smart.token_endpoint, { grant_type: 'refresh_token', refresh_token: 'x', client_id: open.id }, { origin: 'https://evil.example' })
    assert.ok([null].includes(evil.headers.get('access-control-allow-origin')), evil.headers.get('access-control-allow-origin'))
    const opaque = await post(smart.token_endpoint, { grant_type: 'refresh_token', refresh_token: 'x', client_id: open.id }, { origin: 'null' })
    assert.equal(opaque.headers.get('access-control-allow-origin'), null)
  })
})

// Backend services, as the SMART, (g)(10) and Bulk Data suites and the catalogues of other servers' tests judge them: one good request, and every way to spoil it.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import { disable, takeSecrets } from '../support/api.mjs'
import { startDemo } from '../support/demo.mjs'
import { assertion, checkedTokens, configurationOf, jwtBearer, makeApp, makeKey, post, refused, serve, signed } from '../support/judge.mjs'

const scope = 'system/*.rs system/*.read'
const seconds = () => Math.floor(Date.now() / 1000)
const backend = { grant_types: ['client_credentials'], redirect_uris: [] }
let demo
let smart
let judge
let other

before(async () => {
  demo = await startDemo()
  smart = await configurationOf(demo.fhir_base_url)
  judge = await makeApp(demo, 'asymmetric', { scope, ...backend })
  other = await makeApp(demo, 'asymmetric', { scope, ...backend })
})
after(() => demo?.stop())

/** The token request with `client_id` nowhere but in the assertion; `fields`, `header` and `claims` spoil it. */
function request({ app = judge, fields = {}, header, claims, key = app.key, audience = smart.token_endpoint } = {}) {
  return post(smart.token_endpoint, {
    grant_type: 'client_credentials',
    client_assertion_type: jwtBearer,
    client_assertion: assertion(key, app.id, audience, { header, claims }),
    scope: 'system/*.rs',
    ...fields,
  })
}

for (const alg of ['ES384', 'RS384']) {
  test(`a token by ${alg}, for five minutes at most, without a refresh token or a person`, async () => {
    const app = await makeApp(demo, 'asymmetric', { scope, alg, ...backend })
    const { body } = await checkedTokens(await request({ app }))
    assert.equal(body.scope, 'system/*.rs')
    assert.ok(body.expires_in > 0 && body.expires_in <= 300)
    for (const member of ['refresh_token', 'id_token', 'patient', 'encounter']) assert.equal(body[member], undefined, member)
    assert.equal((await app.read('Patient', body.access_token)).status, 200)
    const seen = await app.introspect(body.access_token)
    assert.equal(seen.client_id, app.id)
  })
}

describe('the request', () => {
  for (const [what, fields, statuses, errors] of [
    ['grant_type is missing', { grant_type: undefined }, 400, 'invalid_request'],
    ['grant_type is none', { grant_type: 'not_a_grant_type' }, 400, 'unsupported_grant_type'],
    ['grant_type is password', { grant_type: 'password', username: 'anna', password: 'x' }, 400, 'unsupported_grant_type'],
    ['client_assertion_type is missing', { client_assertion_type: undefined }, [400, 401], ['invalid_request', 'invalid_client']],
    ['client_assertion_type is none', { client_assertion_type: 'not_an_assertion_type' }, [400, 401], 'invalid_client'],
    ['client_assertion is missing', { client_assertion: undefined }, [400, 401], ['invalid_request', 'invalid_client']],
    ['client_assertion is garbage', { client_assertion: 'invalid_client_assertion' }, [400, 401], 'invalid_client'],
    ['client_assertion is two parts', { client_assertion: 'e30.e30' }, [400, 401], 'invalid_client'],
    ['scope is missing', { scope: undefined }, 400, ['invalid_scope', 'invalid_request']],
    ['scope is empty', { scope: '' }, 400, ['invalid_scope', 'invalid_request']],
    ['scope is nonsense', { scope: 'launch unknown_scope' }, 400, 'invalid_scope'],
    ['an unknown action', { scope: 'system/Patient.unknownAction' }, 400, 'invalid_scope'],
    ['an unknown action of version 2', { scope: 'system/Patient.xyz' }, 400, 'invalid_scope'],
    ['an unknown type', { scope: 'system/UnknownResource.read' }, 400, 'invalid_scope'],
    ['an unknown type of version 2', { scope: 'system/UnknownResource.r' }, 400, 'invalid_scope'],
    ['only writing', { scope: 'system/Patient.write' }, 400, 'invalid_scope'],
    ...['c', 'cu', 'cd', 'cud', 'ud', 'd', 'u'].map((permissions) => [`only .${permissions}`, { scope: `system/Patient.${permissions}` }, 400, 'invalid_scope']),
    ['permissions out of order', { scope: 'system/Patient.sr' }, 400, 'invalid_scope'],
    ['scopes of a person', { scope: 'user/Patient.rs patient/Patient.rs' }, 400, 'invalid_scope'],
    ['a client_id that is not the assertion’s', { client_id: 'somebody' }, [400, 401], 'invalid_client'],
  ]) {
    test(`is refused: ${what}`, async () => {
      await refused(await request({ fields }), statuses, errors)
    })
  }

  for (const [asked, granted] of [
    ['system/*.read', 'system/*.read'],
    ['system/*.rs', 'system/*.rs'],
    ['system/Patient.read system/Observation.rs', 'system/Patient.read system/Observation.rs'],
    ['system/Patient.rs system/Patient.write', 'system/Patient.rs'],
  ]) {
    test(`${asked} is answered with ${granted}`, async () => {
      const { scopes } = await checkedTokens(await request({ fields: { scope: asked } }))
      assert.deepEqual(new Set(scopes), new Set(granted.split(' ')))
    })
  }

  for (const asked of ['system/*.*', 'system/Patient.*', 'system/*.cruds']) {
    test(`${asked} never gives what was not approved`, async () => {
      const response = await request({ fields: { scope: asked } })
      if (response.status !== 200) return refused(response, 400, 'invalid_scope')
      const { body } = await checkedTokens(response)
      assert.doesNotMatch(body.scope, /\.\*(\s|$)|\.write|\.[rs]*[cud]/)
    })
  }

  test('is a POST of a form, with nothing in the query', async () => {
    const body = { grant_type: 'client_credentials', client_assertion_type: jwtBearer, client_assertion: assertion(judge.key, judge.id, smart.token_endpoint), scope: 'system/*.rs' }
    const json = await fetch(smart.token_endpoint, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    await refused(json, [400, 401, 415], ['invalid_request', 'invalid_client'])
    assert.equal((await fetch(`${smart.token_endpoint}?${new URLSearchParams(body)}`)).status, 405)
    await refused(await post(`${smart.token_endpoint}?${new URLSearchParams(body)}`, {}), 400, 'invalid_request')
  })

  for (const name of ['grant_type', 'client_assertion', 'client_assertion_type', 'scope']) {
    test(`is refused when ${name} comes twice`, async () => {
      const fields = [['grant_type', 'client_credentials'], ['client_assertion_type', jwtBearer], ['scope', 'system/*.rs'],
        ['client_assertion', assertion(judge.key, judge.id, smart.token_endpoint)]]
      const body = new URLSearchParams([...fields, fields.find(([each]) => each === name)])
      await refused(await fetch(smart.token_endpoint, { method: 'POST', body }), 400, 'invalid_request')
    })
  }
})

describe('the assertion', () => {
  for (const [what, spoil] of [
    ['absent iat and nbf', {}],
    ['iat and nbf', { claims: { iat: seconds(), nbf: seconds() } }],
    ['an unknown header (kty)', { header: { kty: 'EC', foo: 'bar' } }],
    ['the issuer as audience', { audience: undefined, claims: { aud: undefined } , issuer: true }],
    ['typ client-authentication+jwt and the issuer as audience', { header: { typ: 'client-authentication+jwt' }, issuer: true }],
    ['no typ', { header: { typ: undefined } }],
    ['an expiry five minutes ahead, by a clock a little fast', { claims: { exp: seconds() + 305 } }],
  ]) {
    test(`is taken with ${what}`, async () => {
      const { issuer, ...rest } = spoil
      const claims = { ...rest.claims, ...(issuer && { aud: demo.issuer }) }
      await checkedTokens(await request({ header: rest.header, claims }))
    })
  }

  const stranger = makeKey()
  for (const [what, spoil] of [
    ['aud is another server', () => ({ claims: { aud: 'https://other.example/token' } })],
    ['aud is ours and another', () => ({ claims: { aud: [smart.token_endpoint, 'https://other.example/token'] } })],
    ['aud is empty', () => ({ claims: { aud: '' } })],
    ['aud is missing', () => ({ claims: { aud: undefined } })],
    ['aud differs by a slash', () => ({ claims: { aud: `${smart.token_endpoint}/` } })],
    ['aud differs by case', () => ({ claims: { aud: smart.token_endpoint.toUpperCase() } })],
    ['aud is the introspection endpoint', () => ({ claims: { aud: smart.introspection_endpoint } })],
    ['typ client-authentication+jwt with the token URL', () => ({ header: { typ: 'client-authentication+jwt' } })],
    ['iss is another', () => ({ claims: { iss: 'https://other.example' } })],
    ['sub is another', () => ({ claims: { sub: other.id } })],
    ['iss is missing', () => ({ claims: { iss: undefined } })],
    ['sub is missing', () => ({ claims: { sub: undefined } })],
    ['the client is unknown', () => ({ claims: { iss: 'app_nobody', sub: 'app_nobody' } })],
    ['it is another client’s', () => ({ claims: { iss: other.id, sub: other.id } })],
    ['exp is missing', () => ({ claims: { exp: undefined } })],
    ['exp is text', () => ({ claims: { exp: String(seconds() + 200) } })],
    ['exp is an hour ahead', () => ({ claims: { exp: seconds() + 3600 } })],
    ['exp is five minutes past', () => ({ claims: { exp: seconds() - 300 } })],
    ['exp is beyond all numbers', () => ({ claims: { exp: 1e300 } })],
    ['iat is an hour ahead', () => ({ claims: { iat: seconds() + 3600 } })],
    ['nbf is an hour ahead', () => ({ claims: { nbf: seconds() + 3600 } })],
    ['jti is missing', () => ({ claims: { jti: undefined } })],
    ['jti is empty', () => ({ claims: { jti: '' } })],
    ['jti is a number', () => ({ claims: { jti: 7 } })],
    ['kid is missing', () => ({ header: { kid: undefined } })],
    ['kid is unknown', () => ({ header: { kid: 'not-registered' } })],
    ['alg is missing', () => ({ header: { alg: undefined } })],
    ['alg is none', () => ({ header: { alg: 'none' } })],
    ['alg is HS256', () => ({ header: { alg: 'HS256' } })],
    ['alg is that of another key', () => ({ header: { alg: 'RS384' } })],
    ['typ is another', () => ({ header: { typ: 'at+jwt' } })],
    ['jku is not registered', () => ({ header: { jku: 'https://attacker.example/jwks' } })],
    ['it brings its own key', () => ({ key: { ...stranger, kid: judge.key.kid }, header: { jwk: stranger.jwk } })],
    ['crit is unknown', () => ({ header: { crit: ['x'], x: 1 } })],
    ['the signature is another key’s', () => ({ key: { ...stranger, kid: judge.key.kid } })],
  ]) {
    test(`is refused: ${what}`, async () => {
      await refused(await request(spoil()), [400, 401], 'invalid_client')
    })
  }

  test('is refused: a byte of the signature, of the claims or of the header changed', async () => {
    const good = assertion(judge.key, judge.id, smart.token_endpoint)
    const [header, claims, signature] = good.split('.')
    const flipped = (text) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)
    for (const bad of [`${header}.${claims}.${flipped(signature)}`, `${header}.${flipped(claims)}.${signature}`, `${flipped(header)}.${claims}.${signature}`,
      `${header}.${claims}.`, `${header}.${claims}`, `${good}.x`, `${good}AA`, ' ', '.', '..', 'a'.repeat(20_000)]) {
      await refused(await request({ fields: { client_assertion: bad } }), [400, 401], ['invalid_client', 'invalid_request'])
    }
    await checkedTokens(await request({ fields: { client_assertion: good } }))
  })

  test('is good once, in a race as one after the other, and for one purpose', async () => {
    const once = assertion(judge.key, judge.id, demo.issuer)
    const answers = await Promise.all(Array.from({ length: 12 }, () => request({ fields: { client_assertion: once } })))
    assert.deepEqual(answers.map(({ status }) => status).filter((status) => status === 200).length, 1)
    await refused(await request({ fields: { client_assertion: once } }), [400, 401], 'invalid_client')
    const elsewhere = await post(smart.revocation_endpoint, { token: 'x', client_assertion_type: jwtBearer, client_assertion: once })
    await refused(elsewhere, [400, 401], 'invalid_client')
  })

  test('with the same jti from two clients is good for both', async () => {
    const jti = randomUUID()
    for (const app of [judge, other]) await checkedTokens(await request({ app, claims: { jti } }))
  })

  test('and another way to prove oneself in one request is refused', async () => {
    const authorization = `Basic ${Buffer.from(`${judge.id}:secret`).toString('base64')}`
    const fields = { grant_type: 'client_credentials', client_assertion_type: jwtBearer, client_assertion: assertion(judge.key, judge.id, smart.token_endpoint), scope: 'system/*.rs' }
    await refused(await post(smart.token_endpoint, fields, { authorization }), [400, 401], ['invalid_request', 'invalid_client'])
    await refused(await post(smart.token_endpoint, { ...fields, client_id: judge.id, client_secret: 'x' }), [400, 401], ['invalid_request', 'invalid_client'])
  })

  test('cannot be replaced by a name, a secret or nothing', async () => {
    const fields = { grant_type: 'client_credentials', scope: 'system/*.rs', client_id: judge.id }
    await refused(await post(smart.token_endpoint, fields), 401, 'invalid_client')
    await refused(await post(smart.token_endpoint, { ...fields, client_secret: 'x' }), 401, 'invalid_client')
  })
})

test('a client with a secret gets no system scope, unless the organization decides that it takes secrets', async () => {
  const app = await makeApp(demo, 'symmetric', { scope, ...backend })
  const ask = () => post(smart.token_endpoint, { grant_type: 'client_credentials', scope: 'system/*.rs', ...app.proof()[0] }, app.proof()[1])
  await takeSecrets(demo, false)
  const { error_description } = await refused(await ask(), 400, 'unauthorized_client')
  assert.match(error_description, /private_key_jwt/)
  await takeSecrets(demo, true)
  await checkedTokens(await ask())
})

describe('keys by URL', () => {
  /** A client whose key set is what `keys` says at the moment it is asked for. */
  async function hosted(answer) {
    const key = makeKey()
    const host = await serve(() => answer(key))
    const app = await makeApp(demo, 'asymmetric', { scope, ...backend, jwks_uri: `${host.origin}/jwks.json` })
    app.key = key
    return { app, host, key, url: `${host.origin}/jwks.json` }
  }
  const json = (value) => [200, { 'content-type': 'application/json' }, typeof value === 'string' ? value : JSON.stringify(value)]

  test('work, with or without jku, fetched by GET and kept', async () => {
    const { app, host, url } = await hosted((key) => json({ keys: [makeKey().jwk, key.jwk, { ...makeKey().jwk, use: 'enc' }] }))
    await checkedTokens(await request({ app }))
    await checkedTokens(await request({ app, header: { jku: url } }))
    assert.ok(host.seen.every(({ method }) => method === 'GET'))
    assert.equal(host.seen.length, 1, 'the second time they were still there')
    await refused(await request({ app, header: { jku: `${url}?x` } }), [400, 401], 'invalid_client')
    assert.equal(host.seen.length, 1, 'an unregistered jku is not fetched')
    host.stop()
  })

  test('are not kept against no-store', async () => {
    const { app, host } = await hosted((key) => [200, { 'content-type': 'application/json', 'cache-control': 'no-store' }, JSON.stringify({ keys: [key.jwk] })])
    for (let times = 0; times < 2; times += 1) await checkedTokens(await request({ app }))
    assert.equal(host.seen.length, 2)
    host.stop()
  })

  for (const [what, answer] of [
    ['not found', () => [404, {}, '']],
    ['not JSON', () => json('not json')],
    ['not an object', () => json('[]')],
    ['no keys member', () => json({})],
    ['keys is no array', () => json({ keys: {} })],
    ['empty', () => json({ keys: [] })],
    ['no key of that kid', () => json({ keys: [makeKey().jwk] })],
    ['no key of that algorithm', (key) => json({ keys: [{ ...makeKey('RS384').jwk, kid: key.kid }] })],
    ['two keys of that kid', (key) => json({ keys: [key.jwk, { ...makeKey().jwk, kid: key.kid }] })],
    ['a key that is none', (key) => json({ keys: [{ kty: 'EC', crv: 'P-384', kid: key.kid, x: 'AA', y: 'AA' }] })],
    ['a redirect', () => [302, { location: 'http://127.0.0.1:1/jwks' }, '']],
    ['an error', () => [500, {}, '']],
    ['endless', () => json(JSON.stringify({ keys: [], padding: 'x'.repeat(3_000_000) }))],
  ]) {
    test(`are refused: ${what}`, async () => {
      const { app, host } = await hosted(answer)
      await refused(await request({ app }), [400, 401], 'invalid_client')
      host.stop()
    })
  }
})

test('disabling the client ends it at once', async () => {
  const app = await makeApp(demo, 'asymmetric', { scope, ...backend })
  const { body } = await checkedTokens(await request({ app }))
  await disable(demo, app.id)
  assert.equal((await app.read('Patient', body.access_token)).status, 401)
  await refused(await request({ app }), [400, 401], 'invalid_client')
})

for (const path of ['$export', 'Patient/$export', 'Group/1/$export']) {
  test(`${path} wants a token`, async () => {
    for (const token of [undefined, 'invalidToken']) {
      const response = await judge.read(path, token, { prefer: 'respond-async' })
      assert.equal(response.status, 401)
      assert.equal((await response.json()).resourceType, 'OperationOutcome')
    }
  })
}

test('a signature is by the key, not by what the header says of it', async () => {
  // the public key as an HMAC secret: the oldest trick
  const { createHmac } = await import('node:crypto')
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part({ alg: 'HS384', kid: judge.key.kid, typ: 'JWT' })}.${part({ iss: judge.id, sub: judge.id, aud: smart.token_endpoint, exp: seconds() + 200, jti: randomUUID() })}`
  const forged = `${input}.${createHmac('sha384', JSON.stringify(judge.key.jwk)).update(input).digest('base64url')}`
  await refused(await request({ fields: { client_assertion: forged } }), [400, 401], 'invalid_client')
  const nested = signed(judge.key, { alg: 'ES384', kid: judge.key.kid, typ: 'JWT', cty: 'JWT' }, '"just text"')
  await refused(await request({ fields: { client_assertion: nested } }), [400, 401], 'invalid_client')
})

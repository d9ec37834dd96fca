// What the judges share: apps of every kind of client authentication, launched and redeemed with requests as bare as the public suites send them.

import assert from 'node:assert/strict'
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, randomUUID, sign, verify } from 'node:crypto'
import http from 'node:http'

import { approvedClient } from './api.mjs'
import { Person } from './person.mjs'

export const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const redirectUri = 'https://judge.interop.example/redirect'

/** A key pair for assertions: `jwk` is the public half as registered. */
export function makeKey(alg = 'ES384', kid = randomUUID()) {
  const rsa = alg.startsWith('RS') || alg.startsWith('PS')
  const { privateKey, publicKey } = rsa
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: alg === 'ES256' ? 'P-256' : 'P-384' })
  return { alg, kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig', key_ops: ['verify'] } }
}

/** A JWS in compact form. */
export function signed(key, header, claims) {
  const part = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  const input = `${part(header)}.${part(claims)}`
  const signature = sign(`sha${key.alg.slice(2)}`, Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** A client assertion as SMART has it, neither `iat` nor `nbf` in it; `claims` and `header` spoil it (undefined takes a member away). */
export function assertion(key, clientId, audience, { header = {}, claims = {} } = {}) {
  const exp = Math.floor(Date.now() / 1000) + 300
  return signed(
    key,
    { alg: key.alg, kid: key.kid, typ: 'JWT', ...header },
    { iss: clientId, sub: clientId, aud: audience, exp, jti: randomBytes(32).toString('hex'), ...claims },
  )
}

/** A form to an endpoint; undefined values are left out. */
export function post(url, fields, headers = {}) {
  const body = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== undefined))
  return fetch(url, { method: 'POST', body, headers, redirect: 'manual' })
}

/** What is discovered at a FHIR base. */
export async function configurationOf(base) {
  const response = await fetch(`${base.replace(/\/$/, '')}/.well-known/smart-configuration`, { headers: { accept: 'application/json' } })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type'), /^application\/json/)
  return response.json()
}

/** One of the suites' apps: `kind` is public, symmetric or asymmetric; registered, asked for `scope` and approved. */
export async function makeApp(demo, kind, { scope, alg = 'ES384', ...metadata }) {
  const smart = await configurationOf(demo.fhir_base_url)
  const key = kind === 'asymmetric' ? makeKey(alg) : undefined
  const client = await approvedClient(demo, {
    name: `Judge ${kind} ${randomUUID().slice(0, 8)}`,
    scope,
    client_type: { public: 'public', symmetric: 'confidential_secret', asymmetric: 'confidential_keys' }[kind],
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [redirectUri],
    ...(key && !metadata.jwks_uri && { jwks: { keys: [key.jwk] } }),
    ...metadata,
  })
  return new App(demo, smart, kind, client, key)
}

class App {
  constructor(demo, smart, kind, client, key) {
    Object.assign(this, { demo, smart, kind, client, key, id: client.client_id })
  }

  /** Proof of who asks, in a request to `smart.token_endpoint`: fields and headers. */
  proof() {
    if (this.kind === 'public') return [{ client_id: this.id }, { origin: new URL(redirectUri).origin }]
    if (this.kind === 'symmetric') {
      // raw, not form-encoded
      return [{}, { authorization: `Basic ${Buffer.from(`${this.id}:${this.client.client_secret}`).toString('base64')}` }]
    }
    return [{ client_assertion_type: jwtBearer, client_assertion: assertion(this.key, this.id, this.smart.token_endpoint) }, {}]
  }

  /** Sends the browser to the authorization endpoint; `back` is the URL with which it comes back. */
  async launch({ scope, person = this.demo.user, method = 'GET', changes = {}, ...answers }) {
    const verifier = `${randomUUID()}-${randomUUID()}`
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const state = randomUUID()
    const fields = {
      response_type: 'code',
      client_id: this.id,
      redirect_uri: redirectUri,
      scope,
      state,
      aud: this.demo.fhir_base_url,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...changes,
    }
    const query = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== undefined))
    const url = new URL(this.smart.authorization_endpoint)
    if (method === 'GET') url.search = query
    const browser = answers.browser ?? new Person()
    const back = await browser.authorize(url, { redirectUri, ...person, ...answers, form: method === 'POST' ? query : undefined })
    const parameters = Object.fromEntries(back.searchParams)
    assert.equal(parameters.state, fields.state, back.href)
    return { back, verifier, challenge, browser, ...parameters }
  }

  /** The token request of the code flow. */
  redeem({ code, verifier }, { fields = {}, proof = this.proof() } = {}) {
    const [own, headers] = proof
    const body = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier, ...own, ...fields }
    return post(this.smart.token_endpoint, body, headers)
  }

  /** The token request that refreshes. */
  refresh(refreshToken, fields = {}) {
    const [own, headers] = this.proof()
    return post(this.smart.token_endpoint, { grant_type: 'refresh_token', refresh_token: refreshToken, ...own, ...fields }, headers)
  }

  /** Launch and redemption in one, checked. */
  async tokens(wish) {
    const launched = await this.launch(wish)
    assert.ok(launched.code, launched.back.href)
    const response = await this.redeem(launched)
    return { launched, response, ...(await checkedTokens(response)) }
  }

  /** Reads from the FHIR server. */
  read(path, token, headers = {}) {
    const base = this.demo.fhir_base_url.replace(/\/$/, '')
    return fetch(`${base}/${path}`, { headers: { ...(token && { authorization: `Bearer ${token}` }), accept: 'application/fhir+json', ...headers } })
  }

  /** What the FHIR server would be told of a token. */
  async introspect(token) {
    const { client_id, client_secret } = this.demo.resource_server
    const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
    const response = await post(this.smart.introspection_endpoint, { token }, { authorization })
    assert.equal(response.status, 200)
    return response.json()
  }
}

/** A token response as the suites accept it: status, headers, members and their types. */
export async function checkedTokens(response) {
  const text = await response.text()
  assert.equal(response.status, 200, text)
  assert.match(response.headers.get('content-type'), /^application\/json/)
  assert.match(response.headers.get('cache-control'), /no-store/)
  assert.match(response.headers.get('pragma'), /no-cache/)
  const body = JSON.parse(text)
  for (const member of ['access_token', 'token_type', 'scope']) assert.ok(typeof body[member] === 'string' && body[member], member)
  assert.equal(typeof body.expires_in, 'number')
  assert.match(body.token_type, /^bearer$/i)
  return { body, scopes: body.scope.split(' ') }
}

/** An OAuth error: status among `statuses`, error among `errors`, JSON, nothing cached. */
export async function refused(response, statuses, errors) {
  const text = await response.text()
  assert.ok([statuses].flat().includes(response.status), `${response.status} ${text}`)
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/, text)
  assert.match(response.headers.get('cache-control') ?? '', /no-store/)
  const body = JSON.parse(text)
  assert.ok([errors].flat().includes(body.error), text)
  assert.equal(body.access_token, undefined)
  return body
}

/** Header and claims of a JWT whose RS256 signature the issuer's published key verifies. */
export async function verifiedIdToken(idToken, issuer) {
  const [header, claims, signature] = idToken.split('.')
  const read = (part) => JSON.parse(Buffer.from(part, 'base64url'))
  const discovery = await fetch(`${read(claims).iss}/.well-known/openid-configuration`)
  assert.equal(discovery.status, 200)
  const metadata = await discovery.json()
  assert.equal(metadata.issuer, issuer)
  const { keys } = await (await fetch(metadata.jwks_uri)).json()
  assert.ok(keys.every((key) => ['d', 'p', 'q', 'k'].every((member) => !(member in key))), 'a private member is published')
  const key = keys.find((each) => each.kid === read(header).kid && each.kty === 'RSA')
  assert.equal(read(header).alg, 'RS256')
  assert.ok(key, 'the kid leads to an RSA key')
  const publicKey = createPublicKey({ key, format: 'jwk' })
  assert.ok(verify('sha256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url')))
  return { header: read(header), claims: read(claims), metadata }
}

/** A web server of a client: `answer(request)` returns `[status, headers, body]`; `seen` is what was asked. */
export async function serve(answer) {
  const seen = []
  const server = http.createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text) => (body += text))
    request.on('end', () => {
      seen.push({ method: request.method, url: request.url, body })
      const [status, headers, text] = answer(request)
      response.writeHead(status, headers).end(text)
    })
  })
  server.listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    seen,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

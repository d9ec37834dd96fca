// What the public suites for SMART App Launch (STU1, STU2, STU2.2) and for (g)(10) certification ask of an authorization server, test by test, with the requests
// they send: assertions without `iat`, no `client_id` beside other proof, raw Basic, an Origin on the token request of a public app.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import { startDemo } from '../support/demo.mjs'
import { assertion, checkedTokens, configurationOf, jwtBearer, makeApp, post, redirectUri, refused, verifiedIdToken } from '../support/judge.mjs'
import { Person } from '../support/person.mjs'

// the types of US Core 7, and the scopes (g)(10) asks for them
const types = ('Medication AllergyIntolerance CarePlan CareTeam Condition Coverage Device DiagnosticReport DocumentReference Encounter Goal Immunization ' +
  'Location MedicationDispense MedicationRequest Observation Organization Patient Practitioner PractitionerRole Procedure Provenance QuestionnaireResponse ' +
  'RelatedPerson ServiceRequest Specimen').split(' ')
const all = (level, permissions) => types.map((type) => `${level}/${type}.${permissions}`).join(' ')
const standalone = `launch/patient openid fhirUser offline_access ${all('patient', 'rs')}`
const standaloneV1 = `launch/patient openid fhirUser offline_access ${all('patient', 'read')}`
const ehr = `launch openid fhirUser offline_access ${all('user', 'rs')}`
const everything = `launch ${standalone} ${all('patient', 'read')} ${all('user', 'rs')}`
const kinds = [['public'], ['symmetric'], ['asymmetric', 'ES384'], ['asymmetric', 'RS384']]

let demo
let smart
const apps = new Map()

before(async () => {
  demo = await startDemo()
  smart = await configurationOf(demo.fhir_base_url)
})
after(() => demo?.stop())

async function app(kind, alg) {
  const name = `${kind} ${alg}`
  if (!apps.has(name)) apps.set(name, await makeApp(demo, kind, { scope: everything, alg }))
  return apps.get(name)
}

describe('discovery', () => {
  test('the configuration has what every group wants', () => {
    for (const name of ['authorization_endpoint', 'token_endpoint', 'introspection_endpoint', 'management_endpoint', 'revocation_endpoint', 'jwks_uri', 'issuer']) {
      assert.ok(URL.canParse(smart[name]), name)
    }
    assert.ok(smart.grant_types_supported.includes('authorization_code') && smart.grant_types_supported.includes('client_credentials'))
    assert.deepEqual(smart.code_challenge_methods_supported, ['S256'])
    for (const capability of [
      'launch-standalone', 'launch-ehr', 'client-public', 'client-confidential-symmetric', 'client-confidential-asymmetric', 'sso-openid-connect',
      'context-standalone-patient', 'context-banner', 'context-style', 'context-ehr-patient', 'context-ehr-encounter', 'permission-offline',
      'permission-patient', 'permission-user', 'authorize-post', 'permission-v2', 'permission-v1',
    ]) {
      assert.ok(smart.capabilities.includes(capability), capability)
    }
    assert.ok(smart.capabilities.every((each) => typeof each === 'string'))
    for (const name of ['scopes_supported', 'token_endpoint_auth_methods_supported', 'token_endpoint_auth_signing_alg_values_supported']) {
      assert.ok(smart[name].length > 0, name)
    }
  })

  test('the conformance statement names the same six addresses', async () => {
    const statement = await (await fetch(`${demo.fhir_base_url.replace(/\/$/, '')}/metadata`)).json()
    const { service, extension } = statement.rest[0].security
    assert.ok(service.some(({ coding }) => coding.some(({ code }) => code === 'SMART-on-FHIR')))
    const uris = extension.find(({ url }) => url.endsWith('/oauth-uris')).extension
    const named = Object.fromEntries(uris.map(({ url, valueUri }) => [url, valueUri]))
    assert.deepEqual(named, {
      authorize: smart.authorization_endpoint,
      token: smart.token_endpoint,
      introspect: smart.introspection_endpoint,
      manage: smart.management_endpoint,
      register: smart.registration_endpoint,
      revoke: smart.revocation_endpoint,
    })
  })

  test('configuration, conformance statement and keys are readable from any origin', async () => {
    const base = demo.fhir_base_url.replace(/\/$/, '')
    for (const url of [`${base}/.well-known/smart-configuration`, `${base}/metadata`, smart.jwks_uri, `${demo.issuer}/.well-known/openid-configuration`]) {
      const response = await fetch(url, { headers: { origin: 'https://inferno.example' } })
      assert.equal(response.status, 200, url)
      assert.equal(response.headers.get('access-control-allow-origin'), '*', url)
    }
  })

  test('the OpenID configuration has the required fields and RS256', async () => {
    const metadata = await (await fetch(`${demo.issuer}/.well-known/openid-configuration`)).json()
    for (const name of [
      'issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri', 'response_types_supported', 'subject_types_supported', 'id_token_signing_alg_values_supported',
    ]) {
      assert.ok(metadata[name], name)
    }
    assert.ok(metadata.id_token_signing_alg_values_supported.includes('RS256'))
  })

  test('a bare GET on the authorization and the token endpoint is answered', async () => {
    for (const url of [smart.authorization_endpoint, smart.token_endpoint]) {
      const { status } = await fetch(url, { redirect: 'manual' })
      assert.ok(status >= 400 && status < 500, `${url}: ${status}`)
    }
  })
})

for (const [kind, alg] of kinds) {
  test(`standalone launch, ${kind} ${alg ?? ''}`, async () => {
    const judge = await app(kind, alg)
    const { response, body, scopes } = await judge.tokens({ scope: standalone })
    assert.deepEqual(new Set(scopes), new Set(standalone.split(' ')))
    if (kind === 'public') assert.ok(['*', new URL(redirectUri).origin].includes(response.headers.get('access-control-allow-origin')))

    // OpenID Connect
    const { claims } = await verifiedIdToken(body.id_token, demo.issuer)
    assert.equal(claims.aud, judge.id)
    assert.ok(claims.sub.length > 0 && claims.sub.length <= 255)
    assert.ok(claims.exp > Date.now() / 1000 && claims.iat <= Date.now() / 1000 + 1)
    const [type, id] = claims.fhirUser.split('/').slice(-2)
    assert.ok(['Patient', 'Practitioner', 'RelatedPerson', 'Person'].includes(type))
    const user = await judge.read(`${type}/${id}`, body.access_token, { origin: 'https://inferno.example' })
    assert.equal(user.status, 200)
    assert.equal((await user.json()).resourceType, type)
    assert.ok(user.headers.get('access-control-allow-origin'))

    // patient context
    assert.equal(body.patient, demo.user.patient)
    assert.equal((await judge.read(`Patient/${body.patient}`, body.access_token)).status, 200)
    assert.equal((await judge.read(`Patient/${body.patient}`)).status, 401)

    // refresh without and with scope
    let refreshToken = body.refresh_token
    for (const scope of [undefined, body.scope]) {
      const again = await checkedTokens(await judge.refresh(refreshToken, { scope }))
      assert.deepEqual(new Set(again.scopes), new Set(scopes))
      assert.equal((await judge.read(`Patient/${body.patient}`, again.body.access_token)).status, 200)
      refreshToken = again.body.refresh_token ?? refreshToken
    }
    await refused(await judge.refresh(randomUUID()), [400, 401], ['invalid_grant', 'invalid_client'])
  })

  test(`introspection of what was issued, ${kind} ${alg ?? ''}`, async () => {
    const judge = await app(kind, alg)
    const { body } = await judge.tokens({ scope: standalone })
    const { claims } = await verifiedIdToken(body.id_token, demo.issuer)
    const seen = await judge.introspect(body.access_token)
    assert.equal(seen.active, true)
    assert.equal(seen.client_id, judge.id)
    assert.deepEqual(seen.scope.split(' ').sort(), body.scope.split(' ').sort())
    assert.ok(Number.isInteger(seen.exp) && Math.abs(seen.exp - Date.now() / 1000 - body.expires_in) < 30)
    assert.equal(seen.patient, body.patient)
    assert.equal(seen.iss, claims.iss)
    assert.equal(seen.sub, claims.sub)
    assert.equal(seen.fhirUser, claims.fhirUser)
    assert.deepEqual(await judge.introspect('invalid_token_value'), { active: false })
  })
}

describe('EHR launch', () => {
  /** The EHR opens the app for Anna's last visit; answers with the launch parameter the app is given. */
  async function opened(judge) {
    const { client_id, client_secret } = demo.resource_server
    const response = await fetch(`${demo.issuer}/launch`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        client_id: judge.id,
        iss: demo.fhir_base_url,
        user: demo.clinician.email,
        context: { patient: demo.user.patient, encounter: 'anna-visit-2026-09-14', need_patient_banner: false, intent: 'summary' },
      }),
    })
    const made = await response.json()
    assert.equal(response.status, 201, JSON.stringify(made))
    assert.equal(made.iss, demo.fhir_base_url)
    return made.launch
  }

  for (const [what, scope] of [['user', ehr], ['patient', 'launch openid fhirUser offline_access patient/Patient.rs patient/Encounter.rs']]) {
    for (const method of ['GET', 'POST']) {
      test(`with ${what} scopes, authorized by ${method}`, async () => {
        const judge = await app('symmetric')
        const launch = await opened(judge)
        const { body, scopes } = await judge.tokens({ scope, method, person: demo.clinician, changes: { launch } })
        assert.deepEqual(new Set(scopes), new Set(scope.split(' ')))
        assert.equal(body.patient, demo.user.patient)
        assert.equal((await judge.read(`Patient/${body.patient}`, body.access_token)).status, 200)
        assert.equal(body.encounter, 'anna-visit-2026-09-14')
        assert.equal((await judge.read(`Encounter/${body.encounter}`, body.access_token)).status, 200)
        assert.equal(body.need_patient_banner, false)
        assert.equal(body.intent, 'summary')
        const style = await fetch(body.smart_style_url)
        assert.equal(style.status, 200)
        assert.equal(typeof (await style.json()).color_background, 'string')
        const { claims } = await verifiedIdToken(body.id_token, demo.issuer)
        assert.match(claims.fhirUser, /\/Practitioner\/[^/]+$/)
        const user = await judge.read(claims.fhirUser.split('/').slice(-2).join('/'), body.access_token)
        assert.equal(user.status, 200)
        const seen = await judge.introspect(body.access_token)
        for (const member of ['patient', 'encounter', 'need_patient_banner', 'smart_style_url', 'intent']) assert.deepEqual(seen[member], body[member], member)
      })
    }
  }

  test('a launch that was not made, or was used, gets no code', async () => {
    const judge = await app('symmetric')
    const used = await opened(judge)
    await judge.tokens({ scope: ehr, person: demo.clinician, changes: { launch: used } })
    for (const launch of [used, 'invalid_launch', randomUUID()]) {
      const { code, error } = await judge.launch({ scope: ehr, person: demo.clinician, changes: { launch } })
      assert.equal(code, undefined)
      assert.equal(error, 'invalid_request', launch)
    }
  })
})

describe('scopes', () => {
  test('a version 1 app gets what it asked for', async () => {
    const judge = await app('symmetric')
    const { body, scopes } = await judge.tokens({ scope: standaloneV1 })
    assert.deepEqual(new Set(scopes), new Set(standaloneV1.split(' ')))
    for (const type of ['Patient', 'Observation', 'Condition', 'MedicationRequest']) {
      const path = type === 'Patient' ? `Patient?_id=${body.patient}` : `${type}?patient=${body.patient}`
      assert.equal((await judge.read(path, body.access_token)).status, 200, type)
    }
  })

  test('every type asked for can be searched', async () => {
    const judge = await app('public')
    const { body } = await judge.tokens({ scope: standalone })
    for (const type of [
      'AllergyIntolerance', 'CarePlan', 'CareTeam', 'Condition', 'Coverage', 'Device', 'DiagnosticReport', 'DocumentReference', 'Encounter', 'Goal', 'Immunization',
      'MedicationDispense', 'MedicationRequest', 'Observation', 'Procedure', 'ServiceRequest', 'Specimen',
    ]) {
      assert.equal((await judge.read(`${type}?patient=${body.patient}`, body.access_token)).status, 200, type)
    }
  })

  test('what the person unticks is neither granted nor readable', async () => {
    const judge = await app('symmetric')
    const allowed = ['Patient', 'Condition', 'Observation']
    const choose = (offered) => offered.filter((scope) => allowed.some((type) => scope === `patient/${type}.rs`))
    const { body, scopes } = await judge.tokens({ scope: standalone, scopes: choose })
    const granted = scopes.filter((scope) => scope.startsWith('patient/')).map((scope) => scope.slice(8, -3))
    assert.deepEqual(granted.sort(), allowed.toSorted())
    for (const type of ['AllergyIntolerance', 'CarePlan', 'Coverage', 'Encounter', 'Immunization', 'MedicationRequest', 'Procedure', 'ServiceRequest']) {
      const { status } = await judge.read(`${type}?patient=${body.patient}`, body.access_token)
      assert.ok(status === 401 || status === 403, `${type}: ${status}`)
    }
    assert.equal((await judge.read(`Condition?patient=${body.patient}`, body.access_token)).status, 200)
  })

  test('the person may choose categories of Condition and Observation although the app asked for the whole', async () => {
    const judge = await app('symmetric')
    const scope = 'launch/patient openid fhirUser offline_access patient/Condition.rs patient/Observation.rs patient/Patient.rs'
    const choose = (offered) => offered.filter((each) => each.startsWith('patient/Patient.') || /(problem-list-item|vital-signs)$/.test(each))
    const { body, scopes } = await judge.tokens({ scope, scopes: choose })
    assert.ok(scopes.includes('patient/Patient.rs'))
    for (const type of ['Condition', 'Observation']) {
      assert.ok(!scopes.includes(`patient/${type}.rs`), body.scope)
      assert.ok(scopes.some((each) => each.startsWith(`patient/${type}.rs?category=`)), body.scope)
    }
    const found = await (await judge.read(`Observation?patient=${body.patient}`, body.access_token)).json()
    const codes = (found.entry ?? []).map(({ resource }) => (resource.category ?? []).flatMap(({ coding }) => coding.map(({ code }) => code)))
    assert.ok(codes.length > 0 && codes.every((each) => each.includes('vital-signs')), JSON.stringify(codes))
  })

  const conditions = 'http://terminology.hl7.org/CodeSystem/condition-category'
  const observations = 'http://terminology.hl7.org/CodeSystem/observation-category'
  for (const [group, granular] of [
    ['first', [`Condition.rs?category=${conditions}|encounter-diagnosis`, 'Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern',
      `Observation.rs?category=${observations}|laboratory`, `Observation.rs?category=${observations}|social-history`]],
    ['second', [`Condition.rs?category=${conditions}|problem-list-item`, `Observation.rs?category=${observations}|vital-signs`,
      `Observation.rs?category=${observations}|survey`, 'Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh']],
  ]) {
    test(`granular scopes, ${group} group: echoed, and nothing else is read`, async () => {
      const wide = await (await app('symmetric')).tokens({ scope: standalone })
      const scope = `launch/patient openid fhirUser patient/Patient.rs ${granular.map((each) => `patient/${each}`).join(' ')}`
      const judge = await makeApp(demo, 'public', { scope })
      const { body, scopes } = await judge.tokens({ scope })
      assert.deepEqual(new Set(scopes), new Set(scope.split(' ')))
      for (const type of ['Condition', 'Observation']) {
        const wanted = granular.filter((each) => each.startsWith(type)).map((each) => each.split('|')[1])
        const fits = (resource) => resource.category.some(({ coding }) => coding.some(({ code }) => wanted.includes(code)))
        const whole = await (await judge.read(`${type}?patient=${body.patient}&_count=500`, wide.body.access_token)).json()
        const seen = await (await judge.read(`${type}?patient=${body.patient}&_count=500`, body.access_token)).json()
        const ids = (bundle) => (bundle.entry ?? []).map(({ resource }) => resource.id).sort()
        const should = { entry: whole.entry.filter(({ resource }) => fits(resource)) }
        assert.deepEqual(ids(seen), ids(should), type)
        const hidden = whole.entry.find(({ resource }) => !fits(resource))
        if (hidden) assert.ok([401, 403, 404].includes((await judge.read(`${type}/${hidden.resource.id}`, body.access_token)).status))
        if (should.entry.length > 0) assert.equal((await judge.read(`${type}/${should.entry[0].resource.id}`, body.access_token)).status, 200)
      }
    })
  }
})

describe('refusals', () => {
  test('a foreign aud gets no code', async () => {
    const judge = await app('symmetric')
    for (const aud of ['https://inferno.healthit.gov/invalid_aud', `${demo.fhir_base_url}x`, undefined]) {
      const { code, error } = await judge.launch({ scope: standalone, changes: { aud } })
      assert.equal(code, undefined)
      assert.equal(error, 'invalid_request')
    }
  })

  test('a bad code is 400, a bad client 400 or 401', async () => {
    for (const kind of ['public', 'symmetric']) {
      const judge = await app(kind)
      const launched = await judge.launch({ scope: standalone })
      await refused(await judge.redeem({ ...launched, code: 'BAD_CODE' }), 400, 'invalid_grant')
      const bad = Buffer.from(`BAD_CLIENT_ID:${judge.client.client_secret}`).toString('base64')
      const proof = kind === 'public' ? [{ client_id: 'BAD_CLIENT_ID' }, {}] : [{}, { authorization: `Basic ${bad}` }]
      await refused(await judge.redeem(launched, { proof }), [400, 401], 'invalid_client')
    }
  })

  for (const [what, spoil] of [
    ['absent', () => undefined],
    ['empty', () => ''],
    ['another', () => `${randomUUID()}-${randomUUID()}`],
    ['the challenge', ({ challenge }) => challenge],
  ]) {
    test(`a code verifier that is ${what}`, async () => {
      for (const kind of ['public', 'symmetric']) {
        const judge = await app(kind)
        const launched = await judge.launch({ scope: standalone })
        const response = await judge.redeem(launched, { fields: { code_verifier: spoil(launched) } })
        await refused(response, [400, 401], ['invalid_grant', 'invalid_request'])
      }
    })
  }

  test('after the person stops the app, nothing reads and nothing refreshes', async () => {
    const judge = await makeApp(demo, 'symmetric', { scope: standalone })
    const { body, launched } = await judge.tokens({ scope: standalone })
    const apps = await launched.browser.visit(smart.management_endpoint)
    const ask = await launched.browser.visit(new URL(`${new URL(smart.management_endpoint).pathname}/${judge.id}/stop`, demo.base_url))
    assert.ok(apps.text().includes('Judge symmetric'))
    await launched.browser.submit(ask, ask.form('grant'), {})
    assert.ok([401, 403, 404].includes((await judge.read(`Patient/${body.patient}`, body.access_token)).status))
    await refused(await judge.refresh(body.refresh_token), [400, 401], 'invalid_grant')
  })

  test('after the app revokes its refresh token, nothing reads and nothing refreshes', async () => {
    for (const [kind, alg] of kinds) {
      const judge = await app(kind, alg)
      const { body } = await judge.tokens({ scope: standalone })
      const [fields, headers] = judge.kind === 'asymmetric'
        ? [{ client_assertion_type: jwtBearer, client_assertion: assertion(judge.key, judge.id, demo.issuer) }, {}]
        : judge.proof()
      assert.equal((await post(smart.revocation_endpoint, { token: body.refresh_token, ...fields }, headers)).status, 200)
      assert.equal((await judge.read(`Patient/${body.patient}`, body.access_token)).status, 401)
      await refused(await judge.refresh(body.refresh_token), [400, 401], 'invalid_grant')
    }
  })

  test('denying comes back as access_denied', async () => {
    const { code, error } = await (await app('public')).launch({ scope: standalone, decision: 'deny', browser: new Person() })
    assert.equal(code, undefined)
    assert.equal(error, 'access_denied')
  })

  test('a person may refuse offline access', async () => {
    const { body, scopes } = await (await app('public')).tokens({ scope: standalone, offline: false })
    assert.equal(body.refresh_token, undefined)
    assert.ok(!scopes.includes('offline_access'))
  })
})

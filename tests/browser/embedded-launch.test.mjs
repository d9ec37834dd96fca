// An EHR on a site of its own shows the app, and with it our sign-in and consent, in a frame, over https, as browsers of today allow it.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import { after, before, test } from 'node:test'

import { startBehindTls } from '../support/behind-tls.mjs'
import { openChromium, openPage } from '../support/browser.mjs'

const doctor = { email: 'doctor@st-mary.example', password: 'a sentence is easier to remember' }
const resourceServer = { id: 'rs_fhir', secret: randomBytes(24).toString('hex') }
const scope = 'launch openid fhirUser patient/Patient.rs'
const verifier = randomBytes(32).toString('base64url')
const challenge = createHash('sha256').update(verifier).digest('base64url')
let browser
let fhir
let fhirBase
let world

/** The app begins the authorization in the frame it was opened in, and says there when it is back. */
function app(url, origin) {
  if (url.pathname === '/back') return '<!doctype html><title>Back</title><h1 id="back">Back in the app</h1>'
  const authorize = `${origin('auth.test')}/o/st-mary/authorize?${new URLSearchParams({
    response_type: 'code',
    client_id: 'bedside-chart',
    redirect_uri: `${origin('app.test')}/back`,
    scope,
    state: 'a-state-of-the-app',
    aud: url.searchParams.get('iss'),
    launch: url.searchParams.get('launch'),
    code_challenge: challenge,
    code_challenge_method: 'S256',
  })}`
  return `<!doctype html><title>App</title><script>location.href = ${JSON.stringify(authorize)}</script>`
}

const ehr = (url) =>
  `<!doctype html><title>EHR</title><iframe id="app" width="900" height="700" src="${url.searchParams.get('open')?.replaceAll('"', '&quot;')}"></iframe>`

before(async () => {
  fhir = http.createServer((request, response) => {
    const patient = { resourceType: 'Patient', id: 'anna', name: [{ text: 'Anna de Vries' }], birthDate: '1984-03-12' }
    response.writeHead(200, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(patient))
  })
  await new Promise((ready) => fhir.listen(0, '127.0.0.1', ready))
  fhirBase = `http://127.0.0.1:${fhir.address().port}/fhir`
  world = await startBehindTls({
    sites: { 'app.test': app, 'ehr.test': ehr, 'clinic.test': ehr, 'elsewhere.test': ehr },
    declaration: ({ origin }) => ({
      organizations: [
        {
          slug: 'st-mary',
          name: 'St. Mary Hospital',
          settings: { frame_ancestors: [origin('ehr.test'), origin('clinic.test'), origin('app.test')] },
          fhir_endpoints: [{ slug: 'r4', name: 'Patient records', base_url: fhirBase, release: 'r4' }],
          resource_servers: [{ id: resourceServer.id, name: 'FHIR server', secret: resourceServer.secret }],
        },
      ],
      application_providers: [{ name: 'Acme Health' }],
      accounts: [
        { email: 'staff@st-mary.example', name: 'Noor Visser', staff: [{ organization: 'st-mary', role: 'admin' }] },
        { email: 'dev@acme.example', name: 'Ada Lindqvist', developer: [{ application_provider: 'Acme Health', role: 'admin' }] },
        { ...doctor, name: 'Dr. Ruth Bakker', user: [{ organization: 'st-mary', fhir_user: 'Practitioner/ruth' }] },
      ],
      clients: [
        {
          client_id: 'bedside-chart',
          application_provider: 'Acme Health',
          metadata: {
            name: 'Bedside Chart',
            contacts: ['dev@acme.example'],
            client_type: 'public',
            redirect_uris: [`${origin('app.test')}/back`],
            launch_uri: `${origin('app.test')}/launch`,
            grant_types: ['authorization_code'],
          },
        },
      ],
      access_requests: [{ client_id: 'bedside-chart', organization: 'st-mary', fhir_endpoint: 'r4', scopes: scope, reason: 'Doctors read the chart at the bedside.' }],
      approvals: [{ client_id: 'bedside-chart', organization: 'st-mary', approved_by: 'staff@st-mary.example' }],
    }),
  })
  browser = await openChromium(['--host-resolver-rules=MAP *.test 127.0.0.1'])
})
after(async () => {
  await browser?.close()
  await world?.stop()
  fhir?.close()
})

/** What the EHR opens when the doctor presses the button. */
async function launchUrl() {
  const response = await fetch(`${world.inside}/o/st-mary/launch`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${resourceServer.id}:${resourceServer.secret}`)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ client_id: 'bedside-chart', iss: fhirBase, user: doctor.email, context: { patient: 'anna' } }),
  })
  const made = await response.json()
  assert.equal(response.status, 201, JSON.stringify(made))
  return made.launch_url
}

async function open(page, site) {
  await page.goto(`${world.origin(site)}/?${new URLSearchParams({ open: await launchUrl() })}`)
  return page.frameLocator('#app')
}

async function signInTo(frame) {
  await frame.locator('input[name=email]').fill(doctor.email)
  await frame.locator('input[name=password]').fill(doctor.password)
  await frame.locator('form:has(input[name=password])').getByRole('button').last().click()
}

test('sign-in and consent work in the frame of an EHR on another site, and the code is good', async () => {
  const page = await openPage(browser, { ignoreHTTPSErrors: true })
  const frame = await open(page, 'ehr.test')
  await signInTo(frame)
  await frame.getByText('Anna de Vries').first().waitFor()
  const back = page.waitForRequest((request) => new URL(request.url()).pathname === '/back')
  await frame.locator('[name=decision][value=allow]').click()
  const answer = new URL((await back).url()).searchParams
  await frame.locator('#back').waitFor()
  assert.equal(answer.get('state'), 'a-state-of-the-app')
  assert.equal(answer.get('iss'), `${world.origin('auth.test')}/o/st-mary`)
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code: answer.get('code'),
    redirect_uri: `${world.origin('app.test')}/back`,
    client_id: 'bedside-chart',
    code_verifier: verifier,
  })
  const tokens = await (await fetch(`${world.inside}/o/st-mary/token`, { method: 'POST', body })).json()
  assert.equal(tokens.patient, 'anna', JSON.stringify(tokens))

  // every cookie of ours is kept for this EHR alone
  const kept = (await page.context().cookies()).filter((cookie) => cookie.domain === 'auth.test')
  assert.ok(kept.some((cookie) => cookie.name === '__Host-cs_session'), JSON.stringify(kept))
  for (const cookie of kept) {
    assert.ok(cookie.secure && cookie.httpOnly && cookie.sameSite === 'None' && cookie.partitionKey, JSON.stringify(cookie))
  }
  // so that the same EHR asks no second time, and no other site and no visit of one's own finds the doctor signed in
  const again = await open(page, 'ehr.test')
  await again.locator('#back, [name=decision][value=allow]').first().waitFor()
  assert.equal(await again.locator('input[name=password]').count(), 0)
  const other = await open(page, 'clinic.test')
  await other.locator('input[name=password]').waitFor()
  await page.goto(`${world.origin('auth.test')}/o/st-mary/apps`)
  await page.locator('input[name=password]').waitFor()
  await page.context().close()
})

test('a site that the organization did not name gets nothing to show', async () => {
  const page = await openPage(browser, { ignoreHTTPSErrors: true })
  const refused = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'))
  await open(page, 'elsewhere.test')
  await refused
  assert.equal(await page.frameLocator('#app').locator('input[name=password]').count(), 0)
  await page.context().close()
})

test('who is signed in at our own site is not signed in inside a frame', async () => {
  const page = await openPage(browser, { ignoreHTTPSErrors: true })
  await page.goto(`${world.origin('auth.test')}/o/st-mary/apps`)
  await page.locator('input[name=password]').waitFor()
  await signInTo(page)
  await page.waitForURL((url) => !url.pathname.endsWith('/sign-in'))
  const frame = await open(page, 'ehr.test')
  await frame.locator('input[name=password]').waitFor()
  await page.context().close()
})

// fhirclient, unmodified, in Chromium, opened by an EHR in the middle of a visit.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { approvedClient } from '../support/api.mjs'
import { openChromium, openPage, signIn } from '../support/browser.mjs'
import { startDemo } from '../support/demo.mjs'
import { serveSmartApp } from '../support/smart-app.mjs'

const scope = 'launch openid fhirUser patient/Patient.rs patient/Encounter.rs patient/Observation.rs'
const visit = 'anna-visit-2026-09-14'
let app
let browser
let client
let demo

before(async () => {
  demo = await startDemo()
  app = await serveSmartApp()
  browser = await openChromium()
  client = await approvedClient(demo, {
    name: 'Bedside Chart',
    scope,
    client_type: 'public',
    grant_types: ['authorization_code'],
    redirect_uris: [app.redirectUri],
    launch_uri: `${app.origin}/launch`,
  })
})
after(async () => {
  await browser?.close()
  app?.stop()
  await demo?.stop()
})

/** What the EHR asks for when the doctor presses the button; answers with the address it opens. */
async function opened() {
  const { client_id, client_secret } = demo.resource_server
  const response = await fetch(`${demo.issuer}/launch`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      client_id: client.client_id,
      iss: demo.fhir_base_url,
      user: demo.clinician.email,
      context: { patient: demo.user.patient, encounter: visit, need_patient_banner: false },
    }),
  })
  const made = await response.json()
  assert.equal(response.status, 201, JSON.stringify(made))
  return made.launch_url
}

/** fhirclient reads `iss` and `launch` from the address by itself; id and scope are the app's own. */
function withSettings(launchUrl) {
  return `${launchUrl}#${new URLSearchParams({ clientId: client.client_id, scope })}`
}

test('an app opened by the EHR has the patient and the visit, and nobody picks', async () => {
  const page = await openPage(browser)
  await page.goto(withSettings(await opened()))
  await page.locator('input[name=password]').waitFor()
  await signIn(page, demo.clinician)
  const allow = page.locator('[name=decision][value=allow]')
  const back = (url) => url.origin === app.origin && url.pathname === '/app'
  await Promise.race([allow.waitFor(), page.waitForURL(back)])
  assert.equal(await page.locator('button[name=patient]').count(), 0)
  if (!back(new URL(page.url()))) await Promise.all([page.waitForURL(back), allow.click()])
  await page.waitForFunction(() => document.title !== 'Waiting')
  assert.equal(await page.title(), 'Ready', await page.locator('body').innerText())
  assert.equal(await page.evaluate(() => window.client.patient.id), demo.user.patient)
  assert.equal(await page.evaluate(() => window.client.encounter.id), visit)
  assert.equal(await page.evaluate(async () => (await window.client.encounter.read()).id), visit)
  assert.equal(await page.evaluate(() => window.client.state.tokenResponse.need_patient_banner), false)
  assert.match(await page.evaluate(() => window.client.user.fhirUser), /Practitioner\//)
  assert.equal(await page.evaluate(async () => (await window.client.user.read()).resourceType), 'Practitioner')
  await page.context().close()
})

test('a launch made for the doctor is of no use to the patient', async () => {
  const page = await openPage(browser)
  await page.goto(withSettings(await opened()))
  await page.locator('input[name=password]').waitFor()
  await signIn(page, demo.user)
  await page.getByRole('heading', { level: 1 }).waitFor()
  assert.equal(new URL(page.url()).origin, new URL(demo.base_url).origin)
  assert.equal(await page.locator('[name=decision][value=allow]').count(), 0)
  await page.context().close()
})

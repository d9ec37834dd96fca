// fhirclient, unmodified, in Chromium: from discovery to the end of its access.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { approvedClient } from '../support/api.mjs'
import { openChromium, openPage, signIn } from '../support/browser.mjs'
import { startDemo } from '../support/demo.mjs'
import { disableInConsole } from '../support/console.mjs'
import { serveSmartApp } from '../support/smart-app.mjs'

const scope = 'launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs'
const name = 'Journey Chart'
let browser
let demo
let app
let client

before(async () => {
  demo = await startDemo()
  app = await serveSmartApp()
  browser = await openChromium()
  client = await approvedClient(demo, {
    name,
    scope,
    client_type: 'public',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [app.redirectUri],
  })
})
after(async () => {
  await browser?.close()
  app?.stop()
  await demo?.stop()
})

/** Launches the app and goes through sign-in, picker and consent as they come up; which of them did is returned. */
async function launch(page, person, { allow = true } = {}) {
  await page.goto(app.launchUrl({ clientId: client.client_id, scope, iss: demo.fhir_base_url }))
  const seen = []
  const back = (url) => url.origin === app.origin && url.pathname === '/app'
  for (let steps = 0; steps < 8; steps += 1) {
    const next = page.locator('input[name=password], button[name=patient], [name=decision]').first()
    await Promise.race([page.waitForURL(back), next.waitFor()])
    if (back(new URL(page.url()))) return seen
    const what = await next.getAttribute('name')
    seen.push(what)
    // picker and consent may stand at one address: what tells them apart is that a page was loaded
    const press = (button) => Promise.all([page.waitForEvent('load'), button.click()])
    if (what === 'password') await signIn(page, person)
    else if (what === 'patient') await press(page.locator(`button[name=patient][value="${person.patient}"]`))
    else {
      const offline = page.locator('input[type=checkbox][name=offline]')
      if (allow && (await offline.count()) > 0) await offline.check()
      await press(page.locator(`[name=decision][value=${allow ? 'allow' : 'deny'}]`))
    }
  }
  throw new Error(`the app never came back; seen ${seen}`)
}

test('an app launches, reads, refreshes, and loses access with the very next request when staff disable it', async () => {
  const page = await openPage(browser)
  const seen = await launch(page, demo.user)
  assert.ok(seen.includes('password') && seen.includes('decision'), seen.join(', '))
  await page.waitForFunction(() => document.title !== 'Waiting')
  assert.equal(await page.title(), 'Ready', await page.locator('body').innerText())
  assert.notEqual(await page.locator('h1').innerText(), '')

  const patient = await page.evaluate(() => window.client.patient.id)
  assert.equal(patient, demo.user.patient)
  const bundle = await page.evaluate(() => window.client.request(`Observation?patient=${window.client.patient.id}`))
  assert.equal(bundle.resourceType, 'Bundle')
  assert.ok(bundle.entry.length > 0, 'the demo patient has observations')
  const tokens = await page.evaluate(async () => {
    const before = window.client.state.tokenResponse.access_token
    await window.client.refresh()
    return [before, window.client.state.tokenResponse.access_token]
  })
  assert.notEqual(tokens[0], tokens[1])
  await page.evaluate(() => window.client.request(`Patient/${window.client.patient.id}`))

  const held = await page.evaluate(() => window.client.state.tokenResponse.refresh_token)
  assert.ok(held, 'offline access was allowed')
  const staff = await openPage(browser)
  await disableInConsole(staff, demo, name)

  const refused = await page.evaluate(() => window.client.request(`Patient/${window.client.patient.id}`).then(() => 'answered', (error) => String(error.message)))
  assert.notEqual(refused, 'answered')
  // the library has tried to refresh by itself and has thrown its tokens away; so has the refresh token it had become worthless
  const refreshed = await page.evaluate(async () => {
    try {
      await window.client.refresh()
      return 'refreshed'
    } catch (error) {
      return String(error.message)
    }
  })
  assert.notEqual(refreshed, 'refreshed')
  const direct = await fetch(`${demo.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: held, client_id: client.client_id }),
  })
  assert.equal(direct.status, 401, await direct.text())

  // a new launch stops at a page of ours
  await page.goto(app.launchUrl({ clientId: client.client_id, scope, iss: demo.fhir_base_url }))
  await page.waitForURL((url) => url.origin === new URL(demo.base_url).origin)
  await page.getByRole('heading', { level: 1 }).waitFor()
  assert.equal(await page.locator('[name=decision]').count(), 0)
  await staff.context().close()
  await page.context().close()
})

test('the tour’s own app shows a chart and needs no library', async () => {
  const page = await openPage(browser)
  await page.goto(demo.public_client.redirect_uri)
  assert.equal(await page.locator('script[src*="//"]').count(), 0)
  await page.context().close()
})

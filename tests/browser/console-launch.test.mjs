// From the console's "Try a launch" to the app with its patient; and the picker of visits in a standalone launch.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { approvedClient } from '../support/api.mjs'
import { accessibilityViolations, openChromium, openPage, signIn } from '../support/browser.mjs'
import { openConsole } from '../support/console.mjs'
import { startDemo } from '../support/demo.mjs'
import { authorizeUrl } from '../support/launch-pages.mjs'

let browser
let demo

before(async () => {
  demo = await startDemo()
  browser = await openChromium()
})
after(async () => {
  await browser?.close()
  await demo?.stop()
})

async function lookAt(page, what) {
  const wrong = [...(await accessibilityViolations(page)), ...page.complaints]
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  if (overflow > 0) wrong.push(`${overflow} px wider than the screen`)
  assert.deepEqual(wrong, [], what)
}

const press = (page, locator) => Promise.all([page.waitForEvent('load'), locator.click()])

for (const [width, height] of [[1280, 800], [390, 844]]) {
  test(`staff make a launch and the clinician's app opens with the patient at ${width} pixels`, async () => {
    const staff = await openPage(browser, { viewport: { width, height } })
    await openConsole(staff, demo)
    await staff.goto(new URL(`/console/${demo.organization}/launches`, demo.base_url).href)
    await lookAt(staff, 'the empty form')
    await staff.getByLabel('App', { exact: true }).selectOption(demo.public_client.client_id)
    await staff.getByLabel('Who will sign in').fill(demo.clinician.email)
    await staff.getByLabel('Patient', { exact: true }).fill('Patient/nobody')
    await press(staff, staff.getByRole('button', { name: 'Make the launch' }))
    staff.complaints.length = 0 // the browser notes the status of the refusal
    await lookAt(staff, 'the form with a mistake')
    assert.match(await staff.locator('#patient-error').innerText(), /FHIR id alone/)
    await staff.getByLabel('Patient', { exact: true }).fill(demo.clinician.patient)
    await staff.getByText('More context').click()
    await staff.getByLabel('Intent').fill('reconcile-medications')
    await press(staff, staff.getByRole('button', { name: 'Make the launch' }))
    await lookAt(staff, 'the launch is ready')
    const link = await staff.getByRole('link', { name: /^Open / }).getAttribute('href')
    await staff.context().close()

    // somebody else at the clinician's workstation gets nothing of it
    const other = await openPage(browser, { viewport: { width, height } })
    await other.goto(link)
    await signIn(other, demo.user)
    await other.getByRole('heading', { level: 1, name: 'This was opened for somebody else' }).waitFor()
    await other.context().close()

    const page = await openPage(browser, { viewport: { width, height } })
    await page.goto(link)
    await page.locator('input[name=password]').waitFor()
    await lookAt(page, 'sign-in')
    await page.locator('input[name=email]').fill(demo.clinician.email)
    await page.locator('input[name=password]').fill(demo.clinician.password)
    const allow = page.locator('[name=decision][value=allow]')
    const app = page.waitForURL((url) => url.pathname === '/demo-app/')
    await Promise.all([page.waitForEvent('load'), page.locator('input[name=password]').press('Enter')])
    if ((await allow.count()) > 0) await allow.click()
    await app
    await page.getByText('Okafor').first().waitFor()
    await page.context().close()
  })

  test(`a visit is chosen after the patient at ${width} pixels`, async () => {
    const scope = 'launch/patient launch/encounter openid fhirUser patient/Patient.rs patient/Encounter.rs'
    const redirectUri = `${new URL(demo.base_url).origin}/nowhere`
    const client = await approvedClient(demo, {
      name: `Visit Notes ${width}`,
      scope,
      client_type: 'public',
      grant_types: ['authorization_code'],
      redirect_uris: [redirectUri],
    })
    const page = await openPage(browser, { viewport: { width, height } })
    await page.goto(await authorizeUrl(demo, { client_id: client.client_id, redirect_uri: redirectUri, scope }))
    await signIn(page, demo.user)
    await press(page, page.locator(`button[name=patient][value="${demo.user.patient}"]`))
    await page.getByRole('heading', { level: 1, name: 'Choose a visit' }).waitFor()
    await lookAt(page, 'visits')
    const visits = page.locator('button[name=record]')
    assert.ok((await visits.count()) > 1)
    const chosen = await visits.first().getAttribute('value')
    await press(page, visits.first())
    await lookAt(page, 'consent')
    await page.locator('[name=decision][value=allow]').click()
    await page.waitForURL((url) => url.pathname === '/nowhere')
    const answer = await fetch(`${demo.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: new URL(page.url()).searchParams.get('code'),
        redirect_uri: redirectUri,
        client_id: client.client_id,
        code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      }),
    })
    const told = await answer.json()
    assert.deepEqual([told.patient, told.encounter, told.scope], [demo.user.patient, chosen, scope])
    await page.context().close()
  })
}

test('how we read is tried against the running FHIR server', async () => {
  const page = await openPage(browser)
  await openConsole(page, demo)
  await page.goto(new URL(`/console/${demo.organization}/fhir-endpoints`, demo.base_url).href)
  await page.getByText('How we read').first().click()
  await press(page, page.getByRole('button', { name: 'Save and try' }).first())
  await page.getByText('Saved. Your FHIR server lets us read.').waitFor()
  await page.context().close()
})

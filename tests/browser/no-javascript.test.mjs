// The whole of the main job with JavaScript switched off: approve, sign in, consent, disable, enable.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { askedClient } from '../support/api.mjs'
import { openChromium, openPage } from '../support/browser.mjs'
import { approveInConsole, disableInConsole, enableInConsole, openClient } from '../support/console.mjs'
import { startDemo } from '../support/demo.mjs'
import { serveSmartApp } from '../support/smart-app.mjs'

const name = 'Scriptless Chart'
const scope = 'launch/patient offline_access patient/Patient.rs patient/Observation.rs'
let app
let browser
let demo
let client
let redirectUri

before(async () => {
  demo = await startDemo()
  app = await serveSmartApp()
  redirectUri = app.redirectUri
  browser = await openChromium()
  client = (
    await askedClient(demo, {
      name,
      scope,
      client_type: 'public',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [redirectUri],
    })
  ).client
})
after(async () => {
  await browser?.close()
  app?.stop()
  await demo?.stop()
})

test('staff approve, a patient allows, staff disable and enable', async () => {
  const staff = await openPage(browser, { javaScriptEnabled: false })
  await openClient(staff, demo, name)
  assert.ok((await staff.locator('main').innerText()).includes('To see that a client nobody here wrote gets along.'))
  await assert.rejects(launchAndAllow(), 'a client that nobody approved must stop at our page')
  await approveInConsole(staff, demo, name)

  await launchAndAllow()

  await disableInConsole(staff, demo, name)
  await assert.rejects(launchAndAllow(), 'a disabled client must stop at our page')
  await enableInConsole(staff, demo, name)
  await launchAndAllow()
  await staff.context().close()
})

test('what a person unticks is not granted', async () => {
  const { code, verifier, endpoint } = await launchAndAllow({ untick: 'patient/Observation.rs' })
  const response = await fetch(endpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      client_id: client.client_id,
      code_verifier: verifier,
    }),
  })
  const tokens = await response.json()
  assert.equal(response.status, 200, JSON.stringify(tokens))
  const granted = tokens.scope.split(' ')
  assert.ok(granted.includes('patient/Patient.rs') && !granted.includes('patient/Observation.rs'), tokens.scope)
})

/** A patient with a scriptless browser: signs in, picks, allows. */
async function launchAndAllow({ untick } = {}) {
  const base = demo.fhir_base_url.replace(/\/$/, '')
  const smart = await (await fetch(`${base}/.well-known/smart-configuration`)).json()
  const page = await openPage(browser, { javaScriptEnabled: false })
  const verifier = 'a-verifier-of-at-least-forty-three-characters-0123456789'
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  const url = new URL(smart.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope,
    state: 'a-state-of-enough-length',
    aud: demo.fhir_base_url,
    code_challenge: Buffer.from(digest).toString('base64url'),
    code_challenge_method: 'S256',
  })
  const cameBack = () => page.url().startsWith(redirectUri)
  try {
    await page.goto(url.href)
    for (let steps = 0; steps < 6 && !cameBack(); steps += 1) {
      const here = page.locator('input[name=password], button[name=patient], [name=decision]').first()
      await here.waitFor({ timeout: 3_000 })
      const what = await here.getAttribute('name')
      let next
      if (what === 'password') {
        await page.locator('input[name=email]').fill(demo.user.email)
        await here.fill(demo.user.password)
        next = page.locator('form:has(input[name=password]) button[type=submit]')
      } else if (what === 'patient') {
        next = page.locator(`button[name=patient][value="${demo.user.patient}"]`)
      } else {
        if (untick) await page.locator(`input[type=checkbox][name=scope][value="${untick}"]`).uncheck()
        next = page.locator('[name=decision][value=allow]')
      }
      await Promise.all([page.waitForEvent('load'), next.click()])
    }
    assert.ok(cameBack(), `still at ${page.url()}`)
    const back = new URL(page.url())
    assert.ok(back.searchParams.get('code'), back.href)
    return { code: back.searchParams.get('code'), verifier, endpoint: smart.token_endpoint }
  } finally {
    await page.context().close()
  }
}

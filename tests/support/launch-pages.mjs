// The pages of one standalone launch of the tour's app, in order, each looked at before it is answered.

import { signIn } from './browser.mjs'

/** The address at which a launch of the tour's app begins; `changes` spoil it on purpose. */
export async function authorizeUrl(demo, changes = {}) {
  const base = demo.fhir_base_url.replace(/\/$/, '')
  const smart = await (await fetch(`${base}/.well-known/smart-configuration`)).json()
  const url = new URL(smart.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: demo.public_client.client_id,
    redirect_uri: demo.public_client.redirect_uri,
    scope: demo.public_client.scope,
    state: 'a-state-of-enough-length',
    aud: demo.fhir_base_url,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    ...changes,
  })
  return url.href
}

/** Stops at the consent page; `look(what)` sees sign-in, sign-in refused, the picker (if it comes) and consent. */
export async function launchPages(page, demo, who, look) {
  await page.goto(await authorizeUrl(demo))
  await look('sign-in')
  await page.locator('input[name=email]').fill(demo[who].email)
  await page.locator('input[name=password]').fill('not the password')
  await Promise.all([page.waitForEvent('load'), page.locator('input[name=password]').press('Enter')])
  await look('sign-in-refused')
  await signIn(page, demo[who])
  if ((await page.locator('button[name=patient]').count()) > 0) {
    await look('patient')
    const wanted = page.locator(`button[name=patient][value="${demo[who].patient}"]`)
    const choice = (await wanted.count()) > 0 ? wanted : page.locator('button[name=patient]').first()
    await Promise.all([page.waitForEvent('load'), choice.click()])
  }
  await page.locator('[name=decision][value=allow]').waitFor()
  await look('consent')
}

// Apps on a person's own machine (RFC 8252): what Chromium lets a consent form of ours lead to, on each kind of address such an app can have.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'

import { approvedClient } from '../support/api.mjs'
import { openChromium, openPage, signIn } from '../support/browser.mjs'
import { startDemo } from '../support/demo.mjs'
import { authorizeUrl } from '../support/launch-pages.mjs'

const scope = 'openid fhirUser'
let browser
let client
let demo

before(async () => {
  demo = await startDemo()
  browser = await openChromium()
  client = await approvedClient(demo, {
    name: 'Desk Chart',
    scope,
    client_type: 'public',
    native: true,
    grant_types: ['authorization_code'],
    redirect_uris: ['http://127.0.0.1/cb', 'http://[::1]/cb'],
  })
})
after(async () => {
  await browser?.close()
  await demo?.stop()
})

/** An app that listens on a port the system chose, and keeps what the browser brings. */
async function listening(host) {
  const asked = []
  const server = createServer((request, response) => {
    asked.push(request.url)
    response.end('You can close this window.')
  })
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  const name = host.includes(':') ? `[${host}]` : host
  return { asked, redirectUri: `http://${name}:${server.address().port}/cb`, stop: () => server.close() }
}

for (const host of ['127.0.0.1', '::1']) {
  for (const [decision, told] of [['allow', 'code'], ['deny', 'error']]) {
    test(`an app on ${host} is told when a person answers ${decision}`, async () => {
      const app = await listening(host)
      const page = await openPage(browser)
      await page.goto(await authorizeUrl(demo, { client_id: client.client_id, redirect_uri: app.redirectUri, scope }))
      await signIn(page, demo.user)
      await page.locator(`[name=decision][value=${decision}]`).click()
      await page.waitForURL((url) => url.href.startsWith(app.redirectUri))
      const answer = new URL(app.asked.find((path) => path.startsWith('/cb')), app.redirectUri).searchParams
      assert.ok(answer.get(told), `${answer}`)
      assert.equal(answer.get('state'), 'a-state-of-enough-length')
      assert.deepEqual(page.complaints.filter((each) => !each.includes('favicon')), [])
      await page.context().close()
      app.stop()
    })
  }
}

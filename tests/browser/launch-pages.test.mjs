// The pages of a launch: sign-in, patient picker, consent, and the refusals an app can cause.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { accessibilityViolations, openChromium, openPage } from '../support/browser.mjs'
import { startDemo } from '../support/demo.mjs'
import { authorizeUrl, launchPages } from '../support/launch-pages.mjs'

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

for (const [width, height] of [[1280, 800], [390, 844]]) {
  for (const who of ['user', 'clinician']) {
    test(`sign-in, picker and consent for a ${who} at ${width} pixels`, async () => {
      const page = await openPage(browser, { viewport: { width, height } })
      const seen = []
      await launchPages(page, demo, who, async (what) => {
        if (what === 'sign-in-refused') page.complaints.length = 0 // the browser notes the status of the refusal
        await lookAt(page, what)
        seen.push(what)
      })
      assert.ok(seen.includes('consent'), seen.join(', '))
      await page.context().close()
    })
  }
  test(`errors that must not be sent to an app are shown at ${width} pixels`, async () => {
    const page = await openPage(browser, { viewport: { width, height } })
    for (const changes of [
      { client_id: 'app_nobody' },
      { redirect_uri: 'https://elsewhere.example/cb' },
      { client_id: demo.unapproved_client.client_id },
    ]) {
      await page.goto(await authorizeUrl(demo, changes))
      assert.equal(new URL(page.url()).origin, new URL(demo.base_url).origin)
      assert.ok((await page.locator('h1').innerText()).length > 0)
      page.complaints.length = 0
      await lookAt(page, JSON.stringify(changes))
    }
    await page.context().close()
  })
}

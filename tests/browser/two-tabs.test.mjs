// Two tabs of one browser: neither spoils what the other is in the middle of.

import assert from 'node:assert/strict'
import http from 'node:http'
import { after, before, test } from 'node:test'

import { openChromium, openPage, signIn } from '../support/browser.mjs'
import { startDemo } from '../support/demo.mjs'
import { authorizeUrl } from '../support/launch-pages.mjs'

let browser
let demo
let elsewhere

before(async () => {
  demo = await startDemo()
  browser = await openChromium()
  elsewhere = await anotherSite()
})
after(async () => {
  await browser?.close()
  elsewhere?.stop()
  await demo?.stop()
})

/** A site of somebody else, whose one page posts an authorization request as soon as it is open (SMART authorize-post). */
async function anotherSite() {
  const request = new URL(await authorizeUrl(demo))
  const fields = [...request.searchParams].map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`)
  const page = `<!doctype html><title>Elsewhere</title><form method="post" action="${request.origin}${request.pathname}">${fields.join('')}</form>
<script>document.forms[0].submit()</script>`
  const server = http.createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page))
  await new Promise((resolve) => server.listen(0, 'localhost', resolve))
  // by another name than the demo's 127.0.0.1: to a browser another site
  return { url: `http://localhost:${server.address().port}/`, stop: () => server.close() }
}

test('an app that posts its request from another site leaves the sign-in in the other tab as it was', async () => {
  const tab = await openPage(browser)
  await tab.goto(`${demo.issuer}/apps`)
  await tab.locator('input[name=password]').waitFor()
  const other = await tab.context().newPage()
  await other.goto(elsewhere.url)
  await other.waitForURL((url) => url.pathname === '/sign-in')
  await signIn(tab, demo.user)
  await tab.waitForURL((url) => url.pathname.endsWith('/apps'))
  // what the post began goes on for whoever is signed in now
  await other.reload()
  await other.waitForURL((url) => url.pathname.endsWith('/continue'))
  assert.ok((await other.locator('button[name=patient]').count()) > 0)
  await tab.context().close()
})

test('somebody who was never here before begins with a posted request too', async () => {
  const page = await openPage(browser)
  await page.goto(elsewhere.url)
  await page.waitForURL((url) => url.pathname === '/sign-in')
  await signIn(page, demo.user)
  await page.locator('button[name=patient]').first().waitFor()
  await page.context().close()
})

// Every kind of page a person can reach, on a wide and on a narrow screen: accessible, whole, and silent in the browser's console.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { accessibilityViolations, openChromium, openPage } from '../support/browser.mjs'
import { startDemo } from '../support/demo.mjs'
import { people } from '../support/people.mjs'
import { tour } from '../support/tour.mjs'

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

for (const [width, height] of [[1280, 800], [390, 844]]) {
  for (const [who, { start, arrive, atLeast }] of Object.entries(people)) {
    test(`${who} at ${width} pixels`, async () => {
      const page = await openPage(browser, { viewport: { width, height } })
      const wrong = []
      await arrive(page, demo)
      const visited = await tour(page, new URL(start(demo), demo.base_url), async (kind, response) => {
        if (response.status() !== 200) wrong.push(`${kind}: status ${response.status()}`)
        for (const violation of await accessibilityViolations(page)) wrong.push(`${kind}: ${violation}`)
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        if (overflow > 0) wrong.push(`${kind}: ${overflow} px wider than the screen`)
        if ((await page.locator('h1').count()) !== 1) wrong.push(`${kind}: not exactly one h1`)
      })
      wrong.push(...page.complaints)
      assert.deepEqual(wrong, [])
      assert.ok(visited.length >= atLeast, `only ${visited.join(', ')}`)
      await page.context().close()
    })
  }
}

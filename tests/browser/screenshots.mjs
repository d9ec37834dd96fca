// `node browser/screenshots.mjs FOLDER`: a picture of every kind of page at 1280 and 390 pixels, light and dark.

import { mkdir } from 'node:fs/promises'
import path from 'node:path'

import { openChromium, openPage } from '../support/browser.mjs'
import { startDemo } from '../support/demo.mjs'
import { launchPages } from '../support/launch-pages.mjs'
import { people } from '../support/people.mjs'
import { tour } from '../support/tour.mjs'

const folder = process.argv[2]
if (!folder) {
  console.error('usage: node browser/screenshots.mjs FOLDER')
  process.exit(2)
}
await mkdir(folder, { recursive: true })
const demo = await startDemo()
const browser = await openChromium()
try {
  for (const [width, height] of [[1280, 800], [390, 844]]) {
    for (const colorScheme of ['light', 'dark']) {
      const options = { viewport: { width, height }, colorScheme, reducedMotion: 'reduce' }
      const shoot = (page) => async (kind) => {
        const name = kind.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'start'
        await page.screenshot({ path: path.join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true })
      }
      for (const { start, arrive } of Object.values(people)) {
        const page = await openPage(browser, options)
        await arrive(page, demo)
        await tour(page, new URL(start(demo), demo.base_url), shoot(page))
        await page.context().close()
      }
      for (const who of ['user', 'clinician']) {
        const page = await openPage(browser, options)
        await launchPages(page, demo, who, (what) => shoot(page)(`launch-${who}-${what}`))
        await page.context().close()
      }
    }
  }
} finally {
  await browser.close()
  await demo.stop()
}

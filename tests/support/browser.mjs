// Chromium, headless, driven by playwright-core; one context is one person at one computer.

import { existsSync } from 'node:fs'
import axe from 'axe-core'
import { chromium } from 'playwright-core'

/** Starts Debian's Chromium, with further arguments; it talks to nobody but us. */
export function openChromium(more = []) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync),
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  })
}

/** A page in a context of its own that collects what the browser complains about in `page.complaints`. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  page.complaints = []
  page.on('console', (message) => {
    if (message.type() === 'error') page.complaints.push(`${page.url()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => page.complaints.push(`${page.url()}: ${error}`))
  return page
}

/** Fills in the sign-in form on the page that is open. */
export async function signIn(page, { email, password }) {
  await page.locator('input[name=email]').fill(email)
  await page.locator('input[name=password]').fill(password)
  await Promise.all([
    page.waitForURL((url) => !url.pathname.endsWith('/sign-in')),
    page.locator('form:has(input[name=password])').getByRole('button').last().click(),
  ])
}

/** What axe-core has against the page as it is now, one sentence each. */
export async function accessibilityViolations(page) {
  await page.evaluate(axe.source)
  const violations = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { resultTypes: ['violations'] })
    return result.violations.map((violation) => ({
      rule: violation.id,
      help: violation.help,
      where: violation.nodes.map((node) => node.target.join(' ')),
    }))
  })
  return violations.map(({ rule, help, where }) => `${rule}: ${help} (${where.slice(0, 5).join(', ')})`)
}

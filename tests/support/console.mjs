// What provider staff do in the console, by the words on the page.

import { signIn } from './browser.mjs'

/** Signs in at the console, unless signed in. */
export async function openConsole(page, demo, path = '/console') {
  await page.goto(new URL(path, demo.base_url).href)
  if ((await page.locator('input[name=password]').count()) > 0) {
    await signIn(page, demo.staff)
    await page.goto(new URL(path, demo.base_url).href)
  }
}

/** Finds a client in Client management by name and opens it. */
export async function openClient(page, demo, name, { state } = {}) {
  await openConsole(page, demo)
  if (state) await page.getByRole('link', { name: state }).first().click()
  const search = page.locator('input[name=q]')
  await search.fill(name)
  await search.press('Enter')
  await page.getByRole('link', { name }).first().click()
}

/** Presses *Disable client*, gives a reason and confirms; returns when the page says so. */
export async function disableInConsole(page, demo, name, reason = 'The contract has ended.') {
  await openClient(page, demo, name, { state: /^All\b/ })
  await press(page, 'Disable client', reason)
  await page.getByRole('button', { name: 'Enable client' }).or(page.getByRole('link', { name: 'Enable client' })).first().waitFor()
}

/** Presses *Enable client* and confirms. */
export async function enableInConsole(page, demo, name, reason = 'The new contract is signed.') {
  await openClient(page, demo, name, { state: /^All\b/ })
  await press(page, 'Enable client', reason)
  await page.getByRole('button', { name: 'Disable client' }).or(page.getByRole('link', { name: 'Disable client' })).first().waitFor()
}

/** A button or link, then wherever the reason is asked for, then the confirmation, in whatever order the pages have them. */
async function press(page, label, reason) {
  for (let steps = 0; steps < 4; steps += 1) {
    const box = page.locator('[name=reason]:visible').first()
    if ((await box.count()) > 0) await box.fill(reason)
    const next = page.getByRole('button', { name: label }).or(page.getByRole('link', { name: label })).first()
    if ((await next.count()) === 0) return
    await Promise.all([page.waitForEvent('load'), next.click()])
  }
}

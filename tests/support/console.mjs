// What provider staff do in the console, by the words on the page. Nothing here needs JavaScript in the browser.

import { signIn } from './browser.mjs'

/** Signs in at the console, unless signed in, and comes to Client management. */
export async function openConsole(page, demo) {
  await page.goto(new URL('/console', demo.base_url).href)
  if ((await page.locator('input[name=password]').count()) > 0) await signIn(page, demo.staff)
  await page.getByRole('heading', { level: 1, name: 'Client management' }).waitFor()
}

/** Finds a client of whatever state by name in Client management and opens it. */
export async function openClient(page, demo, name) {
  await openConsole(page, demo)
  await follow(page, page.getByRole('link', { name: /^All\b/ }))
  await page.locator('input[name=q]').fill(name)
  await follow(page, page.getByRole('search').getByRole('button'))
  await follow(page, page.getByRole('main').getByRole('link', { name }).first())
}

/** Approves the waiting request of a client as asked. */
export async function approveInConsole(page, demo, name) {
  await openClient(page, demo, name)
  await page.getByLabel('Approve as asked').check()
  await follow(page, page.getByRole('button', { name: 'Continue' }))
  await follow(page, page.getByRole('button', { name: 'Approve', exact: true }))
  await page.getByRole('heading', { level: 1, name: `${name} is approved` }).waitFor()
}

/** *Disable client*, a reason, and the confirmation; returns when the receipt is on the screen. */
export async function disableInConsole(page, demo, name, reason = 'The contract has ended.') {
  await openClient(page, demo, name)
  await page.locator('[name=reason]').fill(reason)
  await follow(page, page.getByRole('button', { name: 'Disable client' }))
  await follow(page, page.getByRole('button', { name: 'Disable client now' }))
  await page.getByRole('heading', { level: 1, name: `${name} is switched off` }).waitFor()
}

/** *Enable client*. */
export async function enableInConsole(page, demo, name) {
  await openClient(page, demo, name)
  await follow(page, page.getByRole('button', { name: 'Enable client' }))
  await page.getByRole('heading', { level: 1, name: `${name} is switched on` }).waitFor()
}

/** Clicks what leads to another page, and is there. */
async function follow(page, locator) {
  await Promise.all([page.waitForEvent('load'), locator.click()])
}

// Who walks through the pages, where each begins, and how they get in.

import { signIn } from './browser.mjs'

async function signedIn(page, demo, account, path) {
  await page.goto(new URL(path, demo.base_url).href)
  await signIn(page, account)
}

/** By name: where the walk starts, how they arrive there, and how many kinds of page they must at least find. */
export const people = {
  'a visitor': {
    start: () => '/',
    arrive: async () => {},
    atLeast: 2,
  },
  'provider staff': {
    start: () => '/console',
    arrive: (page, demo) => signedIn(page, demo, demo.staff, '/console'),
    atLeast: 4,
  },
  'a developer': {
    start: () => '/portal',
    arrive: (page, demo) => signedIn(page, demo, demo.developer, '/portal'),
    atLeast: 4,
  },
}

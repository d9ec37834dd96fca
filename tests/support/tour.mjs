// Walks through all pages a person can reach by links from where they start.

/** Links that do something, leave the product or answer with something else than a page. */
const notAPage = /\/(sign-out|logout|api|assets|logo|fhir)(\/|$)|\.(json|csv|svg|png|css|js|txt)$|\/\.well-known\//

/** The same page for another row is not another page: ids and numbers are one letter, values of the query do not count. */
export function kindOf(url) {
  const path = url.pathname.replace(/\b[a-z]{2,4}_[A-Za-z0-9_-]{8,}/g, ':id').replace(/\/\d+(?=\/|$)/g, '/:n')
  return `${path}?${[...new Set(url.searchParams.keys())].sort().join('&')}`
}

/** Visits one page of every kind from `start` on; `look(kind)` is called on each while it is open. */
export async function tour(page, start, look, { limit = 80 } = {}) {
  const first = new URL(start)
  const waiting = [first]
  const seen = new Set([kindOf(first)])
  const visited = []
  while (waiting.length > 0 && visited.length < limit) {
    const url = waiting.shift()
    const response = await page.goto(url.href)
    if (!response.headers()['content-type']?.startsWith('text/html')) continue
    const kind = kindOf(url)
    visited.push(kind)
    await look(kind, response)
    const links = await page.locator('a[href]').evaluateAll((all) => all.map((a) => a.href))
    for (const link of links.filter((each) => URL.canParse(each)).map((each) => new URL(each))) {
      if (link.origin !== first.origin || notAPage.test(link.pathname) || seen.has(kindOf(link))) continue
      seen.add(kindOf(link))
      link.hash = ''
      waiting.push(link)
    }
  }
  return visited
}

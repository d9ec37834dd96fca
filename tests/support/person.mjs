// A person with a browser that knows no JavaScript: follows redirects, keeps cookies, fills in forms.

import { parse } from 'parse5'

export class Person {
  #cookies = new Map()

  /** Goes to a page; a redirect for which `leaves(url)` says yes is where the journey ends. */
  async visit(url, { leaves = () => false, form, from } = {}) {
    let next = new URL(url)
    let request = form
      ? { method: 'POST', body: form, headers: { origin: from ?? next.origin, 'sec-fetch-site': from ? 'cross-site' : 'same-origin' } }
      : {}
    for (let hops = 0; hops < 20; hops += 1) {
      const response = await fetch(next, {
        ...request,
        redirect: 'manual',
        headers: { ...request.headers, accept: 'text/html', cookie: this.#cookieHeader(next) },
      })
      this.#keepCookies(next, response)
      if (response.status < 300 || response.status > 399) {
        return new Sheet(next, response, await response.text())
      }
      await response.body?.cancel()
      next = new URL(response.headers.get('location'), next)
      if (leaves(next)) return { left: next }
      if (response.status !== 307 && response.status !== 308) request = {}
    }
    throw new Error(`redirected in circles at ${next}`)
  }

  /** Sends a form: its own values, changed by `values`, as if the button with `press` ([name, value]) was clicked. */
  async submit(sheet, form, values, { press, leaves } = {}) {
    const fields = form.filled(values, press)
    const target = new URL(form.action || sheet.url.href, sheet.url)
    if (form.method === 'get') {
      target.search = fields
      return this.visit(target, { leaves })
    }
    return this.visit(target, { leaves, form: fields })
  }

  /**
   * Goes through sign-in, patient picker and consent as they come up, until a redirect leaves for `redirectUri`.
   * `scopes(offered)` chooses among the scopes that can be ticked; without it the ticks stay as the page sets them. With `form` the journey begins
   * with the app posting it from its own page.
   */
  async authorize(url, { redirectUri, email, password, patient, decision = 'allow', scopes, offline = true, form, seen = [] }) {
    const leaves = (to) => to.href.split(/[?#]/)[0] === redirectUri
    let step = await this.visit(url, { leaves, form, from: form && new URL(redirectUri).origin })
    for (let pages = 0; pages < 10; pages += 1) {
      if (step.left) return step.left
      const has = (name) => step.forms.find((form) => form.controls.some((control) => control.name === name))
      if (has('password')) {
        seen.push('sign-in')
        step = await this.submit(step, has('password'), { email, password }, { leaves })
      } else if (has('patient')) {
        seen.push('patient')
        step = await this.submit(step, has('patient'), {}, { press: ['patient', patient], leaves })
      } else if (has('decision')) {
        seen.push('consent')
        const question = has('decision')
        const values = { offline }
        if (scopes) values.scope = scopes(question.offered('scope'))
        step = await this.submit(step, question, values, { press: ['decision', decision], leaves })
      } else {
        throw new Error(`nothing to do on ${step.url} (${step.status}):\n${step.text()}`)
      }
    }
    throw new Error(`never came back from ${url}: ${seen.join(', ')}`)
  }

  #cookieHeader(url) {
    const now = [...this.#cookies.values()].filter((c) => c.host === url.hostname && url.pathname.startsWith(c.path))
    return now.map((c) => `${c.name}=${c.value}`).join('; ')
  }

  #keepCookies(url, response) {
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(';').map((part) => part.trim())
      const at = pair.indexOf('=')
      const cookie = { name: pair.slice(0, at), value: pair.slice(at + 1), host: url.hostname, path: '/' }
      let gone = cookie.value === ''
      for (const attribute of attributes) {
        const [name, value = ''] = attribute.split('=')
        if (name.toLowerCase() === 'path') cookie.path = value
        if (name.toLowerCase() === 'max-age' && Number(value) <= 0) gone = true
      }
      const key = `${cookie.host} ${cookie.path} ${cookie.name}`
      if (gone) this.#cookies.delete(key)
      else this.#cookies.set(key, cookie)
    }
  }
}

/** A page as it came. */
export class Sheet {
  constructor(url, response, html) {
    this.url = url
    this.status = response.status
    this.headers = response.headers
    this.html = html
    this.document = parse(html)
    this.forms = elements(this.document, 'form').map((element) => new Form(element))
  }

  /** The words a person reads. */
  text() {
    return words(this.document).replace(/\s+/g, ' ').trim()
  }

  /** The address of the first link whose words contain `label`. */
  link(label) {
    const link = elements(this.document, 'a').find((a) => words(a).includes(label))
    if (!link) throw new Error(`no link "${label}" on ${this.url}`)
    return new URL(attribute(link, 'href'), this.url)
  }

  /** The form with a control of this name. */
  form(name) {
    const form = this.forms.find((each) => each.controls.some((control) => control.name === name))
    if (!form) throw new Error(`no form with ${name} on ${this.url} (${this.status}): ${this.text().slice(0, 400)}`)
    return form
  }
}

class Form {
  constructor(element) {
    this.action = attribute(element, 'action') ?? ''
    this.method = (attribute(element, 'method') ?? 'get').toLowerCase()
    this.controls = ['input', 'button', 'select', 'textarea'].flatMap((tag) =>
      elements(element, tag).map((control) => readControl(tag, control)),
    )
  }

  /** The values of the boxes, radios or options of this name. */
  offered(name) {
    return this.controls.filter((c) => c.name === name).flatMap((c) => c.options ?? [c.value])
  }

  filled(values = {}, press) {
    const fields = new URLSearchParams()
    const given = new Set()
    for (const control of this.controls) {
      if (!control.name || control.disabled || control.kind === 'submit' || control.kind === 'button') continue
      const isTick = control.kind === 'checkbox' || control.kind === 'radio'
      if (!(control.name in values) || (!isTick && control.kind === 'hidden')) {
        if (!isTick || control.checked) fields.append(control.name, control.value)
        continue
      }
      const wanted = values[control.name]
      given.add(control.name)
      if (!isTick) fields.append(control.name, wanted)
      else if (wanted === true || wanted === control.value) fields.append(control.name, control.value)
      else if (Array.isArray(wanted) && wanted.includes(control.value)) fields.append(control.name, control.value)
    }
    if (press) {
      const [name, value] = press
      const choice = this.controls.find((c) => c.name === name && (c.value === value || c.options?.includes(value)))
      if (!choice) throw new Error(`no button or choice ${name}=${value}; there are ${this.offered(name)}`)
      fields.append(name, value)
    }
    return fields
  }
}

function readControl(tag, element) {
  const options = tag === 'select' ? elements(element, 'option') : undefined
  const chosen = options?.find((option) => has(option, 'selected')) ?? options?.[0]
  return {
    name: attribute(element, 'name'),
    kind: tag === 'button' ? (attribute(element, 'type') ?? 'submit') : tag === 'input' ? (attribute(element, 'type') ?? 'text') : tag,
    value: {
      input: () => attribute(element, 'value') ?? (['checkbox', 'radio'].includes(attribute(element, 'type')) ? 'on' : ''),
      button: () => attribute(element, 'value') ?? '',
      select: () => (chosen ? (attribute(chosen, 'value') ?? words(chosen)) : ''),
      textarea: () => words(element),
    }[tag](),
    options: options?.map((option) => attribute(option, 'value') ?? words(option)),
    checked: has(element, 'checked'),
    disabled: has(element, 'disabled'),
  }
}

function attribute(element, name) {
  return element.attrs?.find((each) => each.name === name)?.value
}

function has(element, name) {
  return attribute(element, name) !== undefined
}

function* walk(node) {
  yield node
  for (const child of node.childNodes ?? []) yield* walk(child)
}

function elements(node, tag) {
  return [...walk(node)].filter((each) => each.tagName === tag)
}

function words(node) {
  return [...walk(node)]
    .filter((each) => each.nodeName === '#text' && !['script', 'style'].includes(each.parentNode?.tagName))
    .map((each) => each.value)
    .join(' ')
}

// The JSON interface as a developer and as staff use it: the demo's own sign-ins, nothing privileged.

import assert from 'node:assert/strict'

/** Registers a client at the demo's application provider and asks the organization for `scope`. */
export async function askedClient(demo, { scope, ...metadata }) {
  const developer = new Api(demo.base_url, demo.developer.api_token)
  const client = await developer.post('/api/v1/clients', {
    metadata: { name: 'Interop', description: 'Registered by a test', contacts: ['interop@example.org'], ...metadata },
  })
  if (metadata.client_type === 'confidential_secret') {
    const { client_secret } = await developer.post(`/api/v1/clients/${client.client_id}/secrets`, {})
    client.client_secret = client_secret
  }
  const { access_request } = await developer.post(requestsPath(demo), {
    client_id: client.client_id,
    fhir_endpoint: demo.fhir_base_url,
    reason: 'To see that a client nobody here wrote gets along.',
    scopes: scope,
  })
  return { client, asked: access_request }
}

/** The same, and staff approve as asked. Returns the client as registered. */
export async function approvedClient(demo, metadata) {
  const { client, asked } = await askedClient(demo, metadata)
  const staff = new Api(demo.base_url, demo.staff.api_token)
  const waiting = await staff.get(`${requestsPath(demo)}/${asked.id}`)
  await staff.post(`${requestsPath(demo)}/${asked.id}/approve`, { digest: waiting.digest })
  return client
}

/** Staff approve what a client that registered itself asked for. */
export async function approveWaiting(demo, clientId) {
  const staff = new Api(demo.base_url, demo.staff.api_token)
  const { access_requests: waiting } = await staff.get(requestsPath(demo))
  const { id } = waiting.find((each) => each.client_id === clientId)
  const { digest } = await staff.get(`${requestsPath(demo)}/${id}`)
  await staff.post(`${requestsPath(demo)}/${id}/approve`, { digest })
}

function requestsPath(demo) {
  return `/api/v1/organizations/${demo.organization}/access-requests`
}

/** Staff disable a client; resolves once the server has acknowledged. */
export async function disable(demo, clientId, reason = 'A test says so.') {
  const staff = new Api(demo.base_url, demo.staff.api_token)
  return staff.post(`/api/v1/organizations/${demo.organization}/clients/${clientId}/disable`, { reason })
}

/** Staff enable a client. */
export async function enable(demo, clientId, reason = 'A test says so.') {
  const staff = new Api(demo.base_url, demo.staff.api_token)
  return staff.post(`/api/v1/organizations/${demo.organization}/clients/${clientId}/enable`, { reason })
}

/** An administrator decides whether clients with a secret get `system/` scopes too. */
export async function takeSecrets(demo, taken) {
  const staff = new Api(demo.base_url, demo.staff.api_token)
  const path = `/api/v1/organizations/${demo.organization}/settings`
  const { name, settings } = await staff.get(path)
  await staff.put(path, { name, settings: { ...settings, backend_services_may_use_secrets: taken } })
}

export class Api {
  constructor(base, token) {
    this.base = base
    this.token = token
  }

  get(path) {
    return this.#call('GET', path)
  }

  post(path, body) {
    return this.#call('POST', path, body)
  }

  put(path, body) {
    return this.#call('PUT', path, body)
  }

  async #call(method, path, body) {
    const response = await fetch(new URL(path, this.base), {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
    return text ? JSON.parse(text) : undefined
  }
}

// SMART App Launch 2.2 for a public client: discovery, PKCE, the two launches, code exchange, refresh, FHIR reads.
// Plain browser JavaScript; tokens live in this tab's sessionStorage and nowhere else.
"use strict";

const Smart = (() => {
  const SESSION = "chart-reader.session";
  const PENDING = "chart-reader.pending.";
  const log = [];
  let onLog = () => {};

  // A refusal with words for a person and a kind for the page: "withdrawn", "scope", "sign-in", "trouble".
  class SmartError extends Error {
    constructor(kind, message, detail = "") {
      super(message);
      this.kind = kind;
      this.detail = detail;
    }
  }

  const base64url = (bytes) =>
    btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const random = (length) => base64url(crypto.getRandomValues(new Uint8Array(length)));
  const bare = (url) => url.replace(/\/+$/, "");

  async function challengeOf(verifier) {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
    return base64url(new Uint8Array(digest));
  }

  async function request(url, options, label) {
    const began = performance.now();
    let response;
    try {
      response = await fetch(url, { cache: "no-store", credentials: "omit", redirect: "error", ...options });
    } catch {
      note(label, "no answer", began);
      throw new SmartError("trouble", "The hospital's server does not answer. Try again in a moment.");
    }
    note(label, response.status, began);
    return response;
  }

  function note(label, status, began) {
    log.push({ label, status, ms: Math.round(performance.now() - began), at: new Date() });
    onLog(log);
  }

  const ownConfig = async () => (await request("config.json", {}, "GET config.json")).json();

  async function discover(iss) {
    const address = bare(iss) + "/.well-known/smart-configuration";
    const response = await request(address, { headers: { accept: "application/json" } }, "GET .well-known/smart-configuration");
    if (!response.ok) throw new SmartError("trouble", "The hospital's server does not say how to sign in.", `status ${response.status}`);
    const found = await response.json();
    if (!found.authorization_endpoint || !found.token_endpoint) {
      throw new SmartError("trouble", "The hospital's server does not say where to sign in.");
    }
    if (!(found.code_challenge_methods_supported || []).includes("S256")) {
      throw new SmartError("trouble", "The hospital's server does not support a safe sign-in (PKCE with S256).");
    }
    return found;
  }

  // Sends the browser to the authorization server. `launch` is the opaque value an EHR gave, if it did.
  async function authorize({ iss, clientId, scope, launch }) {
    const found = await discover(iss);
    const state = random(24);
    const verifier = random(48);
    const redirectUri = new URL("./", location.href.split(/[?#]/)[0]).href;
    const pending = { iss: bare(iss), clientId, redirectUri, verifier, tokenEndpoint: found.token_endpoint, revocationEndpoint: found.revocation_endpoint, issuer: found.issuer };
    sessionStorage.setItem(PENDING + state, JSON.stringify(pending));
    const target = new URL(found.authorization_endpoint);
    const query = {
      response_type: "code", client_id: clientId, redirect_uri: redirectUri, scope, state, aud: bare(iss),
      code_challenge: await challengeOf(verifier), code_challenge_method: "S256",
    };
    if (launch) query.launch = launch;
    for (const [name, value] of Object.entries(query)) target.searchParams.set(name, value);
    location.assign(target.href);
  }

  // Redeems the code in the address bar; the address is cleaned before anything else happens.
  async function complete(search) {
    const answer = new URLSearchParams(search);
    history.replaceState(null, "", location.pathname);
    const key = PENDING + (answer.get("state") || "");
    const pending = JSON.parse(sessionStorage.getItem(key) || "null");
    sessionStorage.removeItem(key);
    if (!pending) {
      throw new SmartError("sign-in", "This answer does not belong to a sign-in started in this tab. Please start again.");
    }
    if (answer.get("iss") && pending.issuer && answer.get("iss") !== pending.issuer) {
      throw new SmartError("sign-in", "The answer comes from another server than the one you were sent to. Please start again.");
    }
    if (answer.get("error")) throw refusal(answer.get("error"), answer.get("error_description"));
    const tokens = await tokenRequest(pending.tokenEndpoint, {
      grant_type: "authorization_code", code: answer.get("code"), redirect_uri: pending.redirectUri,
      client_id: pending.clientId, code_verifier: pending.verifier,
    });
    return keep({
      iss: pending.iss, clientId: pending.clientId, tokenEndpoint: pending.tokenEndpoint, revocationEndpoint: pending.revocationEndpoint,
    }, tokens);
  }

  function refusal(code, description) {
    const words = {
      access_denied: "Access was not given.",
      invalid_scope: "The hospital does not give this app what it asked for.",
      unauthorized_client: "The hospital has not approved this app, or has disabled it.",
      invalid_grant: "The access has ended.",
    };
    const kind = code === "invalid_grant" || code === "unauthorized_client" ? "withdrawn" : "sign-in";
    return new SmartError(kind, words[code] || "The sign-in did not succeed.", [code, description].filter(Boolean).join(": "));
  }

  async function tokenRequest(endpoint, form) {
    const response = await request(endpoint, {
      method: "POST",
      headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(form).toString(),
    }, `POST token (${form.grant_type})`);
    const answer = await response.json().catch(() => ({}));
    if (response.ok && answer.access_token) return answer;
    if (response.status >= 500) throw new SmartError("trouble", "The hospital's sign-in does not answer. Try again in a moment.");
    const refused = refusal(answer.error || `status ${response.status}`, answer.error_description);
    // whatever the reason, a refused renewal is the end of this access
    if (form.grant_type === "refresh_token") refused.kind = "withdrawn";
    throw refused;
  }

  function keep(session, tokens) {
    const kept = {
      ...session,
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token || session.refreshToken || null,
      expiresAt: Date.now() + (Number(tokens.expires_in) || 300) * 1000,
      scope: tokens.scope ?? session.scope ?? "",
      patient: tokens.patient ?? session.patient ?? null,
      encounter: tokens.encounter ?? session.encounter ?? null,
      user: tokens.id_token ? userOf(tokens.id_token) : session.user ?? null,
    };
    sessionStorage.setItem(SESSION, JSON.stringify(kept));
    return kept;
  }

  // The ID token came straight from the token endpoint; its claims are shown, nothing is decided by them.
  function userOf(idToken) {
    try {
      const text = atob(idToken.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
      const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (c) => c.charCodeAt(0))));
      return claims.name || claims.fhirUser || claims.sub || null;
    } catch {
      return null;
    }
  }

  const session = () => JSON.parse(sessionStorage.getItem(SESSION) || "null");
  const forget = () => sessionStorage.removeItem(SESSION);

  // Gives the access back (RFC 7009) and forgets it; forgetting happens even when giving back fails.
  async function giveBack() {
    const current = session();
    forget();
    if (!current?.revocationEndpoint) return;
    const form = { token: current.refreshToken || current.accessToken, client_id: current.clientId };
    await request(current.revocationEndpoint, {
      method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams(form).toString(),
    }, "POST revoke").catch(() => {});
  }

  // One refresh at a time: a rotated refresh token used twice would end the access.
  let refreshing = null;
  function refresh() {
    refreshing ??= (async () => {
      const current = session();
      if (!current?.refreshToken) throw new SmartError("withdrawn", "The access has ended, and this app was not allowed to renew it.");
      const tokens = await tokenRequest(current.tokenEndpoint, {
        grant_type: "refresh_token", refresh_token: current.refreshToken, client_id: current.clientId,
      });
      return keep(current, tokens);
    })().finally(() => { refreshing = null; });
    return refreshing;
  }

  // Reads from the FHIR server. After a 401 it renews the token once; a second 401 means the access is gone.
  async function read(path) {
    let current = session();
    if (Date.now() > current.expiresAt - 5000 && current.refreshToken) current = await refresh();
    let response = await get(current, path);
    if (response.status === 401 && current.refreshToken) response = await get(await refresh(), path);
    if (response.status === 401) throw new SmartError("withdrawn", "The hospital no longer accepts this app's access.");
    if (response.status === 403) throw new SmartError("scope", "Not shared with this app.");
    if (!response.ok) throw new SmartError("trouble", `The hospital's server answered with ${response.status}.`);
    return response.json();
  }

  const get = (current, path) => request(
    `${current.iss}/${path}`,
    { headers: { accept: "application/fhir+json", authorization: `Bearer ${current.accessToken}` } },
    `GET ${path.replace(/=[^&]*/g, "=…")}`,
  );

  return {
    SmartError, ownConfig, authorize, complete, session, forget, giveBack, refresh, read, bare,
    watchLog(listener) { onLog = listener; },
  };
})();

// The launch address: an EHR opens it with `iss` and `launch`; without them it starts by itself at the app's own server.
"use strict";

(async () => {
  const message = document.getElementById("message");
  const asked = new URLSearchParams(location.search);
  try {
    const config = await Smart.ownConfig();
    const iss = asked.get("iss") || config.iss;
    // an app signs in only where it is registered: a link must not send people to somebody else's sign-in page
    if (Smart.bare(iss) !== Smart.bare(config.iss)) {
      throw new Smart.SmartError("sign-in", "This app is not registered at the server that opened it.", iss);
    }
    const launch = asked.get("launch");
    const scope = asked.get("scope") || (launch ? config.ehr_scope : config.scope);
    await Smart.authorize({ iss, clientId: asked.get("client_id") || config.client_id, scope, launch });
  } catch (error) {
    document.getElementById("busy").hidden = true;
    message.hidden = false;
    const title = document.createElement("strong");
    title.textContent = error.message;
    message.replaceChildren(title, ...(error.detail ? [document.createElement("br"), error.detail] : []));
  }
})();

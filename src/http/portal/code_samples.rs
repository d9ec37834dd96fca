//! How to use a client, with its real `client_id`: ready to paste.

use crate::app::App;
use crate::domain::clients::{ClientMetadata, ClientType, GrantType};
use crate::domain::ids::ClientId;
use crate::http::pages::portal::CodeSample;

/// Samples for what this client does.
pub(super) fn of(app: &App, id: &ClientId, metadata: &ClientMetadata) -> Vec<CodeSample> {
    let issuer = app.issuer("ORGANIZATION");
    let redirect = metadata.redirect_uris.first().map_or("https://app.example/callback", String::as_str);
    let mut samples = Vec::new();
    if metadata.may_use(GrantType::ClientCredentials) {
        samples.push(CodeSample { name: "curl".into(), code: curl(&issuer, id, metadata.client_type) });
    }
    if metadata.may_use(GrantType::AuthorizationCode) {
        samples.push(CodeSample {
            name: "JavaScript (fhirclient)".into(),
            code: format!(
                "import FHIR from \"fhirclient\";\n\n// launch page\nFHIR.oauth2.authorize({{\n  iss: \"FHIR_BASE_URL\",\n  clientId: \"{id}\",\n  scope: \"openid fhirUser launch/patient patient/Patient.rs\",\n  redirectUri: \"{redirect}\",\n}});\n\n// redirect page\nconst client = await FHIR.oauth2.ready();\nconst patient = await client.patient.read();"
            ),
        });
    }
    samples.push(CodeSample { name: "Python (Authlib)".into(), code: authlib(&issuer, id, metadata, redirect) });
    // the crate knows no assertions
    if metadata.client_type != ClientType::ConfidentialKeys {
        samples.push(CodeSample { name: "Rust (oauth2)".into(), code: oauth2(&issuer, id, metadata, redirect) });
    }
    samples
}

fn authlib(issuer: &str, id: &ClientId, metadata: &ClientMetadata, redirect: &str) -> String {
    let has_keys = metadata.client_type == ClientType::ConfidentialKeys;
    let imports = if has_keys {
        "from authlib.oauth2.rfc7523 import PrivateKeyJWT\nfrom joserfc.jwk import import_key\nimport json, time\n"
    } else {
        ""
    };
    let credential = match metadata.client_type {
        ClientType::ConfidentialSecret => "\"CLIENT_SECRET\"",
        ClientType::ConfidentialKeys => {
            "import_key(json.load(open(\"private-jwk.json\"))), token_endpoint_auth_method=\"private_key_jwt\""
        }
        ClientType::Public => "token_endpoint_auth_method=\"none\"",
    };
    // left to itself Authlib signs for an hour; SMART allows five minutes
    let proof = if has_keys {
        "session.register_client_auth_method(PrivateKeyJWT(\n    token_endpoint, alg=\"ES384\", headers={\"kid\": \"KEY_ID\"}, claims={\"exp\": int(time.time()) + 240}))\n"
    } else {
        ""
    };
    let head = format!(
        "from authlib.integrations.requests_client import OAuth2Session\n{imports}\ntoken_endpoint = \"{issuer}/token\"\n"
    );
    if metadata.may_use(GrantType::ClientCredentials) {
        return format!(
            "{head}session = OAuth2Session(\"{id}\", {credential})\n{proof}token = session.fetch_token(token_endpoint, grant_type=\"client_credentials\", scope=\"system/Patient.rs\")"
        );
    }
    format!(
        "{head}authorization_endpoint = \"{issuer}/authorize\"\nsession = OAuth2Session(\n    \"{id}\", {credential},\n    redirect_uri=\"{redirect}\", code_challenge_method=\"S256\")\n{proof}url, state = session.create_authorization_url(\n    authorization_endpoint, code_verifier=verifier, aud=\"FHIR_BASE_URL\")\n# ... the user comes back to {redirect}\ntoken = session.fetch_token(token_endpoint, authorization_response=callback_url, code_verifier=verifier)"
    )
}

fn oauth2(issuer: &str, id: &ClientId, metadata: &ClientMetadata, redirect: &str) -> String {
    let mut lines = vec![format!("let client = oauth2::basic::BasicClient::new(ClientId::new(\"{id}\".into()))")];
    if metadata.client_type == ClientType::ConfidentialSecret {
        lines.push("    .set_client_secret(ClientSecret::new(secret))".into());
    }
    if metadata.may_use(GrantType::AuthorizationCode) {
        lines.push(format!("    .set_auth_uri(AuthUrl::new(\"{issuer}/authorize\".into())?)"));
        lines.push(format!("    .set_redirect_uri(RedirectUrl::new(\"{redirect}\".into())?)"));
    }
    lines.push(format!("    .set_token_uri(TokenUrl::new(\"{issuer}/token\".into())?);"));
    lines.join("\n")
}

fn curl(issuer: &str, id: &ClientId, client_type: ClientType) -> String {
    match client_type {
        ClientType::ConfidentialKeys => format!(
            "# ASSERTION: a JWT with iss = sub = {id}, aud = {issuer}/token, a fresh jti and exp within 5 minutes,\n# signed RS384 or ES384 with your key\ncurl {issuer}/token \\\n  -d grant_type=client_credentials \\\n  -d scope=system/Patient.rs \\\n  -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \\\n  -d client_assertion=$ASSERTION"
        ),
        ClientType::ConfidentialSecret | ClientType::Public => {
            format!(
                "# where the organization takes secrets for system scopes; a key is taken everywhere\ncurl {issuer}/token \\\n  -u {id}:$CLIENT_SECRET \\\n  -d grant_type=client_credentials \\\n  -d scope=system/Patient.rs"
            )
        }
    }
}

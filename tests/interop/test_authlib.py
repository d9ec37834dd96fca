"""authlib: the usual OAuth client of Python, with every way a client may prove who it is."""

import time

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6749.errors import MismatchingStateException
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import import_key
from person import Person

VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123456789"


def fetched(demo, session, **extra):
    smart = demo.smart()
    url, state = session.create_authorization_url(
        smart["authorization_endpoint"], code_verifier=VERIFIER, aud=demo.fhir_base_url
    )
    back = Person(**demo.user).authorize(url, session.redirect_uri)
    return session.fetch_token(
        smart["token_endpoint"], authorization_response=back, code_verifier=VERIFIER, state=state, **extra
    )


def public_session(demo):
    client = demo.public_client
    return OAuth2Session(
        client["client_id"],
        redirect_uri=client["redirect_uri"],
        scope=client["scope"],
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
        revocation_endpoint_auth_method="none",
    )


def test_a_public_client_signs_in_reads_refreshes_and_revokes(demo):
    session, smart = public_session(demo), demo.smart()
    token = fetched(demo, session)
    assert token["patient"] == demo.user["patient"]
    patient = session.get(f"{demo.fhir_base_url.rstrip('/')}/Patient/{token['patient']}")
    assert patient.status_code == 200 and patient.json()["id"] == token["patient"]

    fresh = session.refresh_token(smart["token_endpoint"], refresh_token=token["refresh_token"])
    assert fresh["access_token"] != token["access_token"]
    assert fresh["scope"] == token["scope"]

    session.revoke_token(smart["revocation_endpoint"], token=fresh["refresh_token"], token_type_hint="refresh_token")
    assert demo.introspect(fresh["access_token"]) == {"active": False}


def test_a_state_of_somebody_else_is_noticed_before_the_code_is_spent(demo):
    session = public_session(demo)
    smart = demo.smart()
    url, _ = session.create_authorization_url(smart["authorization_endpoint"], code_verifier=VERIFIER, aud=demo.fhir_base_url)
    back = Person(**demo.user).authorize(url, session.redirect_uri)
    with pytest.raises(MismatchingStateException):
        session.fetch_token(smart["token_endpoint"], authorization_response=back, code_verifier=VERIFIER, state="another")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_client_credentials_with_the_secret(demo, method):
    client, smart = demo.confidential_client, demo.smart()
    session = OAuth2Session(
        client["client_id"], client["client_secret"], scope=client["scope"], token_endpoint_auth_method=method
    )
    token = session.fetch_token(smart["token_endpoint"], grant_type="client_credentials")
    assert token["scope"] == client["scope"]
    assert "refresh_token" not in token
    assert demo.introspect(token["access_token"])["client_id"] == client["client_id"]


def test_client_credentials_with_a_signed_assertion(demo):
    client, smart = demo.backend_client, demo.smart()
    algorithm = client["private_jwk"].get("alg") or ("ES384" if client["private_jwk"]["kty"] == "EC" else "RS384")
    session = OAuth2Session(
        client["client_id"],
        import_key({**client["private_jwk"], "kid": client["kid"]}),
        scope=client["scope"],
        token_endpoint_auth_method="private_key_jwt",
    )
    session.register_client_auth_method(
        # left to itself this library signs for an hour; SMART allows five minutes (SMART-AS-09)
        PrivateKeyJWT(
            smart["token_endpoint"], claims={"exp": int(time.time()) + 240}, alg=algorithm, headers={"kid": client["kid"]}
        )
    )
    token = session.fetch_token(smart["token_endpoint"], grant_type="client_credentials")
    assert token["scope"] == client["scope"]
    assert demo.introspect(token["access_token"])["active"] is True


def test_a_resource_server_introspects(demo):
    session, smart = public_session(demo), demo.smart()
    token = fetched(demo, session)
    caller = OAuth2Session(demo.resource_server["client_id"], demo.resource_server["client_secret"])
    answer = caller.introspect_token(smart["introspection_endpoint"], token=token["access_token"]).json()
    assert answer["active"] is True
    assert answer["patient"] == demo.user["patient"]


def test_an_unapproved_client_is_told_so_in_oauth(demo):
    client = demo.unapproved_client
    session = OAuth2Session(client["client_id"], client["client_secret"], scope=client["scope"])
    with pytest.raises(OAuthError) as refused:
        session.fetch_token(demo.smart()["token_endpoint"], grant_type="client_credentials")
    # the same answer as to a client nobody knows, so that nobody can try out who is registered
    assert refused.value.error == "invalid_client"

"""requests-oauthlib: raises whenever the granted scope is not the one asked for, so what is said must be exact."""

import pytest
from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError
from person import Person
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session


def signed_in(demo, scope=None, scopes=None):
    client, smart = demo.public_client, demo.smart()
    session = OAuth2Session(
        client["client_id"], redirect_uri=client["redirect_uri"], scope=(scope or client["scope"]).split(), pkce="S256"
    )
    url, _ = session.authorization_url(smart["authorization_endpoint"], aud=demo.fhir_base_url)
    back = Person(**demo.user).authorize(url, client["redirect_uri"], scopes=scopes)
    token = session.fetch_token(smart["token_endpoint"], authorization_response=back, include_client_id=True)
    return session, token


def test_what_is_allowed_as_asked_comes_back_as_asked(demo):
    session, token = signed_in(demo)
    assert set(token["scope"]) == set(demo.public_client["scope"].split())
    answer = session.get(f"{demo.fhir_base_url.rstrip('/')}/Patient/{token['patient']}")
    assert answer.status_code == 200


def test_a_scope_the_person_unticks_is_said_to_be_missing(demo):
    wanted = "launch/patient patient/Patient.rs patient/Observation.rs"
    with pytest.raises(Warning, match="Scope has changed") as changed:
        signed_in(demo, wanted, scopes=["patient/Patient.rs"])
    assert "patient/Observation.rs" not in changed.value.new_scope
    assert "patient/Patient.rs" in changed.value.new_scope


def test_refresh_by_a_public_client(demo):
    session, token = signed_in(demo)
    fresh = session.refresh_token(demo.smart()["token_endpoint"], client_id=demo.public_client["client_id"])
    assert fresh["access_token"] != token["access_token"]
    assert set(fresh["scope"]) == set(token["scope"])


def test_plain_pkce_is_refused(demo):
    client, smart = demo.public_client, demo.smart()
    session = OAuth2Session(
        client["client_id"], redirect_uri=client["redirect_uri"], scope=client["scope"].split(), pkce="plain"
    )
    url, _ = session.authorization_url(smart["authorization_endpoint"], aud=demo.fhir_base_url)
    back = Person(**demo.user).authorize(url, client["redirect_uri"])
    assert "error=invalid_request" in back
    assert "code=" not in back.replace("error_code=", "")


def test_a_made_up_code_is_invalid_grant(demo):
    client = demo.public_client
    session = OAuth2Session(client["client_id"], redirect_uri=client["redirect_uri"], pkce="S256")
    session.authorization_url(demo.smart()["authorization_endpoint"])
    with pytest.raises(InvalidGrantError):
        session.fetch_token(demo.smart()["token_endpoint"], code="BAD_CODE", include_client_id=True)


def test_client_credentials_with_basic(demo):
    client = demo.confidential_client
    session = OAuth2Session(client=BackendApplicationClient(client["client_id"], scope=client["scope"].split()))
    token = session.fetch_token(
        demo.smart()["token_endpoint"], auth=HTTPBasicAuth(client["client_id"], client["client_secret"])
    )
    assert set(token["scope"]) == set(client["scope"].split())

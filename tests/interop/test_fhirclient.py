"""fhirclient for Python: knows only the CapabilityStatement, and sends client_id and state together with Basic."""

from fhirclient import client as fhir
from fhirclient.models.observation import Observation
from fhirclient.server import FHIRUnauthorizedException
from person import Person

SCOPE = "openid fhirUser offline_access patient/Patient.rs patient/Observation.rs"


def launched(demo, registered, redirect_uri):
    app = fhir.FHIRClient(settings={
        "app_id": registered["client_id"],
        "app_secret": registered.get("client_secret"),
        "api_base": demo.fhir_base_url,
        "redirect_uri": redirect_uri,
        "scope": SCOPE,
    })
    app.wants_patient = True
    app.prepare()
    assert app.authorize_url, "the CapabilityStatement names no authorization endpoint"
    app.handle_callback(Person(**demo.user).authorize(app.authorize_url, redirect_uri))
    return app


def test_a_public_app_launches_from_the_capability_statement_alone(demo):
    redirect_uri = "http://127.0.0.1:9/py-public"
    registered = demo.approved_client(
        f"launch/patient {SCOPE}",
        client_type="public",
        grant_types=["authorization_code", "refresh_token"],
        redirect_uris=[redirect_uri],
    )
    app = launched(demo, registered, redirect_uri)
    assert app.patient.id == demo.user["patient"]
    assert app.reauthorize()
    found = Observation.where({"patient": app.patient_id}).perform(app.server)
    assert found.resource_type == "Bundle"


def test_an_app_with_a_secret_loses_access_at_disable(demo):
    redirect_uri = "https://py.interop.example/callback"
    registered = demo.approved_client(
        f"launch/patient {SCOPE}",
        client_type="confidential_secret",
        grant_types=["authorization_code", "refresh_token"],
        redirect_uris=[redirect_uri],
    )
    app = launched(demo, registered, redirect_uri)
    assert app.patient.id == demo.user["patient"]
    demo.disable(registered["client_id"])
    try:
        Observation.where({"patient": app.patient_id}).perform(app.server)
    except FHIRUnauthorizedException:
        return
    raise AssertionError("the FHIR server still answered")

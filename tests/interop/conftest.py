"""One running demo for all Python clients, and helpers to register clients of our own."""

import json
import os
import pathlib
import subprocess
import tempfile
import types

import pytest
import requests

# the demo speaks http on loopback, which these libraries rightly refuse elsewhere
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

PROGRAM = os.environ.get(
    "COUNTERSIGN_BIN", pathlib.Path(__file__).resolve().parents[2] / "target/debug/countersign"
)


class Demo(types.SimpleNamespace):
    """The demo's line of JSON, with what the tests ask of it."""

    def smart(self):
        """The SMART configuration of the FHIR endpoint."""
        base = self.fhir_base_url.rstrip("/")
        return requests.get(f"{base}/.well-known/smart-configuration").json()

    def introspect(self, token):
        """What the FHIR server would be told."""
        auth = (self.resource_server["client_id"], self.resource_server["client_secret"])
        answer = requests.post(self.smart()["introspection_endpoint"], data={"token": token}, auth=auth)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def approved_client(self, scope, **metadata):
        """Registers a client as a developer and has staff approve it."""
        client = self._api("developer", "POST", "/api/v1/clients", {"metadata": {
            "name": "Interop",
            "description": "Registered by a test",
            "contacts": ["interop@example.org"],
            **metadata,
        }})
        if metadata.get("client_type") == "confidential_secret":
            made = self._api("developer", "POST", f"/api/v1/clients/{client['client_id']}/secrets", {})
            client["client_secret"] = made["client_secret"]
        requests_path = f"/api/v1/organizations/{self.organization}/access-requests"
        asked = self._api("developer", "POST", requests_path, {
            "client_id": client["client_id"],
            "fhir_endpoint": self.fhir_base_url,
            "reason": "To see that a client nobody here wrote gets along.",
            "scopes": scope,
        })["access_request"]
        waiting = self._api("staff", "GET", f"{requests_path}/{asked['id']}")
        self._api("staff", "POST", f"{requests_path}/{asked['id']}/approve", {"digest": waiting["digest"]})
        return client

    def disable(self, client_id):
        """Staff disable a client."""
        path = f"/api/v1/organizations/{self.organization}/clients/{client_id}/disable"
        self._api("staff", "POST", path, {"reason": "A test says so."})

    def _api(self, who, method, path, body=None):
        token = getattr(self, who)["api_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(method, self.base_url.rstrip("/") + path, json=body, headers=headers)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.text else None


@pytest.fixture(scope="session")
def demo():
    """The running demo."""
    with tempfile.TemporaryDirectory(prefix="countersign-demo-") as folder, open(f"{folder}/log", "w+") as log:
        command = [PROGRAM, "demo", "--json", "--listen", "127.0.0.1:0", "--data", f"{folder}/data"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            line = process.stdout.readline()
            if not line:
                log.seek(0)
                pytest.exit(f"the demo ended before it was ready:\n{log.read()}", returncode=1)
            yield Demo(**json.loads(line))
        finally:
            process.terminate()
            process.wait()

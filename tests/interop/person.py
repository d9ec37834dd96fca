"""A person with a browser that knows no JavaScript: follows redirects, keeps cookies, fills in forms."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Left(Exception):
    """The journey left for the redirect URI."""

    def __init__(self, url):
        super().__init__(url)
        self.url = url


class _Forms(HTMLParser):
    """Collects forms as (action, method, controls); a control is a dict of its attributes with its tag."""

    def __init__(self):
        super().__init__()
        self.forms = []
        self._inside = False
        self._select = None

    def handle_starttag(self, tag, attrs):
        given = {name: value if value is not None else "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), given.get("method", "get").lower(), []))
            self._inside = True
        elif self._inside and tag in ("input", "button", "textarea"):
            kind = given.get("type", {"input": "text", "button": "submit"}.get(tag, tag))
            self.forms[-1][2].append({**given, "type": kind})
        elif self._inside and tag == "select":
            self._select = {**given, "type": "select"}
            self.forms[-1][2].append(self._select)
        elif tag == "option" and self._select is not None:
            if "value" not in self._select or "selected" in given:
                self._select["value"] = given.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = None


class Person:
    """Signs in as one demo account, picks a patient, and decides."""

    def __init__(self, email, password, patient=None, **_):
        self.email, self.password, self.patient = email, password, patient
        self.session = requests.Session()

    def authorize(self, url, redirect_uri, decision="allow", scopes=None):
        """Goes through the pages as they come up; returns the URL with which the browser goes back to the app."""
        try:
            page = self._go("GET", url, redirect_uri)
            for _ in range(10):
                page = self._answer(page, redirect_uri, decision, scopes)
        except Left as left:
            return left.url
        raise AssertionError(f"never came back from {url}")

    def _answer(self, page, redirect_uri, decision, scopes):
        parser = _Forms()
        parser.feed(page.text)
        for action, method, controls in parser.forms:
            names = {control.get("name") for control in controls}
            if "password" in names:
                values, press = {"email": self.email, "password": self.password}, None
            elif "patient" in names:
                values, press = {}, ("patient", self.patient)
            elif "decision" in names:
                values, press = {"offline": True, "scope": scopes}, ("decision", decision)
            else:
                continue
            fields = _filled(controls, values)
            if press:
                assert press[1] in [c.get("value") for c in controls if c.get("name") == press[0]], f"no {press} on {page.url}"
                fields.append(press)
            assert method == "post", f"{page.url} sends a decision by {method}"
            return self._go("POST", urljoin(page.url, action), redirect_uri, fields)
        raise AssertionError(f"nothing to do on {page.url} ({page.status_code}):\n{page.text[:2000]}")

    def _go(self, method, url, redirect_uri, fields=None):
        headers = {"Origin": "/".join(url.split("/")[:3])} if fields else {}
        for _ in range(20):
            answer = self.session.request(method, url, data=fields, headers=headers, allow_redirects=False)
            if not answer.is_redirect:
                return answer
            url = urljoin(url, answer.headers["Location"])
            if url.split("?")[0].split("#")[0] == redirect_uri:
                raise Left(url)
            method, fields, headers = "GET", None, {}
        raise AssertionError(f"redirected in circles at {url}")


def _filled(controls, values):
    fields = []
    for control in controls:
        name, kind, value = control.get("name"), control["type"], control.get("value", "")
        if not name or "disabled" in control or kind in ("submit", "button"):
            continue
        wanted = values.get(name)
        if kind in ("checkbox", "radio"):
            ticked = "checked" in control if wanted is None else wanted is True or value in wanted
            if ticked:
                fields.append((name, value or "on"))
        else:
            fields.append((name, value if wanted is None or kind == "hidden" else wanted))
    return fields

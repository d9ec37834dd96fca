// The page: start, chart, and what happens when access ends.
"use strict";

(() => {
  const at = (id) => document.getElementById(id);
  const parts = ["start", "busy", "people", "chart", "access"];
  const show = (...visible) => parts.forEach((part) => { at(part).hidden = !visible.includes(part); });

  const SECTIONS = [
    ["problems", (id) => `Condition?patient=${id}&_count=100`, Chart.problems],
    ["medications", (id) => `MedicationRequest?patient=${id}&_count=100`, Chart.medications],
    ["allergies", (id) => `AllergyIntolerance?patient=${id}&_count=100`, Chart.allergies],
    ["vitals", (id) => `Observation?patient=${id}&category=vital-signs&_sort=-date&_count=200`, (bundle) => Chart.series(bundle, false)],
    ["labs", (id) => `Observation?patient=${id}&category=laboratory&_sort=-date&_count=200`, (bundle) => Chart.series(bundle, true)],
  ];

  function say(title, detail, kind = "trouble") {
    const message = at("message");
    message.className = `message ${kind}`;
    message.replaceChildren(Chart.element("strong", title), ...(detail ? [Chart.element("span", detail, "below")] : []));
    message.hidden = false;
  }
  const hush = () => { at("message").hidden = true; };

  function busy(text) {
    at("busy-text").textContent = text;
    show("busy");
  }

  // The one place that decides what an error means for the page.
  function fail(error) {
    if (error.kind === "withdrawn") {
      Smart.forget();
      clearChart();
      begin();
      say("Access has been withdrawn", `${error.message} Nothing is shown any more. You can ask for access again below.`, "withdrawn");
    } else if (error.kind === "sign-in") {
      begin();
      say(error.message, error.detail);
    } else {
      if (at("chart").hidden) begin();
      say(error.message || "Something went wrong.", error.detail);
      if (!(error instanceof Smart.SmartError)) console.error(error);
    }
    at("message").scrollIntoView({ block: "nearest" });
  }

  let config = null;
  function begin() {
    show(...(Smart.session() ? ["start", "access"] : ["start"]));
    if (!config) return;
    if (!at("client").value) at("client").value = config.client_id;
    if (!at("scope").value) at("scope").value = config.scope.split(" ").join("\n");
    at("iss").value = config.iss;
  }

  function clearChart() {
    for (const id of ["patient-name", "patient-facts", "problems", "medications", "allergies", "vitals", "labs", "people-list", "scopes", "who"]) {
      at(id).replaceChildren();
    }
    document.title = "Chart Reader";
  }

  async function load(patientId = Smart.session()?.patient) {
    if (!patientId) return choose();
    const id = encodeURIComponent(patientId);
    const patient = await Smart.read(`Patient/${id}`).catch((error) => {
      if (error.kind === "scope") return null;
      throw error;
    });
    at("patient-name").textContent = patient ? Chart.nameOf(patient) : "Patient details not shared";
    at("patient-facts").textContent = patient ? Chart.facts(patient) : "";
    document.title = `${at("patient-name").textContent} – Chart Reader`;
    const failures = await Promise.all(SECTIONS.map(async ([place, path, draw]) => {
      try {
        at(place).replaceChildren(draw(await Smart.read(path(id))));
        return null;
      } catch (error) {
        at(place).replaceChildren(Chart.nothing(error.kind ? error.message : "This could not be shown."));
        return error.kind === "scope" ? null : error;
      }
    }));
    const worst = failures.find((error) => error?.kind === "withdrawn") || failures.find(Boolean);
    if (worst) throw worst;
    current = patientId;
    show("chart", "access");
    describeAccess();
  }

  // Without a patient in the launch (a clinician's `user/` scopes), the app offers those the server lists.
  async function choose() {
    const people = Chart.entries(await Smart.read("Patient?_sort=family&_count=50"));
    at("people-list").replaceChildren(...people.map((patient) => {
      const button = Chart.element("button", [Chart.element("span", Chart.nameOf(patient), "strong"), Chart.element("span", Chart.facts(patient), "quiet below")]);
      button.type = "button";
      button.addEventListener("click", () => run("Loading the chart…", () => load(patient.id)));
      return Chart.element("li", button);
    }));
    if (!people.length) at("people-list").replaceChildren(Chart.element("li", Chart.nothing("There is no patient this app may see.")));
    show("people", "access");
    describeAccess();
  }

  let current = null;
  function describeAccess() {
    const session = Smart.session();
    if (!session) return;
    at("who").textContent = session.user || "not told to this app";
    at("renewal").textContent = session.refreshToken ? "yes, the app can renew its access" : "none: the access ends with the token";
    at("refresh").disabled = !session.refreshToken;
    const scopes = session.scope.split(" ").filter(Boolean).sort();
    at("scopes").replaceChildren(...scopes.map((scope) => Chart.element("li", Chart.element("code", scope))));
    tick();
  }

  function tick() {
    const session = Smart.session();
    if (!session || at("access").hidden) return;
    const seconds = Math.round((session.expiresAt - Date.now()) / 1000);
    const time = `${Math.floor(Math.abs(seconds) / 60)} min ${Math.abs(seconds) % 60} s`;
    at("expiry").textContent = seconds > 0 ? `valid for ${time}` : `expired ${time} ago`;
  }

  async function run(text, action, { keepChart = false } = {}) {
    hush();
    if (!keepChart) busy(text);
    document.body.setAttribute("aria-busy", "true");
    try {
      await action();
    } catch (error) {
      fail(error);
    } finally {
      document.body.removeAttribute("aria-busy");
      describeAccess();
    }
  }

  Smart.watchLog((entries) => {
    at("log-count").textContent = entries.length;
    at("log").replaceChildren(...entries.slice(-50).map((entry) => Chart.element("li", [
      Chart.element("code", entry.label), Chart.element("span", `${entry.status}, ${entry.ms} ms`, "quiet"),
    ])));
  });

  at("connect").addEventListener("submit", (event) => {
    event.preventDefault();
    const scope = at("scope").value.split(/\s+/).filter(Boolean).join(" ");
    run("Going to the hospital…", () => Smart.authorize({ iss: config.iss, clientId: at("client").value.trim(), scope }));
  });
  at("reload").addEventListener("click", () => run("", async () => {
    await load(current || undefined);
    say("The chart was loaded again.", "", "good");
  }, { keepChart: true }));
  at("refresh").addEventListener("click", () => run("", async () => {
    await Smart.refresh();
    say("The access was renewed.", "", "good");
  }, { keepChart: true }));
  at("forget").addEventListener("click", () => run("Giving the access back…", async () => {
    await Smart.giveBack();
    clearChart();
    begin();
    at("main").focus();
  }));
  setInterval(tick, 1000);

  run("One moment…", async () => {
    config = await Smart.ownConfig();
    const search = location.search;
    if (/[?&](code|error)=/.test(search)) {
      busy("Finishing the sign-in…");
      await Smart.complete(search);
      await load();
    } else if (Smart.session()) {
      await load();
    } else {
      begin();
    }
  });
})();

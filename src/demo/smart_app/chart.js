// From FHIR resources to something a tired person can read. Every value goes into the page as text, never as markup.
"use strict";

const Chart = (() => {
  const element = (name, content = "", className = "") => {
    const made = document.createElement(name);
    made.append(...[content].flat());
    if (className) made.className = className;
    return made;
  };
  const day = (text) => text
    ? new Date(text).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" })
    : "date unknown";
  const words = (concept) => concept?.text || concept?.coding?.find((coding) => coding.display)?.display || concept?.coding?.[0]?.code || "unnamed";
  const code = (concept) => concept?.coding?.[0]?.code;
  const entries = (bundle) => (bundle.entry || []).map((entry) => entry.resource);
  const nothing = (text) => element("p", text, "quiet");

  function nameOf(patient) {
    const name = (patient.name || []).find((name) => name.use !== "old") || {};
    return name.text || [...(name.given || []), name.family].filter(Boolean).join(" ") || "Name unknown";
  }

  function facts(patient) {
    const age = patient.birthDate && Math.floor((Date.now() - new Date(patient.birthDate)) / 31557600000);
    return [
      patient.birthDate && `born ${day(patient.birthDate)} (${age})`,
      patient.gender,
      patient.identifier?.[0]?.value && `patient number ${patient.identifier[0].value}`,
    ].filter(Boolean).join(" · ");
  }

  function list(items, line) {
    const made = element("ul", items.map(line), "lines");
    return made;
  }

  function line(title, more, badge = "") {
    const first = element("span", title, "strong");
    const parts = [first];
    if (badge) parts.push(" ", element("span", badge, "badge"));
    if (more) parts.push(element("span", more, "quiet below"));
    return element("li", parts);
  }

  function problems(bundle) {
    const all = entries(bundle);
    if (!all.length) return nothing("None recorded that this app may see.");
    const active = (condition) => code(condition.clinicalStatus) === "active";
    all.sort((a, b) => active(b) - active(a) || (b.onsetDateTime || "").localeCompare(a.onsetDateTime || ""));
    return list(all, (condition) => line(
      words(condition.code),
      `since ${day(condition.onsetDateTime)}` + (condition.abatementDateTime ? `, until ${day(condition.abatementDateTime)}` : ""),
      active(condition) ? "" : "past",
    ));
  }

  function medications(bundle) {
    const all = entries(bundle);
    if (!all.length) return nothing("None recorded that this app may see.");
    all.sort((a, b) => (b.status === "active") - (a.status === "active"));
    return list(all, (request) => line(
      words(request.medicationCodeableConcept),
      [request.dosageInstruction?.[0]?.text, `prescribed ${day(request.authoredOn)}`].filter(Boolean).join(" · "),
      request.status === "active" ? "" : "past",
    ));
  }

  function allergies(bundle) {
    const all = entries(bundle);
    if (!all.length) return nothing("None recorded that this app may see.");
    return list(all, (allergy) => line(
      words(allergy.code),
      (allergy.reaction || []).flatMap((reaction) => reaction.manifestation.map(words)).join(", "),
      allergy.criticality === "high" ? "high risk" : "",
    ));
  }

  const shown = (quantity) => quantity ? `${quantity.value} ${quantity.unit || ""}`.trim() : "";

  function valueOf(observation) {
    if (observation.component) {
      const parts = observation.component.map((part) => part.valueQuantity?.value).join(" / ");
      return `${parts} ${observation.component[0].valueQuantity?.unit || ""}`.trim();
    }
    return shown(observation.valueQuantity) || words(observation.valueCodeableConcept);
  }

  // Explicit roles: the narrow layout turns rows into blocks, and they must stay rows for a screen reader.
  function cell(name, role, content, className = "") {
    const made = element(name, content, className);
    made.setAttribute("role", role);
    return made;
  }

  // Earlier values need no unit: it is the one of the latest.
  const bareValue = (observation) => observation.component
    ? observation.component.map((part) => part.valueQuantity?.value).join(" / ")
    : String(observation.valueQuantity?.value ?? words(observation.valueCodeableConcept));

  // One row per kind of measurement, newest value first, up to four visits.
  function series(bundle, markRange) {
    const kinds = new Map();
    for (const observation of entries(bundle)) {
      const key = code(observation.code) || words(observation.code);
      if (!kinds.has(key)) kinds.set(key, []);
      kinds.get(key).push(observation);
    }
    if (!kinds.size) return nothing("None recorded that this app may see.");
    const head = cell("tr", "row", ["Measurement", "Latest", "Before"].map((text) => cell("th", "columnheader", text)));
    const rows = [...kinds.values()].map((values) => {
      values.sort((a, b) => (b.effectiveDateTime || "").localeCompare(a.effectiveDateTime || ""));
      const [latest, ...before] = values;
      const name = cell("th", "rowheader", words(latest.code));
      const now = cell("td", "cell", [element("span", valueOf(latest), "strong")]);
      const flag = markRange ? { H: "high", L: "low" }[code(latest.interpretation?.[0])] : null;
      if (flag) now.append(" ", element("span", flag, "badge"));
      now.append(element("span", day(latest.effectiveDateTime), "quiet below"));
      const then = before.slice(0, 3).map((value) => element("span", [
        `${bareValue(value)} `, element("span", `on ${day(value.effectiveDateTime)}`),
      ], "earlier"));
      return cell("tr", "row", [name, now, cell("td", "cell", then, then.length ? "" : "empty")]);
    });
    return cell("table", "table", [cell("thead", "rowgroup", head), cell("tbody", "rowgroup", rows)]);
  }

  return { element, nameOf, facts, entries, problems, medications, allergies, series, nothing };
})();

//! What samples are made of: the same hostile and oversized strings on every page, so nobody forgets one.

/// Markup that must never run. `tests/templates.rs` looks for its unescaped form in every page.
pub const MARKUP: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>";

/// Right-to-left text with an override mark that must not turn the rest of the line around.
pub const RTL: &str = "\u{202e}\u{5de}\u{5e8}\u{5e4}\u{5d0}\u{5d4} \u{627}\u{644}\u{633}\u{644}\u{627}\u{645}";

/// Characters outside the basic plane, joined.
pub const EMOJI: &str = "👩🏽‍⚕️🏥💉 Zoë Ångström-Łukasiewicz";

/// A name of eighty characters without a place to break it.
pub const LONG_WORD: &str = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaf";

/// A name of eighty characters with spaces.
pub const LONG_NAME: &str = "Integrated Longitudinal Care Coordination Companion for Community Hospitals Plus";

/// A URL that must not become a link.
pub const BAD_URL: &str = "javascript:alert(document.domain)";

use super::parts::{ScopeChoice, ScopeGroup, ScopeLine};

/// What a typical patient app asks for.
pub fn typical_groups() -> Vec<ScopeGroup> {
    let mut observations = ScopeLine::new("patient/Observation.rs", "See and search measurements and test results.");
    observations.choices = vec![
        choice(
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
            "Vital signs such as blood pressure and weight",
        ),
        choice(
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
            "Laboratory results",
        ),
        choice(
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history",
            "Social history such as smoking and alcohol",
        ),
    ];
    let mut notes =
        ScopeLine::new("patient/DocumentReference.rs", "See and search letters, reports and other documents.");
    notes.sensitive = true;
    notes.detail = "Documents may contain notes about mental or sexual health.".into();
    let mut add = ScopeLine::new("patient/Appointment.c", "Add appointments.");
    add.writes = true;
    vec![
        group("Documents", true, vec![notes]),
        group("Measurements and results", false, vec![observations]),
        group(
            "Appointments",
            false,
            vec![ScopeLine::new("patient/Appointment.rs", "See and search appointments."), add],
        ),
        group(
            "Who you are",
            false,
            vec![fixed("openid", "Know that it is you."), fixed("fhirUser", "Know your name and your role.")],
        ),
    ]
}

/// Everything, with each kind of data and its parts to choose from instead.
pub fn everything() -> Vec<ScopeGroup> {
    let mut line =
        ScopeLine::new("patient/*.rs", "See and search everything in the record, kinds of data added later too.");
    line.sensitive = true;
    line.choices =
        (1..=36).map(|number| choice(&format!("patient/Kind{number}.rs"), &format!("Kind of data {number}"))).collect();
    vec![group("Everything", true, vec![line])]
}

/// Sixty scopes in twelve groups.
pub fn sixty_scopes() -> Vec<ScopeGroup> {
    (1..=12)
        .map(|group_number| {
            let lines = (1..=5)
                .map(|line_number| ScopeLine {
                    writes: line_number == 2,
                    sensitive: group_number < 3,
                    detail: "Also covers kinds of this data that the organization adds later, with every note that was written beside them.".into(),
                    ..ScopeLine::new(
                        &format!("user/MedicationAdministration{group_number}.cruds?_security:not={LONG_WORD}{line_number}"),
                        "See, search, add, change and delete medication that was administered to the patients you may see, together with the reasons that were given for it.",
                    )
                })
                .collect();
            group(&format!("{LONG_NAME} {group_number}"), group_number < 3, lines)
        })
        .collect()
}

/// Groups with markup and right-to-left text in every field.
pub fn hostile_groups() -> Vec<ScopeGroup> {
    let mut line = ScopeLine::new(MARKUP, MARKUP);
    line.detail = RTL.into();
    line.choices = vec![choice(MARKUP, RTL)];
    vec![group(MARKUP, true, vec![line]), group(EMOJI, false, vec![fixed(RTL, EMOJI)])]
}

fn group(title: &str, sensitive: bool, lines: Vec<ScopeLine>) -> ScopeGroup {
    ScopeGroup { title: title.into(), sensitive, lines }
}

fn fixed(scope: &str, text: &str) -> ScopeLine {
    ScopeLine { fixed: true, ..ScopeLine::new(scope, text) }
}

fn choice(scope: &str, text: &str) -> ScopeChoice {
    ScopeChoice { scope: scope.into(), text: text.into(), ticked: false }
}

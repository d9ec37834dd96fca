//! St. Mary's itself: organizations, places, people who work there, the patients' demographics and who may act for whom.

use serde_json::{Value, json};

use super::chart::{Code, SNOMED, coded, concept, reference, resource};
use super::ids;

const SINCE: &str = "2024-01-08";

pub(super) fn resources() -> Vec<Value> {
    let mut all = vec![
        organization(ids::ORGANIZATION, "St. Mary Hospital", "prov"),
        organization(ids::LABORATORY, "St. Mary Clinical Laboratory", "dept"),
        organization(ids::INSURER, "Zilver Health Insurance", "ins"),
        location(ids::LOCATION_CLINIC, "Outpatient clinic, ground floor"),
        location(ids::LOCATION_WARD, "Ward 3 West"),
    ];
    for (id, family, given, prefix, role) in [
        (ids::DR_BAKKER, "Bakker", "Ruth", Some("Dr."), ("62247001", "General practitioner")),
        (ids::DR_RAHMAN, "Rahman", "Aisha", Some("Dr."), ("17561000", "Cardiologist")),
        (ids::DR_NOVAK, "Novak", "Lena", Some("Dr."), ("82296001", "Pediatrician")),
        (ids::NURSE_HENDRIKS, "Hendriks", "Tom", None, ("224535009", "Registered nurse")),
    ] {
        all.extend(practitioner(id, (family, given, prefix), role));
    }
    all.push(patient(&Demographics {
        id: ids::ANNA,
        number: "SM-100412",
        family: "de Vries",
        given: &["Anna", "Maria"],
        gender: "female",
        born: "1984-03-12",
        town: "Linden",
        doctor: ids::DR_BAKKER,
    }));
    all.push(patient(&Demographics {
        id: ids::SAM,
        number: "SM-100977",
        family: "de Vries",
        given: &["Sam"],
        gender: "male",
        born: "2019-05-23",
        town: "Linden",
        doctor: ids::DR_NOVAK,
    }));
    all.push(patient(&Demographics {
        id: ids::JOSEPH,
        number: "SM-100038",
        family: "Okafor",
        given: &["Joseph", "Emeka"],
        gender: "male",
        born: "1951-07-30",
        town: "Oosterbrug",
        doctor: ids::DR_RAHMAN,
    }));
    all.push(patient(&Demographics {
        id: ids::MEI,
        number: "SM-100655",
        family: "Tan",
        given: &["Mei"],
        gender: "female",
        born: "1998-01-05",
        town: "Linden",
        doctor: ids::DR_BAKKER,
    }));
    all.push(resource("RelatedPerson", ids::ANNA_FOR_SAM, SINCE, json!({
        "active": true,
        "patient": reference(&format!("Patient/{}", ids::SAM)),
        "relationship": [{
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH", "display": "mother"}],
            "text": "mother",
        }],
        "name": [{"use": "official", "text": "Anna de Vries", "family": "de Vries", "given": ["Anna", "Maria"]}],
        "gender": "female",
        "birthDate": "1984-03-12",
    })));
    all.push(resource(
        "Person",
        ids::PERSON_ANNA,
        SINCE,
        json!({
            "name": [{"use": "official", "text": "Anna de Vries", "family": "de Vries", "given": ["Anna", "Maria"]}],
            "gender": "female",
            "birthDate": "1984-03-12",
            "active": true,
            "link": [
                {"target": reference(&format!("Patient/{}", ids::ANNA)), "assurance": "level3"},
                {"target": reference(&format!("RelatedPerson/{}", ids::ANNA_FOR_SAM)), "assurance": "level3"},
            ],
        }),
    ));
    all
}

fn organization(id: &str, name: &str, kind: &str) -> Value {
    let mut fields = json!({
        "identifier": [{"system": "https://st-mary.example/organizations", "value": id}],
        "active": true,
        "type": [coded("http://terminology.hl7.org/CodeSystem/organization-type", kind)],
        "name": name,
    });
    if id == ids::LABORATORY {
        fields["partOf"] = reference(&format!("Organization/{}", ids::ORGANIZATION));
    }
    resource("Organization", id, SINCE, fields)
}

fn location(id: &str, name: &str) -> Value {
    resource(
        "Location",
        id,
        SINCE,
        json!({
            "status": "active",
            "name": name,
            "mode": "instance",
            "managingOrganization": reference(&format!("Organization/{}", ids::ORGANIZATION)),
        }),
    )
}

fn practitioner(id: &str, (family, given, prefix): (&str, &str, Option<&str>), role: Code) -> [Value; 2] {
    let text = prefix.map_or_else(|| format!("{given} {family}"), |prefix| format!("{prefix} {given} {family}"));
    let mut name = json!({"use": "official", "text": text, "family": family, "given": [given]});
    if let Some(prefix) = prefix {
        name["prefix"] = json!([prefix]);
    }
    [
        resource(
            "Practitioner",
            id,
            SINCE,
            json!({
                "identifier": [{"system": "https://st-mary.example/staff", "value": format!("staff-{id}")}],
                "active": true,
                "name": [name],
            }),
        ),
        resource(
            "PractitionerRole",
            &format!("{id}-role"),
            SINCE,
            json!({
                "active": true,
                "practitioner": reference(&format!("Practitioner/{id}")),
                "organization": reference(&format!("Organization/{}", ids::ORGANIZATION)),
                "code": [concept(SNOMED, role)],
                "location": [reference(&format!("Location/{}", ids::LOCATION_CLINIC))],
            }),
        ),
    ]
}

struct Demographics {
    id: &'static str,
    number: &'static str,
    family: &'static str,
    given: &'static [&'static str],
    gender: &'static str,
    born: &'static str,
    town: &'static str,
    doctor: &'static str,
}

fn patient(who: &Demographics) -> Value {
    resource(
        "Patient",
        who.id,
        SINCE,
        json!({
            "identifier": [{
                "use": "usual",
                "type": coded("http://terminology.hl7.org/CodeSystem/v2-0203", "MR"),
                "system": "https://st-mary.example/patients",
                "value": who.number,
            }],
            "active": true,
            "name": [{"use": "official", "text": format!("{} {}", who.given[0], who.family), "family": who.family, "given": who.given}],
            "telecom": [{"system": "email", "value": format!("{}@example.org", who.id)}],
            "gender": who.gender,
            "birthDate": who.born,
            "address": [{"use": "home", "line": ["Kerkstraat 7"], "city": who.town, "country": "NL"}],
            "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "nl"}], "text": "Dutch"}, "preferred": true}],
            "generalPractitioner": [reference(&format!("Practitioner/{}", who.doctor))],
            "managingOrganization": reference(&format!("Organization/{}", ids::ORGANIZATION)),
        }),
    )
}

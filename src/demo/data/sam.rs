//! Sam de Vries, 7: asthma and a peanut allergy; his mother Anna has proxy access.

use serde_json::Value;

use super::chart::Chart;
use super::ids;
use super::results::{BLOOD_COUNT, ferritin, hemoglobin, leukocytes, platelets};

pub(super) fn chart() -> Vec<Value> {
    let mut chart = Chart::of(ids::SAM, "sam");
    chart.provenance("2024-01-08").coverage("2024-01-01", "ZH-5521908");
    for (day, what) in [
        ("2019-07-23", ("110", "DTaP, hepatitis B and polio vaccine")),
        ("2019-07-23", ("133", "Pneumococcal conjugate vaccine")),
        ("2019-09-24", ("110", "DTaP, hepatitis B and polio vaccine")),
        ("2020-05-26", ("110", "DTaP, hepatitis B and polio vaccine")),
        ("2020-05-26", ("133", "Pneumococcal conjugate vaccine")),
        ("2020-07-21", ("03", "Measles, mumps and rubella vaccine")),
        ("2023-06-13", ("130", "DTaP and polio vaccine")),
        ("2025-10-14", ("140", "Influenza vaccine")),
    ] {
        chart.vaccine(day, what);
    }
    chart
        .visit("2025-01-21", "AMB", ("410620009", "Well child visit"), "Practitioner/lena-novak")
        .condition("problem-list-item", "asthma", ("195967001", "Asthma"), "2023-10-03", None)
        .condition("problem-list-item", "eczema", ("43116000", "Eczema"), "2020-02-11", Some("2023-04-01"))
        .allergy("food", "peanut", ("762952008", "Peanut"), ("271807003", "Skin rash"), "high")
        .blood_pressure("96", "58")
        .round("18.9", "112", "98", "36.8")
        .vital("oxygen", ("2708-6", "Oxygen saturation"), "98", "%")
        .medication("active", "salbutamol", ("R03AC02", "Salbutamol inhaler 100 microgram"), "Two puffs when short of breath, with the spacer")
        .medication("active", "fluticasone", ("R03BA05", "Fluticasone inhaler 50 microgram"), "One puff twice a day, with the spacer")
        .plan(
            &["Practitioner/lena-novak", "RelatedPerson/anna-for-sam"],
            "No school days missed because of asthma",
            "2027-06-01",
            "Inhaler technique at every visit; written action plan for school; adrenaline pen within reach.",
        )
        .visit("2025-11-18", "EMER", ("50849002", "Emergency visit"), "Practitioner/lena-novak")
        .condition("encounter-diagnosis", "exacerbation", ("708038006", "Asthma attack"), "2025-11-18", Some("2025-11-21"))
        .round("20.2", "116", "128", "37.4")
        .vital("oxygen", ("2708-6", "Oxygen saturation"), "92", "%")
        .vital("breathing", ("9279-1", "Respiratory rate"), "34", "/min")
        .medication("completed", "prednisolone", ("H02AB06", "Prednisolone oral solution"), "20 mg once a day for three days")
        .note("emergency", ("11506-3", "Progress note"), "Wheezing after a cold. Much better after three rounds of salbutamol. Home with prednisolone; review in two weeks.")
        .visit("2026-05-26", "AMB", ("410620009", "Well child visit"), "Practitioner/lena-novak")
        .condition("health-concern", "wheezing", ("56018004", "Wheezing"), "2026-02-01", None)
        .blood_pressure("98", "60")
        .round("21.6", "120", "92", "36.7")
        .vital("oxygen", ("2708-6", "Oxygen saturation"), "99", "%")
        .panel("blood-count", BLOOD_COUNT, &[hemoglobin("12.6"), leukocytes("7.8"), platelets("288"), ferritin("22")])
        .procedure("spirometry", ("127783003", "Spirometry"))
        .social("home", ("72166-2", "Tobacco smoking status"), ("266919005", "Never smoked"))
        .vital("bmi-percentile", ("59576-9", "Body mass index percentile for age"), "41", "%")
        .note("well-child", ("11506-3", "Progress note"), "Growing along his line. Uses both inhalers correctly. Asthma well controlled since January.")
        .appointment("2027-01-19", "Practitioner/lena-novak", "Asthma review");
    chart.finish()
}

//! Anna de Vries, 42: type 2 diabetes and high blood pressure, followed by her general practitioner.

use serde_json::Value;

use super::chart::Chart;
use super::ids;
use super::results::{
    BLOOD_COUNT, LIPIDS, METABOLIC, creatinine, glucose, hba1c, hdl, hemoglobin, ldl, leukocytes, potassium,
};

pub(super) fn chart() -> Vec<Value> {
    let mut chart = Chart::of(ids::ANNA, "anna");
    chart
        .provenance("2024-01-08")
        .coverage("2024-01-01", "ZH-5521907")
        .visit("2025-03-10", "AMB", ("185349003", "Check-up"), "Practitioner/ruth-bakker")
        .condition("problem-list-item", "diabetes", ("44054006", "Type 2 diabetes"), "2023-11-02", None)
        .condition("problem-list-item", "hypertension", ("38341003", "High blood pressure"), "2022-06-15", None)
        .allergy("medication", "penicillin", ("373270004", "Penicillin"), ("247472004", "Hives"), "high")
        .blood_pressure("148", "92")
        .round("81.4", "168", "76", "36.7")
        .panel("metabolic", METABOLIC, &[glucose("162"), creatinine("0.82"), potassium("4.3"), hba1c("7.9")])
        .panel("lipids", LIPIDS, &[ldl("134"), hdl("46")])
        .social("smoking", ("72166-2", "Tobacco smoking status"), ("8517006", "Former smoker"))
        .medication("active", "metformin", ("A10BA02", "Metformin 500 mg tablet"), "One tablet twice a day with a meal")
        .medication("active", "lisinopril", ("C09AA03", "Lisinopril 10 mg tablet"), "One tablet every morning")
        .plan(
            &["Practitioner/ruth-bakker", "Practitioner/tom-hendriks"],
            "HbA1c below 7 %",
            "2027-03-01",
            "Diabetes review every six months, yearly eye and foot examination, walking half an hour a day.",
        )
        .visit("2025-11-03", "AMB", ("185349003", "Check-up"), "Practitioner/tom-hendriks")
        .blood_pressure("138", "86")
        .round("79.8", "168", "72", "36.6")
        .panel("metabolic", METABOLIC, &[glucose("139"), creatinine("0.85"), hba1c("7.2")])
        .procedure("foot-examination", ("401191002", "Diabetic foot examination"))
        .survey("phq-9", ("44261-6", "PHQ-9 total score"), "4")
        .visit("2026-04-20", "AMB", ("185345009", "Visit for symptoms"), "Practitioner/ruth-bakker")
        .condition(
            "encounter-diagnosis",
            "sinusitis",
            ("444814009", "Viral sinusitis"),
            "2026-04-16",
            Some("2026-04-30"),
        )
        .vital("temperature", ("8310-5", "Body temperature"), "38.1", "Cel")
        .medication(
            "completed",
            "xylometazoline",
            ("R01AA07", "Xylometazoline nasal spray"),
            "One puff in each nostril, three times a day for five days",
        )
        .panel("blood-count", BLOOD_COUNT, &[hemoglobin("13.4"), leukocytes("8.9")])
        .visit("2026-09-14", "AMB", ("185349003", "Check-up"), "Practitioner/ruth-bakker")
        .condition("health-concern", "caregiver-stress", ("73595000", "Stress"), "2026-09-01", None)
        .blood_pressure("131", "82")
        .round("78.2", "168", "70", "36.6")
        .panel("metabolic", METABOLIC, &[glucose("121"), creatinine("0.84"), potassium("4.1"), hba1c("6.8")])
        .medication("active", "atorvastatin", ("C10AA05", "Atorvastatin 20 mg tablet"), "One tablet every evening")
        .filed_note("check-up", ("11506-3", "Progress note"), "anna-check-up-note")
        .vaccine("2021-06-04", ("208", "COVID-19 vaccine"))
        .vaccine("2025-10-14", ("140", "Influenza vaccine"))
        .device("glucose-meter", ("337414009", "Blood glucose meter"), "2024-02-01")
        .appointment("2027-03-15", "Practitioner/ruth-bakker", "Diabetes review");
    chart.finish()
}

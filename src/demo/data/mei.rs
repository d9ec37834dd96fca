//! Mei Tan, 28: depression and anxiety, food insecurity found by screening. The record an approver should think about twice.

use serde_json::Value;

use super::chart::Chart;
use super::ids;
use super::results::{
    BLOOD_COUNT, METABOLIC, creatinine, ferritin, glucose, hemoglobin, leukocytes, platelets, potassium, sodium, tsh,
};

pub(super) fn chart() -> Vec<Value> {
    let phq_9 = ("44261-6", "PHQ-9 total score");
    let gad_7 = ("70274-6", "GAD-7 total score");
    let mut chart = Chart::of(ids::MEI, "mei");
    chart
        .provenance("2025-02-03")
        .coverage("2025-01-01", "ZH-7730021")
        .visit("2025-02-03", "AMB", ("185345009", "Visit for symptoms"), "Practitioner/ruth-bakker")
        .condition("problem-list-item", "depression", ("35489007", "Depression"), "2024-12-01", None)
        .condition("problem-list-item", "migraine", ("37796009", "Migraine"), "2016-05-01", None)
        .allergy("environment", "pollen", ("256259004", "Pollen"), ("70076002", "Rhinitis"), "low")
        .blood_pressure("112", "70")
        .round("54.0", "163", "82", "36.6")
        .survey("phq-9", phq_9, "17")
        .survey("gad-7", gad_7, "12")
        .procedure("depression-screening", ("171207006", "Depression screening"))
        .panel("blood-count", BLOOD_COUNT, &[hemoglobin("11.2"), leukocytes("6.1"), platelets("305"), ferritin("9")])
        .panel("metabolic", METABOLIC, &[sodium("140"), potassium("4.0"), glucose("84"), creatinine("0.66"), tsh("2.10")])
        .social("smoking", ("72166-2", "Tobacco smoking status"), ("266919005", "Never smoked"))
        .medication("active", "sertraline", ("N06AB06", "Sertraline 50 mg tablet"), "One tablet every morning")
        .medication("completed", "iron", ("B03AA07", "Ferrous sulfate 200 mg tablet"), "One tablet a day for three months")
        .plan(
            &["Practitioner/ruth-bakker", "Practitioner/tom-hendriks"],
            "PHQ-9 below 5 for three months",
            "2026-12-01",
            "Sertraline for a year, weekly talks with the practice nurse, agreed contact when things get worse.",
        )
        .note("intake", ("34117-2", "History and physical note"), "Low mood and poor sleep since losing her job in December. No plans to harm herself. Starts sertraline; talks weekly.")
        .visit("2025-08-19", "VR", ("185317003", "Telephone visit"), "Practitioner/tom-hendriks")
        .condition("encounter-diagnosis", "anxiety", ("21897009", "Generalized anxiety disorder"), "2025-06-01", None)
        .survey("phq-9", phq_9, "9")
        .survey("gad-7", gad_7, "11")
        .social_need("food", ("88124-3", "Food insecurity risk"), ("LA19952-3", "At risk"))
        .condition("health-concern", "food-insecurity", ("733423003", "Food insecurity"), "2025-08-01", None)
        .visit("2026-06-08", "AMB", ("185349003", "Check-up"), "Practitioner/ruth-bakker")
        .blood_pressure("114", "72")
        .round("56.3", "163", "74", "36.5")
        .survey("phq-9", phq_9, "5")
        .survey("gad-7", gad_7, "6")
        .panel("blood-count", BLOOD_COUNT, &[hemoglobin("12.9"), ferritin("31")])
        .medication("active", "sumatriptan", ("N02CC01", "Sumatriptan 50 mg tablet"), "One tablet at the start of a migraine, at most two a day")
        .note("check-up", ("11506-3", "Progress note"), "Works four days a week again. Sleeps well. Continue sertraline until December, then taper.")
        .vaccine("2021-07-12", ("208", "COVID-19 vaccine"))
        .vaccine("2025-10-14", ("140", "Influenza vaccine"))
        .device("activity-tracker", ("706767009", "Patient data recorder"), "2025-03-01")
        .appointment("2026-12-07", "Practitioner/ruth-bakker", "Tapering sertraline");
    chart.finish()
}

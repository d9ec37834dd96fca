//! Joseph Okafor, 75: heart failure and atrial fibrillation, a pacemaker, one admission this year.

use serde_json::Value;

use super::chart::Chart;
use super::ids;
use super::results::{
    BLOOD_COUNT, LIPIDS, METABOLIC, cholesterol, creatinine, hdl, hemoglobin, ldl, nt_probnp, platelets, potassium,
    sodium,
};

pub(super) fn chart() -> Vec<Value> {
    let mut chart = Chart::of(ids::JOSEPH, "joseph");
    chart
        .provenance("2024-01-08")
        .coverage("2024-01-01", "ZH-1180344")
        .device("pacemaker", ("14106009", "Cardiac pacemaker"), "2021-09-16")
        .visit("2025-06-02", "AMB", ("185389009", "Follow-up visit"), "Practitioner/aisha-rahman")
        .condition("problem-list-item", "heart-failure", ("84114007", "Heart failure"), "2020-12-01", None)
        .condition("problem-list-item", "atrial-fibrillation", ("49436004", "Atrial fibrillation"), "2021-05-20", None)
        .condition("problem-list-item", "kidney-disease", ("709044004", "Chronic kidney disease"), "2023-03-14", None)
        .allergy("medication", "sulfonamide", ("387406002", "Sulfonamide"), ("271807003", "Skin rash"), "low")
        .blood_pressure("128", "74")
        .round("88.1", "178", "70", "36.4")
        .panel("metabolic", METABOLIC, &[sodium("139"), potassium("4.6"), creatinine("1.48"), nt_probnp("1120")])
        .panel("lipids", LIPIDS, &[cholesterol("168"), ldl("88"), hdl("44")])
        .medication("active", "furosemide", ("C03CA01", "Furosemide 40 mg tablet"), "One tablet every morning")
        .medication(
            "active",
            "metoprolol",
            ("C07AB02", "Metoprolol succinate 50 mg tablet"),
            "One tablet every morning",
        )
        .medication("active", "apixaban", ("B01AF02", "Apixaban 5 mg tablet"), "One tablet twice a day")
        .social("smoking", ("72166-2", "Tobacco smoking status"), ("8517006", "Former smoker"))
        .plan(
            &["Practitioner/aisha-rahman", "Practitioner/ruth-bakker", "Practitioner/tom-hendriks"],
            "Weight between 86 and 89 kg",
            "2026-12-31",
            "Weigh every morning and call the nurse at two kilograms more in three days; salt below five grams a day.",
        )
        .visit("2026-02-11", "IMP", ("183452005", "Emergency admission"), "Practitioner/aisha-rahman")
        .condition(
            "encounter-diagnosis",
            "decompensation",
            ("195111005", "Worsening of heart failure"),
            "2026-02-09",
            Some("2026-02-17"),
        )
        .blood_pressure("152", "88")
        .round("93.6", "178", "104", "36.9")
        .vital("oxygen", ("2708-6", "Oxygen saturation"), "90", "%")
        .panel("metabolic", METABOLIC, &[sodium("134"), potassium("5.2"), creatinine("1.81"), nt_probnp("4830")])
        .panel("blood-count", BLOOD_COUNT, &[hemoglobin("11.7"), platelets("212")])
        .study(
            "echo",
            "LP29708-2",
            ("34552-0", "Echocardiogram"),
            "Left ventricular ejection fraction 35 %, moderate mitral regurgitation.",
        )
        .procedure("ecg", ("268400002", "12 lead electrocardiogram"))
        .note(
            "discharge",
            ("18842-5", "Discharge summary"),
            "Six days of intravenous furosemide, 5.1 kg less. Spironolactone added. Home with the heart failure nurse.",
        )
        .medication(
            "active",
            "spironolactone",
            ("C03DA01", "Spironolactone 25 mg tablet"),
            "Half a tablet every morning",
        )
        .visit("2026-08-24", "AMB", ("185389009", "Follow-up visit"), "Practitioner/aisha-rahman")
        .condition("health-concern", "lives-alone", ("105529008", "Lives alone"), "2025-10-01", None)
        .blood_pressure("122", "70")
        .round("87.2", "178", "68", "36.5")
        .panel("metabolic", METABOLIC, &[potassium("4.8"), creatinine("1.52"), nt_probnp("980")])
        .survey("phq-9", ("44261-6", "PHQ-9 total score"), "7")
        .vaccine("2023-10-10", ("33", "Pneumococcal vaccine"))
        .vaccine("2025-10-14", ("140", "Influenza vaccine"))
        .appointment("2027-02-08", "Practitioner/aisha-rahman", "Pacemaker and heart failure review");
    chart.finish()
}

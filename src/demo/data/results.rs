//! Laboratory results by name: LOINC code, unit and reference range in one place, so the charts give the number only.

use super::chart::{Code, Measure};

/// One line of a laboratory panel: slug, LOINC code, value with unit and range.
pub(super) type Line = (&'static str, Code, Measure);

macro_rules! results {
    ($($(#[$doc:meta])* $name:ident: $slug:literal, $code:literal, $display:literal, $unit:literal, $low:literal .. $high:literal;)*) => {
        $($(#[$doc])* pub(super) const fn $name(value: &'static str) -> Line {
            ($slug, ($code, $display), Measure { value, unit: $unit, range: Some(($low, $high)) })
        })*
    };
}

results! {
    hba1c: "hba1c", "4548-4", "Hemoglobin A1c", "%", "4.0".."5.6";
    glucose: "glucose", "2345-7", "Glucose", "mg/dL", "70".."99";
    creatinine: "creatinine", "2160-0", "Creatinine", "mg/dL", "0.60".."1.20";
    potassium: "potassium", "2823-3", "Potassium", "mmol/L", "3.5".."5.1";
    sodium: "sodium", "2951-2", "Sodium", "mmol/L", "136".."145";
    cholesterol: "cholesterol", "2093-3", "Total cholesterol", "mg/dL", "120".."200";
    ldl: "ldl", "13457-7", "LDL cholesterol", "mg/dL", "50".."100";
    hdl: "hdl", "2085-9", "HDL cholesterol", "mg/dL", "40".."90";
    hemoglobin: "hemoglobin", "718-7", "Hemoglobin", "g/dL", "12.0".."16.0";
    leukocytes: "leukocytes", "6690-2", "White blood cells", "10*3/uL", "4.0".."11.0";
    platelets: "platelets", "777-3", "Platelets", "10*3/uL", "150".."400";
    nt_probnp: "nt-probnp", "33762-6", "NT-proBNP", "pg/mL", "0".."125";
    tsh: "tsh", "3016-3", "Thyroid stimulating hormone", "m[IU]/L", "0.40".."4.00";
    ferritin: "ferritin", "2276-4", "Ferritin", "ng/mL", "15".."150";
}

/// Metabolic panel.
pub(super) const METABOLIC: Code = ("51990-0", "Basic metabolic panel");
/// Lipid panel.
pub(super) const LIPIDS: Code = ("57698-3", "Lipid panel");
/// Blood count.
pub(super) const BLOOD_COUNT: Code = ("58410-2", "Complete blood count");

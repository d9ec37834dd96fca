//! The fixed ids of the demo data. The seed links accounts to these people; the FHIR server serves them.

/// Patient: adult, diabetes and high blood pressure, mother of [`SAM`].
pub const ANNA: &str = "anna-de-vries";
/// Patient: child of seven with asthma; [`ANNA`] has proxy access.
pub const SAM: &str = "sam-de-vries";
/// Patient: man of 75 with heart failure and a pacemaker.
pub const JOSEPH: &str = "joseph-okafor";
/// Patient: young woman treated for depression and anxiety.
pub const MEI: &str = "mei-tan";
/// All patients, in the order of their stories.
pub const PATIENTS: [&str; 4] = [ANNA, SAM, JOSEPH, MEI];

/// RelatedPerson: Anna as the mother in Sam's record.
pub const ANNA_FOR_SAM: &str = "anna-for-sam";
/// Person: ties Anna's own record to her role in Sam's.
pub const PERSON_ANNA: &str = "anna-de-vries";

/// Practitioner: general physician, the clinician who signs in during the tour.
pub const DR_BAKKER: &str = "ruth-bakker";
/// Practitioner: cardiologist.
pub const DR_RAHMAN: &str = "aisha-rahman";
/// Practitioner: paediatrician.
pub const DR_NOVAK: &str = "lena-novak";
/// Practitioner: nurse.
pub const NURSE_HENDRIKS: &str = "tom-hendriks";

/// Organization: the hospital that owns the data.
pub const ORGANIZATION: &str = "st-mary";
/// Organization: the hospital's laboratory.
pub const LABORATORY: &str = "st-mary-laboratory";
/// Organization: the insurer of all four patients.
pub const INSURER: &str = "zilver-insurance";
/// Location: the outpatient clinic.
pub const LOCATION_CLINIC: &str = "st-mary-clinic";
/// Location: the ward.
pub const LOCATION_WARD: &str = "st-mary-ward";

/// Encounter of Anna's last visit, for launches with an encounter in context.
pub const ANNA_LAST_VISIT: &str = "anna-visit-2026-09-14";
/// Encounter of Joseph's last admission.
pub const JOSEPH_ADMISSION: &str = "joseph-visit-2026-02-11";
/// Observation about nobody: Anna only performed it.
pub const PERFORMER_ONLY: &str = "anna-measured-the-room";

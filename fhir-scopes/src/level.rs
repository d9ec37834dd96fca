//! Whose data a scope reaches.

use core::fmt;

/// The first part of a resource scope: whose data it reaches.
///
/// SMART gives the levels no order, and this crate never reasons across them: `user/*.cruds` does not cover `patient/Observation.r`.
///
/// ```
/// use fhir_scopes::Level;
/// assert_eq!("system".parse(), Ok(Level::System));
/// assert_eq!(Level::Patient.to_string(), "patient");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Level {
    /// Data of the launch patient.
    Patient,
    /// What the signed-in user may see; a launch patient does not narrow it.
    User,
    /// What the client itself may see, with nobody signed in.
    System,
}

impl Level {
    /// Every level, in the order of their reach in SMART's text.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::Level::ALL.len(), 3);
    /// ```
    pub const ALL: [Self; 3] = [Self::Patient, Self::User, Self::System];

    /// The word as it stands in a scope.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::Level::User.as_str(), "user");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::User => "user",
            Self::System => "system",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::str::FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|level| level.as_str() == text).ok_or(UnknownLevel)
    }
}

/// The text is none of `patient`, `user` and `system`.
///
/// ```
/// assert!("Patient".parse::<fhir_scopes::Level>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownLevel;

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected patient, user or system")
    }
}

impl core::error::Error for UnknownLevel {}

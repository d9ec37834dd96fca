//! The letters of a scope: create, read, update, delete, search.

use core::fmt;
use core::ops::{BitAnd, BitOr, Sub};

/// A set of the five SMART v2 letters `c`, `r`, `u`, `d`, `s`.
///
/// | letter | interactions |
/// | --- | --- |
/// | `c` | create |
/// | `r` | read, vread, history of one resource |
/// | `u` | update (also update-as-create), patch |
/// | `d` | delete |
/// | `s` | search, history of a type or of the system |
///
/// ```
/// use fhir_scopes::Permissions;
/// let rs = Permissions::READ | Permissions::SEARCH;
/// assert_eq!(rs.to_string(), "rs");
/// assert_eq!(Permissions::parse("rs"), Some(rs));
/// assert_eq!(Permissions::parse("sr"), None); // the order is part of the grammar
/// assert_eq!(rs.v1_word(), Some("read"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Permissions(u8);

const LETTERS: [(u8, char); 5] = [(1, 'c'), (2, 'r'), (4, 'u'), (8, 'd'), (16, 's')];

impl Permissions {
    /// No letter at all; no scope has this.
    pub const NONE: Self = Self(0);
    /// `c`: create.
    pub const CREATE: Self = Self(1);
    /// `r`: read.
    pub const READ: Self = Self(2);
    /// `u`: update and patch.
    pub const UPDATE: Self = Self(4);
    /// `d`: delete.
    pub const DELETE: Self = Self(8);
    /// `s`: search.
    pub const SEARCH: Self = Self(16);
    /// `rs`, the v1 word `read`.
    pub const RS: Self = Self(2 | 16);
    /// `cud`, the v1 word `write`.
    pub const CUD: Self = Self(1 | 4 | 8);
    /// `cruds`, the v1 word `*`.
    pub const ALL: Self = Self(31);

    /// Reads v2 letters: at least one, in the order `cruds`, none twice.
    ///
    /// ```
    /// use fhir_scopes::Permissions;
    /// assert_eq!(Permissions::parse("cud"), Some(Permissions::CUD));
    /// assert_eq!(Permissions::parse(""), None);
    /// assert_eq!(Permissions::parse("rr"), None);
    /// ```
    pub fn parse(letters: &str) -> Option<Self> {
        let mut bits = 0_u8;
        for letter in letters.bytes() {
            let bit = match letter {
                b'c' => 1,
                b'r' => 2,
                b'u' => 4,
                b'd' => 8,
                b's' => 16,
                _ => return None,
            };
            if bits >= bit {
                return None;
            }
            bits |= bit;
        }
        (bits != 0).then_some(Self(bits))
    }

    /// Reads a v1 word: `read`, `write` or `*`.
    ///
    /// ```
    /// use fhir_scopes::Permissions;
    /// assert_eq!(Permissions::parse_v1("write"), Some(Permissions::CUD));
    /// assert_eq!(Permissions::parse_v1("rs"), None);
    /// ```
    pub fn parse_v1(word: &str) -> Option<Self> {
        match word {
            "read" => Some(Self::RS),
            "write" => Some(Self::CUD),
            "*" => Some(Self::ALL),
            _ => None,
        }
    }

    /// The v1 word that means exactly these letters. Never rounds up.
    ///
    /// ```
    /// use fhir_scopes::Permissions;
    /// assert_eq!(Permissions::ALL.v1_word(), Some("*"));
    /// assert_eq!(Permissions::READ.v1_word(), None); // `read` would add search
    /// ```
    pub const fn v1_word(self) -> Option<&'static str> {
        match self {
            Self::RS => Some("read"),
            Self::CUD => Some("write"),
            Self::ALL => Some("*"),
            _ => None,
        }
    }

    /// Whether every letter of `other` is in this set.
    ///
    /// ```
    /// use fhir_scopes::Permissions;
    /// assert!(Permissions::RS.contains(Permissions::READ));
    /// assert!(!Permissions::CUD.contains(Permissions::READ));
    /// ```
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the sets share a letter.
    ///
    /// ```
    /// use fhir_scopes::Permissions;
    /// assert!(!Permissions::RS.intersects(Permissions::CUD));
    /// ```
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether no letter is in the set.
    ///
    /// ```
    /// assert!(fhir_scopes::Permissions::NONE.is_empty());
    /// ```
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Both sets together, also in constants.
    ///
    /// ```
    /// use fhir_scopes::Permissions;
    /// assert_eq!(Permissions::READ.with(Permissions::SEARCH), Permissions::RS);
    /// ```
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The letters as bits, `c` lowest.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::Permissions::RS.bits(), 0b10010);
    /// ```
    pub const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) const fn is_single(self) -> bool {
        self.0.is_power_of_two()
    }

    /// Each letter alone, in the order `cruds`.
    ///
    /// ```
    /// use fhir_scopes::Permissions;
    /// let letters: Vec<_> = Permissions::RS.letters().collect();
    /// assert_eq!(letters, [Permissions::READ, Permissions::SEARCH]);
    /// ```
    pub fn letters(self) -> impl Iterator<Item = Self> {
        LETTERS.into_iter().map(|(bit, _)| Self(bit)).filter(move |letter| self.contains(*letter))
    }
}

impl BitOr for Permissions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Permissions {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Sub for Permissions {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (bit, letter) in LETTERS {
            if self.0 & bit != 0 {
                fmt::Write::write_char(f, letter)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permissions({self})")
    }
}

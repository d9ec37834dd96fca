//! How an organization presents itself where people look for it: the brand of SMART 2.2 "user-access brands".

use serde::{Deserialize, Serialize};

use super::ids::FhirEndpointId;

/// Of what kind an organization is, in the codes of the value set `user-access-category`.
pub const KINDS: [&str; 7] =
    ["prov", "ins", "laboratory", "imaging", "pharmacy", "health-information-network", "health-data-aggregator"];

/// What an organization's admins said of it. Everything may be empty; what must be published then comes from the organization itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brand {
    /// The name that people know; empty: the organization's own.
    pub name: String,
    /// One of [`KINDS`].
    pub kind: String,
    /// Its website; empty: that of the organization's settings.
    pub website: String,
    /// Further identifiers, such as a national provider number.
    pub identifiers: Vec<Identifier>,
    /// Digest of its logo.
    pub logo: Option<String>,
    /// Where the licence of the logo is told.
    pub logo_license: String,
    /// Where its people see their own data.
    pub portal: Portal,
    /// Where it is; the first is the main one.
    pub addresses: Vec<Address>,
    /// FHIR endpoints that are not published. New ones are, unless an admin says otherwise.
    pub unpublished: Vec<FhirEndpointId>,
}

impl Default for Brand {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: KINDS[0].to_owned(),
            website: String::new(),
            identifiers: Vec::new(),
            logo: None,
            logo_license: String::new(),
            portal: Portal::default(),
            addresses: Vec::new(),
            unpublished: Vec::new(),
        }
    }
}

/// An identifier of the organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identifier {
    /// Absolute URI of the system.
    pub system: String,
    /// The value in it.
    pub value: String,
}

/// A patient portal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Portal {
    /// Its name; empty: as the brand.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Where it is; empty: the website.
    pub url: String,
}

/// An address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Address {
    /// Street and number.
    pub line: String,
    /// Postal code.
    pub postal_code: String,
    /// Town.
    pub city: String,
    /// State or province.
    pub state: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
}

impl Address {
    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        [&self.line, &self.postal_code, &self.city, &self.state, &self.country].iter().all(|part| part.is_empty())
    }
}

/// The codes of ISO 3166-1 alpha-2 in use.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP \
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ \
    NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ \
    UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Is this a code of ISO 3166-1 alpha-2?
pub fn is_country(text: &str) -> bool {
    text.len() == 2 && COUNTRIES.split_ascii_whitespace().any(|code| code == text)
}

/// A web address as FHIR and browsers take it: `https` with a host, without user and control characters.
pub fn is_web_address(text: &str) -> bool {
    text.len() <= 500
        && url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "https" | "http")
                && url.host_str().is_some_and(|host| !host.is_empty())
                && url.username().is_empty()
                && url.password().is_none()
        })
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_the_two_hundred_forty_nine_of_the_standard() {
        let codes: Vec<&str> = COUNTRIES.split_ascii_whitespace().collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "in order, each once");
        for good in ["NL", "US", "GB"] {
            assert!(is_country(good));
        }
        for bad in ["nl", "NLD", "UK", "", "N ", "EU", "XX"] {
            assert!(!is_country(bad), "{bad}");
        }
    }

    #[test]
    fn a_web_address_is_one_a_browser_can_go_to() {
        for good in ["https://www.st-mary.example", "https://st-mary.example/patients?x=1"] {
            assert!(is_web_address(good), "{good}");
        }
        for bad in [
            "st-mary.example",
            "javascript:alert(1)",
            "https://",
            "https://a@b.example",
            "https://a b",
            "ftp://x.example",
            "https://x\u{0}",
        ] {
            assert!(!is_web_address(bad), "{bad}");
        }
    }
}

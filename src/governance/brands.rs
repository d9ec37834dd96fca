//! How an organization presents itself to people who look for it: said by its admins, published as its brand bundle (SMART 2.2 user-access brands).

use super::actor::Staff;
use super::error::Fault;
use super::{Refusal, words};
use crate::app::App;
use crate::domain::accounts::StaffRole;
use crate::domain::audit::AuditEvent;
use crate::domain::brands::{Address, Brand, Identifier, KINDS, is_country, is_web_address};
use crate::storage;

/// More identifiers or addresses than any organization has.
const MANY: usize = 50;

/// What stands now; the default where nothing was said yet.
pub async fn brand(app: &App, staff: &Staff) -> Result<Brand, Refusal> {
    let found = storage::brands::find(&mut *app.store.read().await?, &staff.organization.id).await?;
    Ok(found.map(|(brand, _)| brand).unwrap_or_default())
}

/// Replaces what is said. Admins only; the record holds the whole brand.
pub async fn change(app: &App, staff: &Staff, brand: Brand) -> Result<Brand, Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let brand = checked(brand)?;
    let now = app.now();
    let (staff, kept) = (staff.clone(), brand.clone());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let organization = &staff.organization.id;
                // an endpoint of somebody else's is as one that is not there
                let own = storage::organizations::list_endpoints(conn, organization).await?;
                if kept.unpublished.iter().any(|id| own.iter().all(|endpoint| endpoint.id != *id)) {
                    return Err(Refusal::NotFound);
                }
                storage::brands::put(conn, organization, &kept, now).await?;
                let text = serde_json::to_string(&kept).expect("a brand is plain values and serializes");
                let event = AuditEvent::new(organization, now, "brand.changed", staff.audit()).with("brand", text);
                storage::audit::append(conn, &event).await?;
                Ok(())
            })
        })
        .await?;
    Ok(brand)
}

/// Puts what was typed into shape, or says what is wrong with it, field by field.
pub fn checked(mut brand: Brand) -> Result<Brand, Refusal> {
    let mut faults = Vec::new();
    for (field, text, longest) in [("display_name", &mut brand.name, 120), ("portal_name", &mut brand.portal.name, 120)]
    {
        *text = text.trim().to_owned();
        if !text.is_empty() {
            *text = words::one_line(field, text, longest, &mut faults);
        }
    }
    brand.portal.description = words::optional("portal_description", &brand.portal.description, &mut faults);
    for (field, url) in [
        ("website", &mut brand.website),
        ("portal_url", &mut brand.portal.url),
        ("logo_license", &mut brand.logo_license),
    ] {
        *url = url.trim().to_owned();
        if !url.is_empty() && !is_web_address(url) {
            faults.push(Fault::new(field, "not-a-url", "a web address"));
        }
    }
    if !KINDS.contains(&brand.kind.as_str()) {
        faults.push(Fault::new("kind", "unknown-kind", "one of the kinds listed"));
    }
    check_identifiers(&mut brand.identifiers, &mut faults);
    check_addresses(&mut brand.addresses, &mut faults);
    if faults.is_empty() { Ok(brand) } else { Err(Refusal::Invalid(faults)) }
}

fn check_identifiers(identifiers: &mut Vec<Identifier>, faults: &mut Vec<Fault>) {
    let mut kept: Vec<Identifier> = Vec::new();
    for identifier in identifiers.drain(..) {
        let (system, value) = (identifier.system.trim(), identifier.value.trim());
        let is_uri = url::Url::parse(system).is_ok() && !system.contains(char::is_whitespace);
        if !is_uri || value.is_empty() || value.chars().count() > 200 || value.chars().any(char::is_control) {
            faults.push(Fault::new(
                "identifiers",
                "not-system-and-value",
                "system|value, the system being an absolute URI",
            ));
            continue;
        }
        let identifier = Identifier { system: system.to_owned(), value: value.to_owned() };
        if !kept.contains(&identifier) {
            kept.push(identifier);
        }
    }
    if kept.len() > MANY {
        faults.push(Fault::new("identifiers", "too-many", format!("at most {MANY}")));
    }
    *identifiers = kept;
}

fn check_addresses(addresses: &mut Vec<Address>, faults: &mut Vec<Fault>) {
    // the first comes from fields of its own, the others from the list of places
    for (place, address) in addresses.iter_mut().enumerate() {
        for part in
            [&mut address.line, &mut address.postal_code, &mut address.city, &mut address.state, &mut address.country]
        {
            *part = part.trim().to_owned();
            if part.chars().count() > 120 || part.chars().any(char::is_control) {
                faults.push(Fault::new(
                    if place == 0 { "city" } else { "places" },
                    "too-long",
                    "at most 120 characters",
                ));
            }
        }
        address.country = address.country.to_uppercase();
        if address.is_empty() {
            continue;
        }
        if !is_country(&address.country) {
            let field = if place == 0 { "country" } else { "places" };
            faults.push(Fault::new(field, "not-a-country", "two letters, such as NL"));
        }
        if address.city.is_empty() {
            faults.push(Fault::new(if place == 0 { "city" } else { "places" }, "missing", "a town"));
        }
    }
    if addresses.len() > MANY {
        faults.push(Fault::new("places", "too-many", format!("at most {MANY}")));
    }
    addresses.retain(|address| !address.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(brand: Brand) -> Vec<(&'static str, &'static str)> {
        match checked(brand) {
            Err(Refusal::Invalid(faults)) => faults.into_iter().map(|fault| (fault.field, fault.code)).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn address(city: &str, country: &str) -> Address {
        Address { city: city.into(), country: country.into(), ..Address::default() }
    }

    #[test]
    fn every_mistake_is_told_beside_its_field() {
        let wrong = Brand {
            name: "a\u{7}".into(),
            kind: "bakery".into(),
            website: "st-mary.example".into(),
            identifiers: vec![Identifier { system: "npi".into(), value: "1".into() }],
            logo_license: "javascript:alert(1)".into(),
            addresses: vec![address("Amsterdam", "Netherlands"), address("", "NL")],
            ..Brand::default()
        };
        assert_eq!(
            faults(wrong),
            [
                ("display_name", "not-plain"),
                ("website", "not-a-url"),
                ("logo_license", "not-a-url"),
                ("kind", "unknown-kind"),
                ("identifiers", "not-system-and-value"),
                ("country", "not-a-country"),
                ("places", "missing"),
            ]
        );
    }

    #[test]
    fn what_is_typed_is_put_into_shape() {
        let one = Identifier { system: "http://hl7.org/fhir/sid/us-npi ".into(), value: " 1234567893".into() };
        let brand = checked(Brand {
            name: "  St. Mary ".into(),
            identifiers: vec![one.clone(), one],
            addresses: vec![Address::default(), address(" Utrecht ", "nl")],
            ..Brand::default()
        })
        .unwrap();
        assert_eq!(brand.name, "St. Mary");
        assert_eq!(brand.identifiers.len(), 1);
        assert_eq!(brand.identifiers[0].value, "1234567893");
        assert_eq!(brand.addresses, [address("Utrecht", "NL")]);
        assert_eq!(checked(Brand::default()).unwrap(), Brand::default());
    }
}

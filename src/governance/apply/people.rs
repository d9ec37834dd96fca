//! Accounts, their memberships, and who they are at organizations.

use super::{AccountDeclared, Applying, NotApplied, UserDeclared, differences, invalid, refused};
use crate::domain::accounts::{
    Account, DeveloperMembership, DeveloperRole, FhirUser, StaffMembership, StaffRole, UserPatient, normalized_email,
};
use crate::domain::audit::{Actor, AuditEvent, Chain};
use crate::domain::ids::AccountId;
use crate::domain::secrets::PlainSecret;
use crate::governance::{Refusal, accounts, passwords};
use crate::storage;

impl Applying<'_> {
    pub(super) async fn account(&mut self, declared: &AccountDeclared) -> Result<(), NotApplied> {
        let what = format!("account {}", declared.email);
        let email =
            normalized_email(&declared.email).ok_or_else(|| invalid(&what, "email", "must be an e-mail address"))?;
        if !matches!(declared.lang.as_str(), "en" | "nl") {
            return Err(invalid(&what, "lang", "en or nl"));
        }
        let now = self.app.now();
        let found = storage::accounts::find_by_email(&mut *self.app.store.read().await?, &email).await?;
        let id = match found {
            Some(account) => {
                // the language is theirs once the account is there, like the password
                let how = differences(&[("name", account.name == declared.name)]);
                let id = account.id.clone();
                if !how.is_empty() {
                    self.changed(&what, how);
                    let account = Account { name: declared.name.clone(), ..account };
                    self.write(move |conn| {
                        Box::pin(async move {
                            storage::accounts::update(conn, &account).await?;
                            let event = AuditEvent::new(Chain::Server, now, "account.changed", Actor::Operator)
                                .subject(account.id.as_str());
                            storage::audit::append(conn, &event).await
                        })
                    })
                    .await?;
                }
                id
            }
            None => self.new_account(declared, email, &what).await?,
        };
        for membership in &declared.staff {
            let what = format!("{what}, staff at {}", membership.organization);
            let role = StaffRole::parse(&membership.role)
                .ok_or_else(|| invalid(&what, "role", "viewer, reviewer or admin"))?;
            let Some(organization) = self.organization_named(&membership.organization, &what).await? else {
                self.added(&what);
                continue;
            };
            let known = storage::accounts::staff_memberships(&mut *self.app.store.read().await?, &id).await?;
            match known.iter().find(|known| known.organization_id == organization.id) {
                Some(known) if known.role == role => continue,
                Some(known) => self.changed(&what, format!("{} becomes {}", known.role.as_str(), role.as_str())),
                None => self.added(&what),
            }
            let membership = StaffMembership { organization_id: organization.id, account_id: id.clone(), role };
            self.write(move |conn| {
                Box::pin(async move {
                    storage::accounts::put_staff(conn, &membership, now).await?;
                    let event = AuditEvent::new(&membership.organization_id, now, "member.added", Actor::Operator)
                        .subject(membership.account_id.as_str())
                        .with("role", membership.role.as_str());
                    storage::audit::append(conn, &event).await
                })
            })
            .await?;
        }
        for membership in &declared.developer {
            let what = format!("{what}, developer at {}", membership.application_provider);
            let role =
                DeveloperRole::parse(&membership.role).ok_or_else(|| invalid(&what, "role", "developer or admin"))?;
            let Some(provider) = self.provider_named(&membership.application_provider, &what).await? else {
                self.added(&what);
                continue;
            };
            let known =
                storage::application_providers::developer_memberships(&mut *self.app.store.read().await?, &id).await?;
            match known.iter().find(|known| known.application_provider_id == provider.id) {
                Some(known) if known.role == role => continue,
                Some(known) => self.changed(&what, format!("{} becomes {}", known.role.as_str(), role.as_str())),
                None => self.added(&what),
            }
            let membership = DeveloperMembership { application_provider_id: provider.id, account_id: id.clone(), role };
            self.write(move |conn| {
                Box::pin(async move {
                    storage::application_providers::put_developer(conn, &membership, now).await?;
                    let event = AuditEvent::new(Chain::Server, now, "developer.added", Actor::Operator)
                        .subject(membership.account_id.as_str())
                        .with("application_provider", membership.application_provider_id.as_str())
                        .with("role", membership.role.as_str());
                    storage::audit::append(conn, &event).await
                })
            })
            .await?;
        }
        for user in &declared.user {
            self.user(&id, user, &what).await?;
        }
        Ok(())
    }

    async fn new_account(
        &mut self,
        declared: &AccountDeclared,
        email: String,
        what: &str,
    ) -> Result<AccountId, NotApplied> {
        self.added(what);
        let now = self.app.now();
        let mut account = Account {
            id: AccountId::new(now, &*self.app.entropy),
            email,
            name: declared.name.clone(),
            password_hash: None,
            active: true,
            lang: declared.lang.clone(),
            session_epoch: 0,
            created_at: now,
        };
        if let Some(password) = declared.password.as_deref().map(PlainSecret::from_text) {
            let faults = accounts::password_faults("password", &password, &account);
            if !faults.is_empty() {
                return Err(refused(what)(Refusal::Invalid(faults)));
            }
            if !self.dry_run {
                let hash = passwords::hash(password, &*self.app.entropy).await;
                account.password_hash =
                    Some(hash.map_err(|busy| refused(what)(Refusal::conflict("passwords-busy", busy.to_string())))?);
            }
        }
        let id = account.id.clone();
        self.write(move |conn| {
            Box::pin(async move {
                storage::accounts::insert(conn, &account).await?;
                let event =
                    AuditEvent::new(Chain::Server, now, "account.added", Actor::Operator).subject(account.id.as_str());
                storage::audit::append(conn, &event).await
            })
        })
        .await?;
        Ok(id)
    }

    async fn user(&mut self, id: &AccountId, declared: &UserDeclared, who: &str) -> Result<(), NotApplied> {
        let what = format!("{who}, user at {}", declared.organization);
        let known_kind = ["Patient/", "Practitioner/", "PractitionerRole/", "RelatedPerson/", "Person/"]
            .iter()
            .any(|kind| declared.fhir_user.starts_with(kind));
        if !known_kind {
            return Err(invalid(
                &what,
                "fhir_user",
                "must be like Patient/123, Practitioner/7, RelatedPerson/9 or Person/4",
            ));
        }
        let Some(organization) = self.organization_named(&declared.organization, &what).await? else {
            self.added(&what);
            return Ok(());
        };
        let patients = |ids: &[String], is_self: bool| {
            ids.iter().map(|patient| UserPatient { patient: patient.clone(), is_self }).collect::<Vec<_>>()
        };
        let user = FhirUser {
            reference: declared.fhir_user.clone(),
            patients: [patients(&declared.own_patients, true), patients(&declared.proxy_patients, false)].concat(),
        };
        let before =
            storage::accounts::find_fhir_user(&mut *self.app.store.read().await?, &organization.id, id).await?;
        let sorted = |user: &FhirUser| {
            let mut patients: Vec<_> =
                user.patients.iter().map(|patient| (patient.patient.clone(), patient.is_self)).collect();
            patients.sort();
            patients
        };
        match &before {
            None => self.added(&what),
            Some(before) => {
                let how = differences(&[
                    ("fhir_user", before.reference == user.reference),
                    ("patients", sorted(before) == sorted(&user)),
                ]);
                if how.is_empty() {
                    return Ok(());
                }
                self.changed(&what, how);
            }
        }
        let (now, account) = (self.app.now(), id.clone());
        self.write(move |conn| {
            Box::pin(async move {
                storage::accounts::put_fhir_user(conn, &organization.id, &account, &user, now).await?;
                let event = AuditEvent::new(&organization.id, now, "user.linked", Actor::Operator)
                    .subject(account.as_str())
                    .with("fhir_user", user.reference);
                storage::audit::append(conn, &event).await
            })
        })
        .await
    }
}

//! One type, one letter: which scopes open it, for whose data, and whether a look at the data is still needed.

use super::branch::Reach;
use super::grant::{Compiled, Grant};
use super::handful::Handful;
use super::{Denial, Need, Reason};
use crate::compartment::{CompartmentMode, PatientClass, has_subject, patient_class};
use crate::matches::{ResourceView, points_at, text_of};
use crate::{Level, Permissions, ResourceType, TypeSelector};

/// What a request wants of one type, or of every type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) types: TypeSelector,
    /// All of these letters.
    pub(super) letters: Permissions,
    pub(super) levels: Levels,
    /// Whether scopes with a limit count.
    pub(super) limited: bool,
    /// Not searched for: an include, or what a document refers to, brings it into the answer.
    pub(super) comes_along: bool,
    /// Provenance that came along because its target is in the answer.
    pub(super) target_in_results: bool,
}

/// Which levels count for a want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Levels {
    All,
    /// Another patient's compartment, or a look across patients.
    NotPatient,
    /// Bulk export.
    OnlySystem,
}

impl Levels {
    pub(super) const fn count(self, level: Level) -> bool {
        match self {
            Self::All => true,
            Self::NotPatient => !matches!(level, Level::Patient),
            Self::OnlySystem => matches!(level, Level::System),
        }
    }
}

impl Want {
    pub(super) const fn of(types: TypeSelector, letters: Permissions) -> Self {
        Self { types, letters, levels: Levels::All, limited: true, comes_along: false, target_in_results: false }
    }

    pub(super) fn counts(self, scope: &crate::ResourceScope<'_>) -> bool {
        self.levels.count(scope.level)
    }

    /// Whether a scope counts by its level and limit; why not.
    fn admits(self, compiled: &Compiled) -> Result<(), Reason> {
        if !self.levels.count(compiled.scope.level) {
            Err(Reason::OtherPatient)
        } else if compiled.limit.is_some() && !self.limited {
            Err(Reason::LimitedScope)
        } else {
            Ok(())
        }
    }

    pub(super) const fn along(types: TypeSelector, letters: Permissions) -> Self {
        let searched = Self::of(types, letters);
        Self { comes_along: true, ..searched }
    }

    pub(super) const fn one(one: ResourceType, letters: Permissions) -> Self {
        Self::of(TypeSelector::One(one), letters)
    }
}

/// What the scopes say to a want.
#[derive(Debug, Clone, Copy)]
pub(super) enum Gate<'g> {
    /// Some scope opens it without a look at the data.
    Open(&'g Compiled),
    /// Only for resources that pass.
    Filtered,
    Closed(Reason),
}

/// What the scopes looked at so far say to one letter.
struct Verdict<'g> {
    open: Option<&'g Compiled>,
    filtered: bool,
    /// Why the last one that did not count does not.
    reason: Reason,
}

impl<'g> Verdict<'g> {
    const NOTHING: Self = Self { open: None, filtered: false, reason: Reason::NoScope };

    fn gate(self) -> Gate<'g> {
        match self.open {
            Some(by) => Gate::Open(by),
            None if self.filtered => Gate::Filtered,
            None => Gate::Closed(self.reason),
        }
    }

    fn add(&mut self, compiled: &'g Compiled, opens: Result<bool, Reason>) {
        match opens {
            Err(reason) => self.reason = reason,
            Ok(false) => self.filtered = true,
            Ok(true) if self.open.is_none_or(|known| known.scope.level < compiled.scope.level) => {
                self.open = Some(compiled);
            }
            Ok(true) => {}
        }
    }
}

impl Grant {
    /// Whose data a scope reaches for a type and letter; none where it reaches nothing.
    pub(super) fn reach(&self, scope: &Compiled, one: ResourceType, letter: Permissions) -> Option<Reach<'_>> {
        self.reach_at(scope.scope.level, one, letter)
    }

    /// Whether a scope of this level would open the letter for anything at all.
    pub(super) fn would_open(&self, level: Level, types: TypeSelector, letter: Permissions) -> bool {
        match types {
            TypeSelector::All => true,
            TypeSelector::One(one) => self.reach_at(level, one, letter).is_some(),
        }
    }

    fn reach_at(&self, level: Level, one: ResourceType, letter: Permissions) -> Option<Reach<'_>> {
        if level != Level::Patient {
            return Some(Reach::Everyone);
        }
        let patient = self.patient.as_deref()?;
        let reads = Permissions::RS.contains(letter);
        match patient_class(one, self.release) {
            // a new patient is never the launch patient
            PatientClass::Member if one == ResourceType::PATIENT => {
                (letter != Permissions::CREATE).then_some(Reach::Itself(patient))
            }
            PatientClass::Member if self.mode == CompartmentMode::Subject && !has_subject(one, self.release) => None,
            PatientClass::Member => Some(Reach::Compartment(patient)),
            PatientClass::ViaPatient => Some(Reach::ViaPatient(patient)),
            PatientClass::Shared => reads.then_some(Reach::Shared),
            PatientClass::Withheld => {
                (letter == Permissions::READ && one.name() == "Binary").then_some(Reach::SecurityContext(patient))
            }
        }
    }

    /// The gate of a want. `id` is the instance, where the request names one.
    pub(super) fn gate(&self, want: Want, id: Option<&str>) -> Gate<'_> {
        if want.letters.is_single() {
            return self.gate_letter(want, want.letters, id);
        }
        let mut opened = None;
        let mut filtered = false;
        for letter in want.letters.letters() {
            match self.gate_letter(want, letter, id) {
                Gate::Open(by) => opened = opened.or(Some(by)),
                Gate::Filtered => filtered = true,
                Gate::Closed(reason) => return Gate::Closed(reason),
            }
        }
        match opened {
            Some(by) if !filtered => Gate::Open(by),
            _ if filtered => Gate::Filtered,
            _ => Gate::Closed(Reason::NoScope),
        }
    }

    fn gate_letter(&self, want: Want, letter: Permissions, id: Option<&str>) -> Gate<'_> {
        let TypeSelector::One(one) = want.types else { return self.gate_all(want, letter) };
        let mut sofar = Verdict::NOTHING;
        for compiled in self.scopes_for(one, letter) {
            sofar.add(compiled, self.opens_one(want, compiled, one, letter, id));
        }
        sofar.gate()
    }

    /// The gate of a letter on every type.
    fn gate_all(&self, want: Want, letter: Permissions) -> Gate<'_> {
        let mut sofar = Verdict::NOTHING;
        for compiled in self.scopes_with(letter) {
            sofar.add(compiled, self.opens_all(want, compiled));
        }
        sofar.gate()
    }

    /// The gates of `r` and `s` for a type that comes along.
    pub(super) fn gates_along(&self, one: ResourceType) -> (Gate<'_>, Gate<'_>) {
        let want = Want::along(TypeSelector::One(one), Permissions::RS);
        let (mut read, mut search) = (Verdict::NOTHING, Verdict::NOTHING);
        for compiled in self.scopes_about(one) {
            for (sofar, letter) in [(&mut read, Permissions::READ), (&mut search, Permissions::SEARCH)] {
                if compiled.scope.permissions.contains(letter) {
                    sofar.add(compiled, self.opens_one(want, compiled, one, letter, None));
                }
            }
        }
        (read.gate(), search.gate())
    }

    /// Whether a scope with the letter on the type opens it without a look at the data; why not, where it does not count.
    fn opens_one(
        &self,
        want: Want,
        compiled: &Compiled,
        one: ResourceType,
        letter: Permissions,
        id: Option<&str>,
    ) -> Result<bool, Reason> {
        want.admits(compiled)?;
        let unlimited = compiled.limit.is_none();
        match (self.reach(compiled, one, letter), id) {
            (None, _) if self.patient.is_none() => Err(Reason::NoLaunchPatient),
            (None, _) => Err(Reason::NotAtPatientLevel),
            (Some(Reach::Itself(patient)), Some(id)) if patient != id => Err(Reason::OtherPatient),
            (Some(Reach::Itself(_)), Some(_)) | (Some(Reach::Everyone | Reach::Shared), _) => Ok(unlimited),
            (Some(_), _) => Ok(false),
        }
    }

    /// The same for a want of every type.
    fn opens_all(&self, want: Want, compiled: &Compiled) -> Result<bool, Reason> {
        want.admits(compiled)?;
        let scope = &compiled.scope;
        if scope.level == Level::Patient && self.patient.is_none() {
            return Err(Reason::NoLaunchPatient);
        }
        Ok(compiled.limit.is_none() && scope.level != Level::Patient && scope.types == TypeSelector::All)
    }

    /// What the levels of the scopes behind an open want of several letters owe.
    pub(super) fn owe_letters(&self, want: Want, obligations: &mut super::Obligations) {
        if want.letters.is_single() {
            return;
        }
        for letter in want.letters.letters() {
            if let Gate::Open(by) = self.gate_letter(want, letter, None) {
                obligations.add_level(by.scope.level);
            }
        }
    }

    /// The scope that takes new content, the first of the widest level where several do.
    #[cfg(feature = "json")]
    pub(super) fn taker<V: ResourceView>(&self, want: Want, one: ResourceType, resource: &V) -> Option<&Compiled> {
        let takes = |compiled: &&Compiled| {
            want.levels.count(compiled.scope.level)
                && (want.limited || compiled.limit.is_none())
                && self.scope_accepts(compiled, one, want.letters, resource)
        };
        let wider = |known: &Compiled, next: &Compiled| known.scope.level < next.scope.level;
        self.scopes_for(one, want.letters)
            .filter(takes)
            .reduce(|known, next| if wider(known, next) { next } else { known })
    }

    /// Whether a resource of this type is inside what a want reaches, letter by letter.
    pub(super) fn want_accepts<V: ResourceView>(&self, want: Want, one: ResourceType, resource: &V) -> bool {
        want.types.includes(one)
            && !want.target_in_results
            && want.letters.letters().all(|letter| {
                self.scopes_with(letter).any(|compiled| {
                    compiled.scope.types.includes(one)
                        && want.levels.count(compiled.scope.level)
                        && (want.limited || compiled.limit.is_none())
                        && self.scope_accepts(compiled, one, letter, resource)
                })
            })
    }

    fn scope_accepts<V: ResourceView>(
        &self,
        compiled: &Compiled,
        one: ResourceType,
        letter: Permissions,
        resource: &V,
    ) -> bool {
        let Some(reach) = self.reach(compiled, one, letter) else { return false };
        self.reaches(reach, one, resource)
            && compiled.limit.as_ref().is_none_or(|limit| limit.accepts(resource, self.base.as_deref()))
    }

    fn reaches<V: ResourceView>(&self, reach: Reach<'_>, one: ResourceType, resource: &V) -> bool {
        match reach {
            Reach::Everyone | Reach::Shared => true,
            Reach::Itself(patient) => text_of(resource, "id") == Some(patient),
            Reach::Compartment(_) => self.compartment().is_some_and(|own| own.contains_as(one, resource)),
            Reach::ViaPatient(_) => self.compartment().is_some_and(|own| own.links_by_patient(one, resource)),
            Reach::SecurityContext(patient) => {
                let context = crate::matches::Context { release: self.release, base: self.base.as_deref() };
                let link = resource.member("securityContext").and_then(|link| text_of(link, "reference"));
                link.is_some_and(|text| points_at(text, ResourceType::PATIENT, patient, context))
            }
            Reach::ByClass(_) | Reach::TargetInResults => false,
        }
    }

    pub(super) fn deny(&self, reason: Reason, needs: impl Into<Handful<Need>>) -> super::Decision<'_> {
        super::Decision::Deny(Denial::new(self, reason, needs.into()))
    }

    /// The refusal of a want, which knows for whom scopes would help.
    pub(super) fn deny_want(
        &self,
        reason: Reason,
        want: Want,
        id: Option<&str>,
        needs: impl Into<Handful<Need>>,
    ) -> super::Decision<'_> {
        let denial = Denial::new(self, reason, needs.into());
        let denial = if want.limited { denial } else { denial.unlimited_from(0) };
        let is_foreign = want.types == TypeSelector::One(ResourceType::PATIENT)
            && id.is_some_and(|id| self.patient.as_deref().is_some_and(|own| own != id));
        let levels = if is_foreign { Levels::NotPatient } else { want.levels };
        super::Decision::Deny(denial.at(levels))
    }
}

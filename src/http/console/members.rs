//! Who is staff here.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::desk::{Desk, done, faults_of};
use crate::domain::accounts::StaffRole;
use crate::domain::ids::AccountId;
use crate::governance::organizations::{add_member, change_role, members, remove_member};
use crate::http::PageError;
use crate::http::error::Failure;
use crate::http::extract::CsrfForm;
use crate::http::pages::Html;
use crate::http::pages::console::{MemberRow, Members};
use crate::http::pages::frame::ConsoleSection;
use crate::http::pages::parts::{Choice, Field, Moment};

const ROLES: [StaffRole; 3] = [StaffRole::Viewer, StaffRole::Reviewer, StaffRole::Admin];

/// `GET /console/{org}/members`.
pub async fn show(desk: Desk) -> Result<Html, PageError> {
    let page = page_of(&desk).await?;
    desk.render(ConsoleSection::Members, &page).await
}

async fn page_of(desk: &Desk) -> Result<Members, PageError> {
    let say = desk.say();
    let word = |role: StaffRole| {
        say.word(match role {
            StaffRole::Viewer => "console-role-viewer",
            StaffRole::Reviewer => "console-role-reviewer",
            StaffRole::Admin => "console-role-admin",
        })
    };
    let roles = |current: StaffRole| {
        ROLES
            .into_iter()
            .map(|role| Choice { current: role == current, ..Choice::new(role.as_str(), &word(role)) })
            .collect()
    };
    let rows = members(&desk.state.app, &desk.staff)
        .await?
        .into_iter()
        .map(|member| MemberRow {
            me: member.person.id == desk.staff.account.id,
            id: member.person.id.as_str().to_owned(),
            name: member.person.name,
            email: member.email,
            role: word(member.role),
            roles: roles(member.role),
            since: say.moment_or_never(member.since),
            seen: Moment::default(),
        })
        .collect();
    Ok(Members {
        action: desk.path("members"),
        rows,
        may_change: desk.may_change(),
        email: Field::default(),
        roles: roles(StaffRole::Viewer),
    })
}

fn role_of(word: &str) -> Result<StaffRole, Failure> {
    StaffRole::parse(word).ok_or_else(|| Failure::new(StatusCode::BAD_REQUEST, "invalid", "There is no such role."))
}

/// A new member.
#[derive(Debug, Deserialize)]
pub struct AddForm {
    email: String,
    role: String,
}

/// `POST /console/{org}/members/add`.
pub async fn add(desk: Desk, CsrfForm(form): CsrfForm<AddForm>) -> Result<Response, PageError> {
    let role = role_of(&form.role)?;
    match add_member(&desk.state.app, &desk.staff, &form.email, role).await {
        Ok(()) => Ok(done(&desk, "console-member-added", &desk.path("members"))),
        Err(refusal) => {
            let faults = faults_of(refusal)?;
            let mut page = page_of(&desk).await?;
            page.email = Field::wrong(form.email, desk.say().faults(&faults, "email"));
            let html = desk.render_answer(ConsoleSection::Members, &desk.path("members"), &page).await?;
            Ok(html.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

/// Another role.
#[derive(Debug, Deserialize)]
pub struct RoleForm {
    member: String,
    role: String,
}

/// `POST /console/{org}/members/role`.
pub async fn role(desk: Desk, CsrfForm(form): CsrfForm<RoleForm>) -> Result<Response, PageError> {
    change_role(&desk.state.app, &desk.staff, &AccountId::from_text(form.member), role_of(&form.role)?).await?;
    Ok(done(&desk, "console-role-changed", &desk.path("members")))
}

/// Whom to remove.
#[derive(Debug, Deserialize)]
pub struct RemoveForm {
    member: String,
}

/// `POST /console/{org}/members/remove`.
pub async fn remove(desk: Desk, CsrfForm(form): CsrfForm<RemoveForm>) -> Result<Response, PageError> {
    remove_member(&desk.state.app, &desk.staff, &AccountId::from_text(form.member)).await?;
    Ok(done(&desk, "console-member-removed", &desk.path("members")))
}

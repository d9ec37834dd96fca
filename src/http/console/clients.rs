//! *Client management*: the list. Every view is a URL.

use axum::extract::Query;
use serde::Deserialize;

use super::compose::{badge, risks, stand};
use super::desk::Desk;
use super::words::Say;
use crate::governance::client_management::{Listing, list};
use crate::governance::explain;
use crate::http::error::Failure;
use crate::http::pages::console::{ClientRow, Clients, Filter as Chip};
use crate::http::pages::frame::ConsoleSection;
use crate::http::pages::parts::{Choice, Paging, Stand};
use crate::http::pages::{Arg, Html};
use crate::http::{PageError, present};
use crate::storage::client_management::{Filter, ListedLine, Sort};

/// Lines a page.
pub const PAGE: i64 = 50;

/// A view of the list.
#[derive(Debug, Default, Deserialize)]
pub struct View {
    /// A state, or `all`; waiting unless said otherwise.
    state: Option<String>,
    /// Part of a name.
    #[serde(default)]
    q: String,
    /// `oldest`, `newest`, `name` or `last-used`.
    sort: Option<String>,
    /// 1, 2, 3, ...
    page: Option<String>,
}

/// The word of the URL, the order, and its words on the page.
const SORTS: [(&str, Sort, &str); 4] = [
    ("oldest", Sort::Oldest, "console-sort-oldest"),
    ("newest", Sort::Newest, "console-sort-newest"),
    ("name", Sort::Name, "console-sort-name"),
    ("last-used", Sort::LastUsed, "console-sort-last-used"),
];

impl View {
    fn state(&self) -> &str {
        self.state.as_deref().filter(|state| !state.is_empty()).unwrap_or("waiting")
    }

    fn sort_word(&self) -> &str {
        let usual = if self.state() == "waiting" { "oldest" } else { "newest" };
        self.sort.as_deref().filter(|sort| !sort.is_empty()).unwrap_or(usual)
    }

    fn page(&self) -> Result<i64, Failure> {
        page_number(self.page.as_deref())
    }

    /// What to ask governance.
    pub(crate) fn filter(&self) -> Result<Filter, Failure> {
        Ok(Filter {
            state: Some(self.state().to_owned()).filter(|state| state != "all"),
            search: self.q.trim().to_owned(),
            sort: sort_of(self.sort_word())?,
            limit: PAGE,
            offset: (self.page()? - 1) * PAGE,
        })
    }

    fn href(&self, desk: &Desk, state: &str, page: i64) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("state", state);
        if !self.q.trim().is_empty() {
            query.append_pair("q", self.q.trim());
        }
        if let Some(sort) = self.sort.as_deref().filter(|sort| !sort.is_empty()) {
            query.append_pair("sort", sort);
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        desk.path(&format!("clients?{}", query.finish()))
    }
}

/// Reads a page number: 1 where none is given.
pub(crate) fn page_number(page: Option<&str>) -> Result<i64, Failure> {
    let wrong = || Failure::new(axum::http::StatusCode::BAD_REQUEST, "invalid", "There is no such page.");
    match page {
        None | Some("") => Ok(1),
        Some(text) => text.parse().ok().filter(|page| (1..=1_000_000).contains(page)).ok_or_else(wrong),
    }
}

/// Reads an order.
pub(crate) fn sort_of(word: &str) -> Result<Sort, Failure> {
    let found = SORTS.iter().find(|(known, ..)| *known == word).map(|(_, sort, _)| *sort);
    found.ok_or_else(|| Failure::new(axum::http::StatusCode::BAD_REQUEST, "invalid", "There is no such order."))
}

/// `GET /console/{org}/clients?state=&q=&sort=&page=`.
pub async fn show(desk: Desk, Query(view): Query<View>) -> Result<Html, PageError> {
    let listing = list(&desk.state.app, &desk.staff, &view.filter()?).await?;
    let say = desk.say();
    let page = Clients {
        action: desk.path("clients"),
        waiting: u32::try_from(listing.counts.waiting).unwrap_or(u32::MAX),
        oldest: listing.oldest_waiting.map(|at| say.span(at)).unwrap_or_default(),
        filters: chips(&desk, &view, &listing),
        state: view.state().to_owned(),
        q: view.q.clone(),
        sort: SORTS
            .iter()
            .map(|(word, _, key)| Choice { current: *word == view.sort_word(), ..Choice::new(word, &say.word(key)) })
            .collect(),
        rows: listing.lines.iter().map(|line| row(&desk, &view, &listing, line)).collect(),
        never_asked: listing.counts.all == 0 && view.q.trim().is_empty(),
        paging: paging(&desk, &view, &listing)?,
    };
    desk.render(ConsoleSection::Clients, &page).await
}

fn chips(desk: &Desk, view: &View, listing: &Listing) -> Vec<Chip> {
    let counts = &listing.counts;
    [
        (Stand::Waiting, "waiting", counts.waiting),
        (Stand::Approved, "approved", counts.approved),
        (Stand::Disabled, "disabled", counts.disabled),
        (Stand::Rejected, "rejected", counts.rejected),
        (Stand::Expired, "expired", counts.expired),
        (Stand::None, "all", counts.all),
    ]
    .into_iter()
    .map(|(stand, word, count)| Chip {
        stand,
        href: view.href(desk, word, 1),
        count: desk.say().number(count),
        current: word == view.state(),
    })
    .collect()
}

fn row(desk: &Desk, view: &View, listing: &Listing, listed: &ListedLine) -> ClientRow {
    let say = desk.say();
    let line = &listed.line;
    let waits = line.state == "waiting" || (line.change_waiting && view.state() == "waiting");
    let release = listed.release.unwrap_or_else(|| explain::release_of(&listing.endpoints));
    let scopes = fhir_scopes::ScopeSet::parse_lenient(&line.scopes, release).0;
    let when = if line.state == "waiting" { Some(line.requested_at) } else { line.decided_at };
    ClientRow {
        href: if waits {
            desk.path(&format!("access-requests/{}", line.access_request_id))
        } else {
            desk.path(&format!("clients/{}", line.client_id))
        },
        client: badge(&line.client_name, &line.provider_name, listed.logo.as_deref()),
        stand: stand(&line.state),
        change: line.change_waiting,
        asks: explain::for_staff(&scopes, present::words_lang(say.lang)).summary,
        risks: if line.state == "waiting" {
            risks(&explain::risks_of_scopes(&scopes)).into_iter().take(3).collect()
        } else {
            Vec::new()
        },
        when: say.moment_or_never(when),
        who: line.decided_by.clone().filter(|_| line.state != "waiting").unwrap_or_default(),
        last_used: say.moment_or_never(listed.last_used_at),
        live_tokens: if matches!(line.state.as_str(), "approved" | "disabled") {
            say.number(listed.live_tokens)
        } else {
            String::new()
        },
    }
}

fn paging(desk: &Desk, view: &View, listing: &Listing) -> Result<Paging, Failure> {
    let page = view.page()?;
    let first = (page - 1) * PAGE + 1;
    let last = first - 1 + i64::try_from(listing.lines.len()).unwrap_or(0);
    let state = view.state();
    Ok(Paging {
        text: if listing.lines.is_empty() { String::new() } else { range(&desk.say(), first, last, listing.total) },
        previous: if page > 1 { view.href(desk, state, page - 1) } else { String::new() },
        next: if last < listing.total && !listing.lines.is_empty() {
            view.href(desk, state, page + 1)
        } else {
            String::new()
        },
    })
}

/// "1 to 50 of 5,000".
pub(super) fn range(say: &Say<'_>, first: i64, last: i64, total: i64) -> String {
    say.words(
        "console-range",
        &[("first", Arg::Count(first)), ("last", Arg::Count(last)), ("total", Arg::Count(total))],
    )
}

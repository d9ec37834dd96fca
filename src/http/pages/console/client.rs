//! A client that was decided on: what it may do, what it does, and the switch.

use serde::Serialize;

use super::super::frame::ConsoleSection;
use super::super::parts::{Badge, Fact, Field, HistoryLine, Moment, ScopeGroup, Stand};
use super::super::{Nav, Page, samples};
use super::review::{Run, sample_about, sample_history};
use super::sample_nav;

/// The client's page. Forms: `POST {disable_action}` with `csrf`, `reason` (the answer is
/// [`DisableConfirm`](super::DisableConfirm)); `POST {enable_action}` with `csrf`, `reason`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Client {
    /// Back to the list, as it was filtered.
    pub list_href: String,
    /// The app and its provider.
    pub app: Badge,
    /// `Approved`, `Disabled`, `Rejected` or `Expired`.
    pub stand: Stand,
    /// Since when it stands so.
    pub since: Moment,
    /// Who decided so.
    pub by: String,
    /// The reason that was given; may be `""`.
    pub reason: String,
    /// When the approval ends; `""` for no end.
    pub expires: Moment,
    /// The end is near.
    pub expires_soon: bool,
    /// A change request waits: its review; `""` for none.
    pub change_href: String,
    /// It may act without anyone signed in, but has no key: it gets no tokens for that here.
    pub needs_key: bool,
    /// Where the organization can decide to take secrets; `""` for whoever may not.
    pub settings_href: String,
    /// What it may do, in one sentence.
    pub may: Vec<Run>,
    /// What it may do, in lines.
    pub groups: Vec<ScopeGroup>,
    /// Live tokens ("412").
    pub live_tokens: String,
    /// People with a live grant ("37").
    pub users: String,
    /// Requests in the last 30 days ("18,204").
    pub uses: String,
    /// When it was last used.
    pub last_used: Moment,
    /// Use in the last 30 days.
    pub chart: UseChart,
    /// Type, redirect hosts, keys, contacts, terms, privacy.
    pub about: Vec<Fact>,
    /// What happened, newest first.
    pub history: Vec<HistoryLine>,
    /// This person may disable and enable.
    pub may_decide: bool,
    /// Where *Disable client* goes.
    pub disable_action: String,
    /// Where *Enable client* goes.
    pub enable_action: String,
    /// The reason as typed.
    pub switch_reason: Field,
    /// A rejection keeps the provider from asking again: where *Let it ask again* goes; `""` otherwise. Form: `POST` with `csrf`.
    pub allow_action: String,
}

/// Use per day as a chart with a table behind it. Build it with [`UseChart::of`].
#[derive(Clone, Debug, Default, Serialize)]
pub struct UseChart {
    /// Days, oldest first; empty when there was no use.
    pub days: Vec<Day>,
    /// The highest day, as shown at the top of the chart.
    pub most: String,
    /// The width of a bar.
    pub width: String,
}

/// One day.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Day {
    /// "12 Nov".
    pub label: String,
    /// "1,204".
    pub count: String,
    /// Left edge of the bar in a chart 600 wide.
    pub x: String,
    /// Its upper edge in a chart 120 high.
    pub y: String,
    /// Its height.
    pub height: String,
}

impl UseChart {
    /// A chart of `(label, shown count, count)` per day, oldest first.
    pub fn of(days: &[(String, String, u64)]) -> Self {
        let most = days.iter().max_by_key(|(_, _, count)| *count);
        let Some((_, shown, most)) = most.filter(|(_, _, count)| *count > 0) else {
            return Self::default();
        };
        let tenths_of_width = 6000 / days.len() as u64;
        let days = days.iter().enumerate().map(|(at, (label, shown, count))| {
            // a day with any use is at least one pixel high
            let height = if *count == 0 { 0 } else { (count * 100 / most).max(1) };
            let x = at as u64 * tenths_of_width;
            Day {
                label: label.clone(),
                count: shown.clone(),
                x: format!("{}.{}", x / 10, x % 10),
                y: (110 - height).to_string(),
                height: height.to_string(),
            }
        });
        Self { days: days.collect(), most: shown.clone(), width: (tenths_of_width * 7 / 100).max(1).to_string() }
    }
}

impl Page for Client {
    const TEMPLATE: &'static str = "console/client.html";

    fn samples() -> Vec<Self> {
        let use_of_a_month: Vec<_> = (0..30u64)
            .map(|day| {
                let count = if day % 7 > 4 { day * 3 } else { 200 + day * 37 % 400 };
                (format!("{} Nov", day + 1), count.to_string(), count)
            })
            .collect();
        let nothing = Self {
            list_href: "/console/st-mary/clients".into(),
            app: Badge::new("CareCal", "Acme Health B.V."),
            stand: Stand::Approved,
            since: Moment::new("12 Nov 2026", "2026-11-12T14:03:00Z"),
            by: "Noor de Vries".into(),
            may: vec![
                Run::name("CareCal"),
                Run::plain(" may "),
                Run::strong("read"),
                Run::plain(" appointments and patient names, for "),
                Run::strong("all"),
                Run::plain(" patients."),
            ],
            live_tokens: "0".into(),
            users: "0".into(),
            uses: "0".into(),
            ..Self::default()
        };
        let typical = Self {
            expires: Moment::new("12 Nov 2027", "2027-11-12T14:03:00Z"),
            groups: samples::typical_groups(),
            live_tokens: "412".into(),
            users: "37".into(),
            uses: "18,204".into(),
            last_used: Moment::new("2 minutes ago", "2026-11-23T09:58:00Z"),
            chart: UseChart::of(&use_of_a_month),
            about: sample_about(),
            history: sample_history(),
            may_decide: true,
            disable_action: "/console/st-mary/clients/app_1/disable".into(),
            enable_action: "/console/st-mary/clients/app_1/enable".into(),
            ..nothing.clone()
        };
        vec![
            nothing,
            typical.clone(),
            Self {
                stand: Stand::Disabled,
                reason: "Unusual traffic since this morning.".into(),
                live_tokens: "0".into(),
                users: "0".into(),
                ..typical.clone()
            },
            Self {
                expires_soon: true,
                change_href: "/console/st-mary/access-requests/req_2".into(),
                ..typical.clone()
            },
            Self { stand: Stand::Expired, ..typical.clone() },
            Self { needs_key: true, settings_href: "/console/st-mary/settings".into(), ..typical.clone() },
            Self {
                stand: Stand::Rejected,
                reason: "Not needed here.".into(),
                allow_action: "/console/st-mary/access-requests/req_1/allow-again".into(),
                ..typical.clone()
            },
            Self {
                app: Badge::new(samples::LONG_NAME, samples::LONG_WORD),
                groups: samples::sixty_scopes(),
                live_tokens: "1,234,567".into(),
                switch_reason: Field::wrong("", "Say why, for the record."),
                ..typical.clone()
            },
            Self {
                app: Badge::new(samples::MARKUP, samples::RTL),
                by: samples::MARKUP.into(),
                reason: samples::MARKUP.into(),
                may: vec![Run::name(samples::MARKUP), Run::strong(samples::RTL)],
                groups: samples::hostile_groups(),
                chart: UseChart::of(&[(samples::MARKUP.into(), samples::MARKUP.into(), 3)]),
                stand: Stand::Disabled,
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Clients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_day_is_the_highest_bar_and_any_use_is_visible() {
        let chart = UseChart::of(&[
            ("a".into(), "0".into(), 0),
            ("b".into(), "1".into(), 1),
            ("c".into(), "9,999".into(), 9999),
        ]);
        let heights: Vec<_> = chart.days.iter().map(|day| day.height.as_str()).collect();
        assert_eq!(heights, ["0", "1", "100"]);
        assert_eq!(chart.most, "9,999");
        assert!(UseChart::of(&[]).days.is_empty());
        assert!(UseChart::of(&[("a".into(), "0".into(), 0)]).days.is_empty());
    }
}

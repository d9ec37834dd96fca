//! Times and counts as people read them. What is shown carries "UTC", and the page's script turns it into the reader's own
//! time zone where there is script.

use super::engine::Pages;
use super::parts::Moment;
use super::words::{Arg, Lang};
use crate::domain::clock::UtcMillis;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

impl Pages {
    /// "12 Nov 2026".
    pub fn day(&self, lang: Lang, at: UtcMillis) -> Moment {
        Moment::new(day_text(lang, at), iso(at))
    }

    /// "12 Nov 2026, 14:03 UTC".
    pub fn minute(&self, lang: Lang, at: UtcMillis) -> Moment {
        let (_, _, _, hour, minute, _) = parts(at);
        Moment::new(format!("{}, {hour:02}:{minute:02} UTC", day_text(lang, at)), iso(at))
    }

    /// "12 Nov 2026, 14:03:07 UTC", for receipts and the audit record.
    pub fn second(&self, lang: Lang, at: UtcMillis) -> Moment {
        let (_, _, _, hour, minute, second) = parts(at);
        Moment::new(format!("{}, {hour:02}:{minute:02}:{second:02} UTC", day_text(lang, at)), iso(at))
    }

    /// "2 minutes ago", "yesterday", "3 days ago"; the day itself from a month on, and for what lies ahead.
    pub fn ago(&self, lang: Lang, now: UtcMillis, at: UtcMillis) -> Moment {
        let past = now.0 - at.0;
        let text = match past {
            ..0 => return self.day(lang, at),
            0..MINUTE => self.say(lang, "ago-now", &[]),
            MINUTE..HOUR => self.say(lang, "ago-minutes", &[("n", Arg::Count(past / MINUTE))]),
            HOUR..DAY => self.say(lang, "ago-hours", &[("n", Arg::Count(past / HOUR))]),
            _ if past < 30 * DAY => self.say(lang, "ago-days", &[("n", Arg::Count(past / DAY))]),
            _ => return self.day(lang, at),
        };
        Moment::new(text, iso(at))
    }

    /// How long something took or waits: "5 minutes", "3 days".
    pub fn span(&self, lang: Lang, millis: i64) -> String {
        match millis.max(0) {
            millis @ ..HOUR => self.say(lang, "span-minutes", &[("n", Arg::Count(millis / MINUTE))]),
            millis @ ..DAY => self.say(lang, "span-hours", &[("n", Arg::Count(millis / HOUR))]),
            millis => self.say(lang, "span-days", &[("n", Arg::Count(millis / DAY))]),
        }
    }

    /// "18,204" and "18.204".
    pub fn count(&self, lang: Lang, count: i64) -> String {
        self.say(lang, "count", &[("n", Arg::Count(count))])
    }
}

fn day_text(lang: Lang, at: UtcMillis) -> String {
    const EN: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const NL: [&str; 12] = ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"];
    let (year, month, day, ..) = parts(at);
    let months = match lang {
        Lang::En => EN,
        Lang::Nl => NL,
    };
    format!("{day} {} {year}", months[usize::from(month) - 1])
}

fn parts(at: UtcMillis) -> (i16, u8, u8, u8, u8, u8) {
    let time = jiff::tz::Offset::UTC.to_datetime(timestamp(at));
    let positive = |value: i8| u8::try_from(value).unwrap_or_default();
    (
        time.year(),
        positive(time.month()),
        positive(time.day()),
        positive(time.hour()),
        positive(time.minute()),
        positive(time.second()),
    )
}

/// RFC 3339, to the second.
fn iso(at: UtcMillis) -> String {
    timestamp(UtcMillis(at.0 - at.0.rem_euclid(1000))).to_string()
}

fn timestamp(at: UtcMillis) -> jiff::Timestamp {
    // beyond jiff's range only a broken row can lie; such a page shows the beginning of time rather than nothing
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: UtcMillis = UtcMillis(1_794_492_187_500); // 2026-11-12T14:03:07.5Z

    #[test]
    fn a_moment_reads_well_in_both_languages_and_is_exact_for_machines() {
        let pages = Pages::load().unwrap();
        let moment = pages.second(Lang::En, AT);
        assert_eq!(moment.text, "12 Nov 2026, 14:03:07 UTC");
        assert_eq!(moment.iso, "2026-11-12T14:03:07Z");
        assert_eq!(pages.minute(Lang::Nl, AT).text, "12 nov 2026, 14:03 UTC");
        assert_eq!(pages.day(Lang::Nl, UtcMillis(i64::MAX)).text, "1 jan 1970");
    }

    #[test]
    fn near_times_are_told_by_their_distance_and_far_ones_by_their_day() {
        let pages = Pages::load().unwrap();
        let ago = |past: i64| pages.ago(Lang::En, UtcMillis(AT.0 + past), AT).text;
        assert_eq!(ago(5_000), "just now");
        assert_eq!(ago(MINUTE), "1 minute ago");
        assert_eq!(ago(3 * HOUR), "3 hours ago");
        assert_eq!(ago(DAY), "yesterday");
        assert_eq!(ago(3 * DAY), "3 days ago");
        assert_eq!(ago(40 * DAY), "12 Nov 2026");
        assert_eq!(ago(-HOUR), "12 Nov 2026");
        assert_eq!(pages.span(Lang::Nl, 3 * DAY), "3 dagen");
    }

    #[test]
    fn counts_are_grouped_as_the_language_does() {
        let pages = Pages::load().unwrap();
        assert_eq!(pages.count(Lang::En, 1_234_567), "1,234,567");
        assert_eq!(pages.count(Lang::Nl, 18_204), "18.204");
        assert_eq!(pages.count(Lang::En, 999), "999");
    }
}

//! Dates as spans of seconds. A value without a zone counts as UTC.

/// Whole seconds since 1970, first and last included.
pub(super) type Span = (i64, i64);

/// A date of a limit: prefix and span. `ne` and `ap` are not understood, so no limit may hold them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    prefix: Prefix,
    span: Span,
}

#[derive(Debug, Clone, Copy)]
enum Prefix {
    Equal,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    StartsAfter,
    EndsBefore,
}

impl Wanted {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (prefix, rest) = match text.get(..2) {
            Some("eq") => (Prefix::Equal, text.get(2..)?),
            Some("gt") => (Prefix::Greater, text.get(2..)?),
            Some("lt") => (Prefix::Less, text.get(2..)?),
            Some("ge") => (Prefix::GreaterOrEqual, text.get(2..)?),
            Some("le") => (Prefix::LessOrEqual, text.get(2..)?),
            Some("sa") => (Prefix::StartsAfter, text.get(2..)?),
            Some("eb") => (Prefix::EndsBefore, text.get(2..)?),
            _ => (Prefix::Equal, text),
        };
        Some(Self { prefix, span: span(rest)? })
    }

    /// FHIR R4 search 3.1.1.4.5, with the span of the resource on the left.
    pub(super) fn meets(self, (first, last): Span) -> bool {
        let (from, to) = self.span;
        let within = from <= first && last <= to;
        match self.prefix {
            Prefix::Equal => within,
            Prefix::Greater => last > to,
            Prefix::Less => first < from,
            Prefix::GreaterOrEqual => last > to || within,
            Prefix::LessOrEqual => first < from || within,
            Prefix::StartsAfter => first > to,
            Prefix::EndsBefore => last < from,
        }
    }
}

/// Whether a value is a date that can be compared with one on a resource: a prefix other than `ne` and `ap`, or none, and a day that
/// there is.
pub(crate) fn is_comparable_date(value: &str) -> bool {
    Wanted::read(value).is_some()
}

/// A period; an open end reaches to the end of time. Without start and end there is nothing to compare.
pub(super) fn period(start: Option<&str>, end: Option<&str>) -> Option<Span> {
    if start.is_none() && end.is_none() {
        return None;
    }
    let first = match start {
        Some(text) => span(text)?.0,
        None => i64::MIN,
    };
    let last = match end {
        Some(text) => span(text)?.1,
        None => i64::MAX,
    };
    Some((first, last))
}

/// The span of `2020`, `2020-01`, `2020-01-31`, `2020-01-31T10:00[:00[.0]][Z|+01:00]`.
pub(super) fn span(text: &str) -> Option<Span> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4)?;
    let month = parts.next().map(|text| number(text, 2)).map_or(Some(None), |found| found.map(Some))?;
    let day = parts.next().map(|text| number(text, 2)).map_or(Some(None), |found| found.map(Some))?;
    if parts.next().is_some()
        || month.is_some_and(|month| !(1..=12).contains(&month))
        || day.is_some_and(|day| !(1..=31).contains(&day))
        || time.is_some() && day.is_none()
    {
        return None;
    }
    let (first, after) = match (month, day) {
        (None, _) => (days(year, 1, 1), days(year + 1, 1, 1)),
        (Some(month), None) => (days(year, month, 1), days(year, month, 1) + last_day(year, month)),
        // the 30th of February would be a day of March
        (Some(month), Some(day)) if day > last_day(year, month) => return None,
        (Some(month), Some(day)) => (days(year, month, day), days(year, month, day) + 1),
    };
    let Some(time) = time else { return Some((first * 86_400, after * 86_400 - 1)) };
    let (clock, offset) = zone(time)?;
    let mut parts = clock.split(':');
    let hour = number(parts.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = number(parts.next()?, 2).filter(|minute| *minute < 60)?;
    let start = first * 86_400 + hour * 3600 + minute * 60 - offset;
    let seconds = parts.next();
    if parts.next().is_some() {
        return None;
    }
    match seconds {
        None => Some((start, start + 59)),
        Some(seconds) => {
            let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
            // a leap second is written as 60
            let whole = number(whole, 2).filter(|whole| *whole <= 60)?;
            let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
            is_fraction.then_some((start + whole, start + whole))
        }
    }
}

fn zone(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0)) };
    let (clock, zone) = time.split_at(at);
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let hours = number(hours, 2).filter(|hours| *hours <= 14)?;
    let minutes = number(minutes, 2).filter(|minutes| *minutes < 60)?;
    let offset = hours * 3600 + minutes * 60;
    Some((clock, if zone.starts_with('-') { -offset } else { offset }))
}

fn number(text: &str, digits: usize) -> Option<i64> {
    if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn last_day(year: i64, month: i64) -> i64 {
    let next = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
    next - days(year, month, 1)
}

/// Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant's civil-date formula).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use super::{Wanted, period, span};

    #[test]
    fn spans_cover_what_the_precision_says() {
        assert_eq!(span("1970-01-01"), Some((0, 86_399)));
        assert_eq!(span("1970"), Some((0, 365 * 86_400 - 1)));
        assert_eq!(span("2000-02").map(|(first, last)| last + 1 - first), Some(29 * 86_400));
        assert_eq!(span("1970-01-01T01:00:00+01:00"), Some((0, 0)));
        assert_eq!(span("1970-13"), None);
        assert_eq!(span("1970-01-01T"), None);
        assert!(span("2024-02-29").is_some() && span("2016-12-31T23:59:60.5Z").is_some());
    }

    #[test]
    fn a_day_or_time_that_there_is_not_has_no_span() {
        for text in [
            "",
            "yesterday",
            "2024-13",
            "2024-00-01",
            "2024-02-30",
            "2023-02-29",
            "2024-01-01-01",
            "2024-1-1",
            "24",
            "2024T10:00",
            "2024-01T10:00",
            "2024-01-01T24:00",
            "2024-01-01T10",
            "2024-01-01T10:60",
            "2024-01-01T10:00:61",
            "2024-01-01T10:00:00:00",
            "2024-01-01T10:00:00.",
            "2024-01-01T10:00:00.x",
            "2024-01-01T10:00:00+25:00",
            "2024-01-01T10:00:00+01",
            "2024-01-01Z",
        ] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn an_open_period_reaches_without_end() {
        let since = Wanted::read("ge2020").unwrap();
        assert!(since.meets(period(Some("2019-01-01"), None).unwrap()));
        assert!(!since.meets(period(Some("2018"), Some("2019")).unwrap()));
        assert!(period(None, None).is_none());
        assert!(Wanted::read("ne2020").is_none());
    }
}

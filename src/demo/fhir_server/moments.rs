//! FHIR dates as stretches of time: `2026` is a year long, `2026-09-14T08:30Z` a minute (R4 3.1.1.4.7).

use jiff::civil;
use jiff::tz::Offset;

/// From (inclusive) to (exclusive), in milliseconds of UTC. Open ends are the end of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// How a search value relates to the resource's stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    Equal,
    NotEqual,
    After,
    Before,
    AtLeast,
    AtMost,
    StartsAfter,
    EndsBefore,
    About,
}

impl Prefix {
    /// Splits `ge2026-01-01`; a value without prefix means equal.
    pub(super) fn split(value: &str) -> (Self, &str) {
        let known = [
            ("eq", Self::Equal),
            ("ne", Self::NotEqual),
            ("gt", Self::After),
            ("lt", Self::Before),
            ("ge", Self::AtLeast),
            ("le", Self::AtMost),
            ("sa", Self::StartsAfter),
            ("eb", Self::EndsBefore),
            ("ap", Self::About),
        ];
        known
            .into_iter()
            .find_map(|(letters, prefix)| value.strip_prefix(letters).map(|rest| (prefix, rest)))
            .unwrap_or((Self::Equal, value))
    }

    /// Does a resource with this stretch match the searched one?
    pub(super) fn holds(self, resource: Stretch, searched: Stretch) -> bool {
        let equal = searched.from <= resource.from && resource.to <= searched.to;
        match self {
            Self::Equal => equal,
            Self::NotEqual => !equal,
            Self::After => resource.to > searched.to,
            Self::Before => resource.from < searched.from,
            Self::AtLeast => resource.to > searched.to || equal,
            Self::AtMost => resource.from < searched.from || equal,
            Self::StartsAfter => resource.from >= searched.to,
            Self::EndsBefore => resource.to <= searched.from,
            Self::About => resource.from < searched.to && searched.from < resource.to,
        }
    }
}

impl Stretch {
    /// Reads a `date`, `dateTime` or `instant`; without a zone, UTC. `None` if it is none of these.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (day, time) = match text.split_once('T') {
            Some((day, time)) => (day, Some(time)),
            None => (text, None),
        };
        let mut parts = day.split('-');
        let year = number::<i16>(parts.next()?, 4)?;
        let month = parts.next().map(|part| number::<i8>(part, 2));
        let date = parts.next().map(|part| number::<i8>(part, 2));
        if parts.next().is_some() {
            return None;
        }
        match (month, date, time) {
            (None, None, None) => {
                Self::days(civil::Date::new(year, 1, 1).ok()?, civil::Date::new(year.checked_add(1)?, 1, 1).ok()?)
            }
            (Some(month), None, None) => {
                let first = civil::Date::new(year, month?, 1).ok()?;
                Self::days(first, first.last_of_month().tomorrow().ok()?)
            }
            (Some(month), Some(date), None) => {
                let day = civil::Date::new(year, month?, date?).ok()?;
                Self::days(day, day.tomorrow().ok()?)
            }
            (Some(month), Some(date), Some(time)) => {
                Self::within_day(civil::Date::new(year, month?, date?).ok()?, time)
            }
            _ => None,
        }
    }

    /// A Period; a missing end is open.
    pub(super) fn of_period(start: Option<&str>, end: Option<&str>) -> Option<Self> {
        if start.is_none() && end.is_none() {
            return None;
        }
        let from = start.map_or(Some(i64::MIN), |start| Self::read(start).map(|stretch| stretch.from))?;
        let to = end.map_or(Some(i64::MAX), |end| Self::read(end).map(|stretch| stretch.to))?;
        Some(Self { from, to })
    }

    fn days(first: civil::Date, after_last: civil::Date) -> Option<Self> {
        let midnight = |day: civil::Date| Some(Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?.as_millisecond());
        Some(Self { from: midnight(first)?, to: midnight(after_last)? })
    }

    fn within_day(day: civil::Date, time: &str) -> Option<Self> {
        let zone_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
        let (clock, zone) = time.split_at(zone_at);
        let offset_minutes = match zone {
            "" | "Z" => 0,
            zone => {
                let (hours, minutes) = zone.get(1..)?.split_once(':')?;
                let minutes = number::<i64>(hours, 2)? * 60 + number::<i64>(minutes, 2)?;
                if zone.starts_with('-') { -minutes } else { minutes }
            }
        };
        let mut parts = clock.split(':');
        let hour = number::<i8>(parts.next()?, 2)?;
        let minute = number::<i8>(parts.next()?, 2)?;
        let (second, millis, length) = match parts.next() {
            None => (0, 0, 60_000),
            Some(second) => match second.split_once('.') {
                None => (number::<i8>(second, 2)?, 0, 1000),
                Some((second, fraction)) => {
                    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
                    (number::<i8>(second, 2)?, number::<i64>(&digits, 3)?, 1)
                }
            },
        };
        if parts.next().is_some() {
            return None;
        }
        let civil = civil::Time::new(hour, minute, second, 0).ok()?.on(day.year(), day.month(), day.day());
        let from = Offset::UTC.to_timestamp(civil).ok()?.as_millisecond() + millis - offset_minutes * 60_000;
        Some(Self { from, to: from + length })
    }
}

/// A number of exactly so many digits.
fn number<T: std::str::FromStr>(text: &str, digits: usize) -> Option<T> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_as_long_as_it_is_vague() {
        let day = 86_400_000;
        for (text, length) in
            [("2026", 365 * day), ("2026-02", 28 * day), ("2026-09-14", day), ("2026-09-14T08:30Z", 60_000)]
        {
            let stretch = Stretch::read(text).unwrap();
            assert_eq!(stretch.to - stretch.from, length, "{text}");
        }
    }

    #[test]
    fn offsets_move_the_moment() {
        assert_eq!(Stretch::read("2026-09-14T10:30:00+02:00"), Stretch::read("2026-09-14T08:30:00Z"));
        assert_eq!(Stretch::read("2026-09-14T03:30:00.250-05:00").unwrap().from % 1000, 250);
    }

    #[test]
    fn what_is_not_a_date_is_nothing() {
        for text in [
            "",
            "26",
            "2026-13",
            "2026-02-30",
            "2026-09-14T",
            "2026-09-14T25:00",
            "2026-1-1",
            "2026-09-14T08:30:00+2",
            "yesterday",
        ] {
            assert_eq!(Stretch::read(text), None, "{text}");
        }
    }

    #[test]
    fn prefixes_compare_stretches() {
        let visit = Stretch::read("2026-09-14T08:30:00Z").unwrap();
        for (value, expected) in [
            ("2026", true),
            ("eq2026-09-14", true),
            ("2026-09-15", false),
            ("ne2026-09-15", true),
            ("ge2026-09-14", true),
            ("gt2026-09-14", false),
            ("gt2026-09-13", true),
            ("lt2026-09-14", false),
            ("le2026-09-14", true),
            ("lt2026-09-15", true),
            ("sa2026-09-13", true),
            ("sa2026-09", false),
            ("eb2026-09-15", true),
            ("ap2026-09", true),
        ] {
            let (prefix, rest) = Prefix::split(value);
            assert_eq!(prefix.holds(visit, Stretch::read(rest).unwrap()), expected, "{value}");
        }
    }

    #[test]
    fn an_open_period_goes_on() {
        let plan = Stretch::of_period(Some("2026-01-01"), None).unwrap();
        assert!(Prefix::AtLeast.holds(plan, Stretch::read("2050").unwrap()));
    }
}

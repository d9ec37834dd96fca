//! When a message that did not arrive is tried again: soon, then ever more patiently, and after a day and a half no more.

use super::clock::UtcMillis;

/// Attempts before a message is given up.
const ATTEMPTS: i64 = 14;

/// When to try again after so many attempts (30 s, 1 min, 2 min, ... 6 h); `None` gives up.
pub fn next_attempt(attempts: i64, now: UtcMillis) -> Option<UtcMillis> {
    if attempts >= ATTEMPTS {
        return None;
    }
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(20);
    Some(now.plus_seconds((30_i64 << doublings).min(6 * 3600)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_up_to_six_hours_and_ends_after_a_day_and_a_half() {
        let start = UtcMillis(0);
        assert_eq!(next_attempt(1, start), Some(start.plus_seconds(30)));
        assert_eq!(next_attempt(2, start), Some(start.plus_seconds(60)));
        let mut now = start;
        let mut attempts = 1;
        while let Some(next) = next_attempt(attempts, now) {
            assert!(next.0 - now.0 <= 6 * 3600 * 1000);
            (now, attempts) = (next, attempts + 1);
        }
        assert!(now > start.plus_days(1) && now < start.plus_days(2), "{now}");
    }
}

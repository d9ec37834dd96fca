//! How often somebody may do something: attempts per subject in a window of time.
//!
//! These counts live in the process, not in the database: they stand on the hot paths, and whoever floods us must not make us write. With several processes
//! each counts for itself, so that the whole allows at most as many times the limit as there are processes. What must be exact (sign-in, registration, the
//! retries of a refresh) is counted in the database, in the transaction it guards.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::clock::UtcMillis;

/// Most subjects that are remembered. Beyond it windows that are over are forgotten, and if none is, all are: a flood of new names makes us forgetful, not big.
const MOST_SUBJECTS: usize = 50_000;

/// One kind of attempt.
#[derive(Default)]
pub struct Throttle {
    windows: Mutex<HashMap<String, Window>>,
}

#[derive(Clone, Copy)]
struct Window {
    started_at: UtcMillis,
    attempts: i64,
}

/// How many attempts in how long.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Attempts that are answered in a window.
    pub attempts: i64,
    /// Length of a window; it starts with the first attempt after the last one ended.
    pub window_seconds: i64,
}

impl Limit {
    /// So many a minute.
    pub fn per_minute(attempts: i64) -> Self {
        Self { attempts, window_seconds: 60 }
    }
}

impl Throttle {
    /// Counts an attempt. `Err` if it is one too many: the seconds until the window ends, at least one.
    pub fn count(&self, subject: &str, limit: Limit, now: UtcMillis) -> Result<(), u32> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |window: &Window| {
            // a clock that was set back must not make a window longer
            window.started_at.plus_seconds(limit.window_seconds) <= now || window.started_at > now
        };
        if windows.len() >= MOST_SUBJECTS && !windows.contains_key(subject) {
            windows.retain(|_, window| !is_over(window));
            if windows.len() >= MOST_SUBJECTS {
                windows.clear();
            }
        }
        let fresh = Window { started_at: now, attempts: 0 };
        let window = windows.entry(subject.to_owned()).or_insert(fresh);
        if is_over(window) {
            *window = fresh;
        }
        window.attempts = window.attempts.saturating_add(1);
        if window.attempts <= limit.attempts {
            return Ok(());
        }
        let rest = window.started_at.plus_seconds(limit.window_seconds).0.saturating_sub(now.0);
        Err(u32::try_from(rest.saturating_add(999) / 1000).unwrap_or(u32::MAX).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { attempts: 3, window_seconds: 60 };

    #[test]
    fn so_many_are_answered_in_a_window_and_then_none_until_it_ends() {
        let throttle = Throttle::default();
        let start = UtcMillis(1_000_000);
        for _ in 0..3 {
            assert_eq!(throttle.count("a", LIMIT, start), Ok(()));
        }
        assert_eq!(throttle.count("a", LIMIT, start), Err(60));
        assert_eq!(throttle.count("a", LIMIT, UtcMillis(start.0 + 59_500)), Err(1));
        assert_eq!(throttle.count("b", LIMIT, start), Ok(()), "another one counts for itself");
        assert_eq!(throttle.count("a", LIMIT, start.plus_seconds(60)), Ok(()), "a new window");
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_lock_anybody_out() {
        let throttle = Throttle::default();
        for _ in 0..4 {
            let _ = throttle.count("a", LIMIT, UtcMillis(10_000_000));
        }
        assert_eq!(throttle.count("a", LIMIT, UtcMillis(1_000_000)), Ok(()));
    }

    #[test]
    fn a_flood_of_subjects_does_not_grow_without_bound() {
        let throttle = Throttle::default();
        for number in 0..MOST_SUBJECTS + 1000 {
            let _ = throttle.count(&number.to_string(), LIMIT, UtcMillis(0));
        }
        assert!(throttle.windows.lock().unwrap().len() <= MOST_SUBJECTS);
    }
}

//! Time, as an argument.
//!
//! Everything below the edge is told what time it is; only [`SystemClock`] asks the machine. So "wait eleven minutes" is one line of a test.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct UtcMillis(pub i64);

impl UtcMillis {
    /// This moment plus a number of seconds; saturates at the ends of time.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// This moment plus a number of days of 24 hours.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// Whole seconds since the epoch: the NumericDate of RFC 7519 2.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Whole days since the epoch, UTC.
    pub fn day(self) -> i64 {
        self.0.div_euclid(86_400_000)
    }

    /// RFC 3339 in UTC with milliseconds, for machines: `2026-11-23T09:30:00.000Z`.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(|_| self.0.to_string(), |t| format!("{t:.3}"))
    }
}

impl fmt::Display for UtcMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// Something that knows what time it is.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> UtcMillis;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> UtcMillis {
        UtcMillis(jiff::Timestamp::now().as_millisecond())
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct FrozenClock(AtomicI64);

impl FrozenClock {
    /// A clock that shows `at` until told otherwise.
    pub fn at(at: UtcMillis) -> Self {
        Self(AtomicI64::new(at.0))
    }

    /// Moves the clock on (or, with a negative number, back).
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> UtcMillis {
        UtcMillis(self.0.load(Ordering::SeqCst))
    }
}

//! Counting test cases in what the test runners print last.

use std::ops::AddAssign;

/// Test cases by how they ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Ended well.
    pub passed: usize,
    /// Ended badly, or timed out.
    pub failed: usize,
    /// Not run.
    pub skipped: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Adds up the closing lines of cargo test, nextest, node's runner and pytest found in `output`.
pub fn count(output: &str) -> Tally {
    let mut sum = Tally::default();
    for line in output.lines() {
        sum += closing_line(line.trim()).unwrap_or_default();
    }
    sum
}

fn closing_line(line: &str) -> Option<Tally> {
    if let Some(rest) = line.strip_prefix("test result:") {
        return Some(words(rest)); // cargo test: "ok. 3 passed; 0 failed; 1 ignored; 0 measured; ..."
    }
    if line.starts_with("Summary [") {
        return Some(words(line)); // nextest: "Summary [ 0.1s] 12 tests run: 11 passed, 1 failed, 2 skipped"
    }
    if line.starts_with('=') && line.ends_with('=') && line.contains(" in ") {
        return Some(words(line)); // pytest: "==== 4 passed, 1 skipped in 2.10s ===="
    }
    if let [_, "passed,", _, "failed"] = line.split(' ').collect::<Vec<_>>()[..] {
        return Some(words(line)); // our own: "12 passed, 0 failed"
    }
    // node --test: "# pass 3" (tap) or "ℹ pass 3" (spec)
    let mut parts = line.strip_prefix('#').or_else(|| line.strip_prefix('ℹ'))?.split_whitespace();
    let (what, number) = (parts.next()?, parts.next()?.parse().ok()?);
    let mut tally = Tally::default();
    match what {
        "pass" => tally.passed = number,
        "fail" | "cancelled" => tally.failed = number,
        "skipped" | "todo" => tally.skipped = number,
        _ => return None,
    }
    parts.next().is_none().then_some(tally)
}

/// Reads "N passed", "N failed", "N skipped" and their cousins wherever they stand in the line.
fn words(line: &str) -> Tally {
    let mut tally = Tally::default();
    let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    for pair in words.windows(2) {
        let Ok(number) = pair[0].parse::<usize>() else {
            continue;
        };
        match pair[1] {
            "passed" => tally.passed += number,
            "failed" | "error" | "errors" | "timed" => tally.failed += number,
            "skipped" | "ignored" => tally.skipped += number,
            _ => {}
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: usize, failed: usize, skipped: usize) -> Tally {
        Tally { passed, failed, skipped }
    }

    #[test]
    fn the_closing_line_of_every_runner_is_counted() {
        for (line, expected) in [
            (
                "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
                tally(3, 0, 1),
            ),
            ("     Summary [   1.204s] 12 tests run: 11 passed (1 slow), 1 failed, 2 skipped", tally(11, 1, 2)),
            ("     Summary [   1.204s] 2 tests run: 1 passed, 1 timed out, 0 skipped", tally(1, 1, 0)),
            ("=========== 4 passed, 1 skipped, 2 warnings in 2.10s ===========", tally(4, 0, 1)),
            ("=========== 1 failed, 2 errors in 0.10s ===========", tally(0, 3, 0)),
            ("12 passed, 3 failed", tally(12, 3, 0)),
            ("# pass 7", tally(7, 0, 0)),
            ("ℹ fail 2", tally(0, 2, 0)),
            ("ℹ cancelled 1", tally(0, 1, 0)),
        ] {
            assert_eq!(count(line), expected, "{line}");
        }
    }

    #[test]
    fn what_a_test_prints_is_not_counted() {
        assert_eq!(count("# pass the salt\n5 passed by\nℹ tests 9\nPASS [0.1s] it 3_passed"), Tally::default());
    }
}

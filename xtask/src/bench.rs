//! `cargo xtask bench`: what the parts cost, and what the whole serves.

/// Runs the benches named, or all.
pub fn main(_arguments: &[String]) -> Result<bool, String> {
    let finished = crate::run::shown(std::process::Command::new("cargo").args(["bench", "--workspace"]), |_| true)?;
    Ok(finished.ok)
}

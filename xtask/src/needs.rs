//! What the checks need beyond cargo, and getting it: each piece is left alone when it is there.
//!
//! Debian packages are installed when this runs as root (a CI machine); otherwise the message says what to install.
//! Python programs live in virtual environments under `target/`, npm packages beside their `package.json`.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use crate::{postgres, run, target, workspace};

/// Something a check cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Debian's Chromium.
    Chromium,
    /// `initdb` and `postgres`.
    Postgres,
    /// node, npm, and the locked packages under `tests/`.
    Npm,
    /// A virtual environment of this name under `target/`, filled from this requirements file.
    Python(&'static str, &'static str),
}

/// Debian's package manager does one thing at a time.
static APT: Mutex<()> = Mutex::new(());

impl Need {
    /// Gets it, or says what is missing and how to have it.
    pub fn get(self) -> Result<(), String> {
        match self {
            Self::Chromium if chromium().is_some() => Ok(()),
            Self::Chromium => debian(&["chromium"]),
            Self::Postgres if postgres::programs().is_some() => Ok(()),
            Self::Postgres => debian(&["postgresql"]),
            Self::Npm => npm(),
            Self::Python(name, requirements) => python(name, requirements),
        }
    }
}

/// The browser the tests drive; `CHROMIUM` names another.
pub fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    named.or_else(|| Some(PathBuf::from("/usr/bin/chromium"))).filter(|path| path.exists())
}

/// A program of the virtual environment `name`.
pub fn in_venv(name: &str, program: &str) -> PathBuf {
    target().join("venv").join(name).join("bin").join(program)
}

fn is_in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

fn debian(packages: &[&str]) -> Result<(), String> {
    let _one_at_a_time = APT.lock().expect("apt-get's caller does not panic");
    let root = run::quietly(Command::new("id").arg("-u"))?.trim() == "0";
    if !root || !is_in_path("apt-get") {
        return Err(format!("not installed: {0} (on Debian: sudo apt-get install {0})", packages.join(" ")));
    }
    run::quietly(Command::new("apt-get").args(["-qq", "update"]))?;
    run::quietly(
        Command::new("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["-qq", "-y", "--no-install-recommends", "install"])
            .args(packages),
    )?;
    Ok(())
}

fn npm() -> Result<(), String> {
    if !is_in_path("npm") {
        debian(&["nodejs", "npm"])?;
    }
    let folder = workspace().join("tests");
    let lock =
        std::fs::read_to_string(folder.join("package-lock.json")).map_err(|e| format!("package-lock.json: {e}"))?;
    // the note is written when an installation is complete: no note, or one of another lock, means install
    let note = folder.join("node_modules/.installed-from");
    if std::fs::read_to_string(&note).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    run::quietly(Command::new("npm").current_dir(&folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    std::fs::write(&note, lock).map_err(|e| format!("{}: {e}", note.display()))
}

fn python(name: &str, requirements: &str) -> Result<(), String> {
    let wanted = std::fs::read_to_string(workspace().join(requirements)).map_err(|e| format!("{requirements}: {e}"))?;
    let folder = target().join("venv").join(name);
    let note = folder.join("installed-from");
    if std::fs::read_to_string(&note).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let _ = std::fs::remove_dir_all(&folder);
    let make = || run::quietly(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    if make().is_err() {
        debian(&["python3-venv"])?;
        make()?;
    }
    run::quietly(Command::new(folder.join("bin/python")).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--requirement",
        requirements,
    ]))?;
    std::fs::write(&note, wanted).map_err(|e| format!("{}: {e}", note.display()))
}

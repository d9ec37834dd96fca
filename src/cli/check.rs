//! `countersign check`: is this a configuration to start with?

use super::{ConfigFile, Failed, open};

pub(super) fn run(file: &ConfigFile) -> Result<(), Failed> {
    let loaded = open::load(file)?;
    for warning in &loaded.warnings {
        println!("warning: {warning}");
    }
    println!("the configuration is good");
    Ok(())
}

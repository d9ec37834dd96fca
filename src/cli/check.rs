//! `countersign check`: is this a configuration to start with?

use super::{ConfigFile, Failed};
use crate::config;

pub(super) fn run(file: &ConfigFile) -> Result<(), Failed> {
    let loaded = config::load(file.config.as_deref(), std::env::vars())?;
    for warning in &loaded.warnings {
        println!("warning: {warning}");
    }
    println!("the configuration is good");
    Ok(())
}

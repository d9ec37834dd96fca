//! `countersign audit verify`: is the record whole? Prints the head of every chain, to be kept elsewhere: a chain cannot see its own cut tail.

use clap::Subcommand;

use super::{ConfigFile, Failed, open};
use crate::governance::audit;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check every hash chain and print its head
    Verify(ConfigFile),
}

pub(super) async fn run(command: Command) -> Result<(), Failed> {
    let Command::Verify(file) = command;
    let (app, _lock) = open::app_beside(open::configuration(&file)?).await?;
    let heads = audit::verify(&app.store).await?;
    for head in &heads {
        println!("{} {} {}", head.chain, head.seq, head.hash);
    }
    println!("{} chains are whole", heads.len());
    Ok(())
}

//! `countersign demo`.

use super::Failed;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) async fn run(_arguments: Arguments) -> Result<(), Failed> {
    Ok(())
}

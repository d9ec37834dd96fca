//! `countersign keys`: which keys sign, and a new one before its time. They run beside the server, which takes a change up by itself.

use std::sync::Arc;

use clap::Subcommand;

use super::{ConfigFile, Failed, open};
use crate::domain::keys::{self, KeyState, SigningKey};
use crate::protocol::signing;
use crate::storage;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show every signing key and where it stands
    List(ConfigFile),
    /// Begin a rotation now instead of when it is due: the next key is published, and signs two hours later, when every app can know it
    Rotate(Rotate),
}

#[derive(Debug, clap::Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    file: ConfigFile,
    /// The keys are known to others: forget them all at once and sign with a new one. What was signed before verifies no more
    #[arg(long)]
    compromised: bool,
}

pub(super) async fn run(command: Command) -> Result<(), Failed> {
    let (file, rotate) = match &command {
        Command::List(file) => (file, None),
        Command::Rotate(rotate) => (&rotate.file, Some(rotate)),
    };
    let (app, _lock) = open::app_beside(open::configuration(file)?).await?;
    let app = Arc::new(app);
    match rotate {
        None => {}
        Some(Rotate { compromised: true, .. }) => signing::replace_compromised(&app).await?,
        Some(Rotate { compromised: false, .. }) => signing::begin_rotation(&app).await?,
    }
    let keys = storage::signing_keys::list(&mut *app.store.read().await?).await?;
    for key in &keys {
        println!("{}", line(key, &keys));
    }
    if keys.is_empty() {
        println!("there is no key yet; the server makes one when it starts");
    }
    app.store.clone().close().await;
    Ok(())
}

fn line(key: &SigningKey, keys: &[SigningKey]) -> String {
    let stands = match key.state {
        KeyState::Next => match keys::next_signs_from(keys) {
            Some(at) => format!("published, signs from {at}"),
            None => "published".to_owned(),
        },
        KeyState::Active => format!("signs since {}", key.activated_at.unwrap_or(key.created_at)),
        KeyState::Retiring => match key.retired_at {
            Some(at) => format!("signs no more since {at}, forgotten after {}", at.plus_days(keys::RETIRING_DAYS)),
            None => "signs no more".to_owned(),
        },
    };
    format!("{} {} {stands}", key.kid, key.alg)
}

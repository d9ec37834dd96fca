//! The sections of `countersign.toml`. Unknown keys are refused.

use serde::Deserialize;

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where we listen and who we are.
    pub server: Server,
    /// Our database.
    pub database: Database,
    /// Outgoing mail.
    #[serde(default)]
    pub mail: Mail,
    /// Outgoing HTTP.
    #[serde(default)]
    pub outbound: Outbound,
    /// Bounds.
    #[serde(default)]
    pub limits: Limits,
}

/// Where we listen and who we are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// `https://HOST`, without a trailing slash: every URL we print or compare begins with it.
    pub base_url: String,
    /// Address and port.
    pub listen: String,
    /// Address and port of `/livez`, `/readyz` and `/metrics`; off if absent.
    #[serde(default)]
    pub operations_listen: Option<String>,
    /// File with the key-encryption key: 64 hexadecimal digits.
    pub key_file: String,
}

/// Our database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://...`.
    pub url: String,
}

/// Outgoing mail.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, tag = "transport", rename_all = "snake_case")]
pub enum Mail {
    /// Written to the log, for trying things out.
    #[default]
    Console,
    /// Written as files into a folder.
    File {
        /// The folder.
        folder: String,
        /// `From:`.
        from: String,
    },
    /// Sent by SMTP.
    Smtp {
        /// `smtps://user:password@host:port` or `smtp://...?tls=required`.
        url: String,
        /// `From:`.
        from: String,
    },
}

/// Outgoing HTTP: to clients' JWK Set URLs, webhooks and FHIR servers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outbound {
    /// Allow http and private addresses. For the demo and for tests only; `check` warns.
    pub allow_private_networks: bool,
}

/// Bounds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Life of an access token in a user's flow, seconds (SMART-AL-24: at most 3600).
    pub access_token_seconds: i64,
    /// Life of an access token for a backend service, seconds (SMART-BS-04: at most 300).
    pub backend_token_seconds: i64,
    /// How long an unused refresh token lasts, days (ONC-03: at least 90). Each use starts the window anew.
    pub refresh_token_days: i64,
    /// Life of an authorization code, seconds (SMART-AL-17: about a minute).
    pub code_seconds: i64,
    /// A session ends after this long without use, minutes.
    pub session_idle_minutes: i64,
    /// A session ends after this long, hours.
    pub session_hours: i64,
    /// How many clients may register themselves at an organization in an hour, where it lets anybody (D15).
    pub registrations_per_hour: i64,
    /// How many clients that registered themselves may wait for an organization's answer, where it lets anybody (D15).
    pub waiting_registrations: i64,
    /// How many wrong secrets of one client are answered in a minute; a right one is always taken. Counted by each process.
    pub wrong_secrets_per_minute: i64,
    /// How many tokens that are not good a resource server may ask about in a minute; good ones are always answered (I04). Counted by each process.
    pub dead_tokens_per_minute: i64,
    /// How often a refresh whose answer got lost may be retried in a minute, for one grant (R15).
    pub refresh_retries_per_minute: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            access_token_seconds: 3600,
            backend_token_seconds: 300,
            refresh_token_days: 100,
            code_seconds: 60,
            session_idle_minutes: 30,
            session_hours: 12,
            registrations_per_hour: 30,
            waiting_registrations: 200,
            wrong_secrets_per_minute: 100,
            dead_tokens_per_minute: 300,
            refresh_retries_per_minute: 60,
        }
    }
}

//! What each value must mean. Every mistake is reported, not only the first.

use std::net::SocketAddr;

use url::{Host, Url};
use zeroize::Zeroizing;

use super::{Config, Mail, Mistake};
use crate::domain::accounts::normalized_email;

pub(super) fn check(config: &Config, mistakes: &mut Vec<Mistake>, warnings: &mut Vec<Mistake>) {
    base_url(&config.server.base_url, mistakes);
    let listen = address("server.listen", &config.server.listen, mistakes);
    if let Some(text) = &config.server.operations_listen {
        let operations = address("server.operations_listen", text, mistakes);
        if operations.is_some_and(|address| address.port() != 0 && Some(address) == listen) {
            mistakes.push(Mistake::new("server.operations_listen", "must be another address than server.listen"));
        }
    } else {
        warnings.push(Mistake::new(
            "server.operations_listen",
            "is not given: there are no metrics, and health has no listener of its own",
        ));
    }
    if let Err(what) = read_key_file(&config.server.key_file) {
        mistakes.push(Mistake::new("server.key_file", what));
    }
    let url = &config.database.url;
    if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme)) {
        mistakes.push(Mistake::new("database.url", "must start with sqlite: or postgres:"));
    }
    mail(&config.mail, mistakes, warnings);
    limits(config, mistakes, warnings);
    if config.outbound.allow_private_networks {
        warnings.push(Mistake::new(
            "outbound.allow_private_networks",
            "is on: an application provider can make this server call its neighbours",
        ));
    }
}

fn base_url(text: &str, mistakes: &mut Vec<Mistake>) {
    let mut wrong = |what: &str| mistakes.push(Mistake::new("server.base_url", what));
    let Ok(url) = Url::parse(text) else {
        return wrong("must be a URL like https://auth.example.org");
    };
    if text.ends_with('/')
        || url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        wrong("must be only scheme and host, like https://auth.example.org, without a slash at the end");
    } else if url.origin().ascii_serialization() != text {
        // issuers are compared byte for byte, so the one way to write it is the one browsers use
        wrong(&format!("must be written as {}", url.origin().ascii_serialization()));
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        wrong("must be https (http only for this machine itself)");
    }
}

fn address(place: &str, text: &str, mistakes: &mut Vec<Mistake>) -> Option<SocketAddr> {
    let address = text.parse().ok();
    if address.is_none() {
        mistakes.push(Mistake::new(place, "must be an address and a port, like 127.0.0.1:8080 or [::]:8080"));
    }
    address
}

/// The 32 bytes of a file with 64 hexadecimal digits, or what is wrong with the file. Never its content.
pub fn read_key_file(path: &str) -> Result<Zeroizing<[u8; 32]>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{path} cannot be read: {error}; make one with: openssl rand -hex 32 > {path}"))?;
    let text = Zeroizing::new(text);
    let digits = text.trim().as_bytes();
    let mut bytes = Zeroizing::new([0; 32]);
    let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if digits.len() != 64 {
        return Err(format!("{path} must hold 64 hexadecimal digits, and nothing else"));
    }
    for (place, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (Some(high), Some(low)) = (hex(pair[0]), hex(pair[1])) else {
            return Err(format!("{path} must hold 64 hexadecimal digits, and nothing else"));
        };
        *place = high << 4 | low;
    }
    if bytes.iter().all(|byte| *byte == bytes[0]) {
        return Err(format!("{path} does not hold a random key"));
    }
    Ok(bytes)
}

fn mail(mail: &Mail, mistakes: &mut Vec<Mistake>, warnings: &mut Vec<Mistake>) {
    let from = match mail {
        Mail::Console => {
            return warnings
                .push(Mistake::new("mail.transport", "is console: mail goes to the log and reaches nobody"));
        }
        Mail::File { folder, from } => {
            if folder.trim().is_empty() {
                mistakes.push(Mistake::new("mail.folder", "must be a folder"));
            }
            from
        }
        Mail::Smtp { url, from } => {
            let scheme = Url::parse(url).ok().map(|url| url.scheme().to_owned());
            if !matches!(scheme.as_deref(), Some("smtp" | "smtps")) {
                mistakes.push(Mistake::new(
                    "mail.url",
                    "must be like smtps://user:password@host:465 or smtp://host:587?tls=required",
                ));
            }
            from
        }
    };
    if !is_mailbox(from) {
        mistakes.push(Mistake::new("mail.from", "must be an e-mail address, like Countersign <no-reply@example.org>"));
    }
}

/// `address` or `Name <address>`.
fn is_mailbox(text: &str) -> bool {
    let address = match text.trim().strip_suffix('>') {
        Some(named) => named.rsplit_once('<').map_or("", |(_, address)| address),
        None => text.trim(),
    };
    normalized_email(address).is_some() && !text.chars().any(char::is_control)
}

fn limits(config: &Config, mistakes: &mut Vec<Mistake>, warnings: &mut Vec<Mistake>) {
    let limits = &config.limits;
    for (key, value, range) in [
        ("access_token_seconds", limits.access_token_seconds, 30..=3600),
        ("backend_token_seconds", limits.backend_token_seconds, 30..=300),
        ("refresh_token_days", limits.refresh_token_days, 1..=3650),
        ("code_seconds", limits.code_seconds, 10..=600),
        ("session_idle_minutes", limits.session_idle_minutes, 1..=1440),
        ("session_hours", limits.session_hours, 1..=720),
        ("registrations_per_hour", limits.registrations_per_hour, 1..=100_000),
        ("waiting_registrations", limits.waiting_registrations, 1..=100_000),
        ("wrong_secrets_per_minute", limits.wrong_secrets_per_minute, 5..=1_000_000),
        ("dead_tokens_per_minute", limits.dead_tokens_per_minute, 5..=1_000_000),
        ("refresh_retries_per_minute", limits.refresh_retries_per_minute, 3..=1000),
    ] {
        if !range.contains(&value) {
            mistakes.push(Mistake::new(
                format!("limits.{key}"),
                format!("must be between {} and {}", range.start(), range.end()),
            ));
        }
    }
    if (1..90).contains(&limits.refresh_token_days) {
        warnings.push(Mistake::new(
            "limits.refresh_token_days",
            "is less than 90: a certified product lets an app stay connected for three months",
        ));
    }
}

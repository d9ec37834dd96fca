//! Mail: by SMTP, into a folder, into the log, or (tests) into a mailbox in memory. Plain text, one link, never a secret.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::{AsyncFileTransport, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

/// A letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The reader's name. Untrusted text.
    pub to_name: String,
    /// The reader's address.
    pub to: String,
    /// The decision in a few words.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Why a letter did not leave.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotSent(String);

impl NotSent {
    fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Sends letters.
#[derive(Clone)]
pub struct Mailer {
    way: Way,
    from: Mailbox,
}

#[derive(Clone)]
enum Way {
    Console,
    Folder(AsyncFileTransport<Tokio1Executor>),
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Memory(Arc<Mutex<Vec<Letter>>>),
}

/// A sender for transports that reach nobody.
fn nobody() -> Mailbox {
    Mailbox::new(Some("Countersign".into()), "countersign@localhost".parse().expect("a constant address parses"))
}

impl Mailer {
    /// Into the log.
    pub fn console() -> Self {
        Self { way: Way::Console, from: nobody() }
    }

    /// As files into a folder, which is made if it is not there.
    pub fn folder(folder: &str, from: &str) -> Result<Self, NotSent> {
        std::fs::create_dir_all(folder).map_err(NotSent::new)?;
        Ok(Self { way: Way::Folder(AsyncFileTransport::new(folder)), from: from.parse().map_err(NotSent::new)? })
    }

    /// By SMTP; nothing is connected yet.
    pub fn smtp(url: &str, from: &str) -> Result<Self, NotSent> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(NotSent::new)?
            .timeout(Some(Duration::from_secs(20)))
            .build();
        Ok(Self { way: Way::Smtp(transport), from: from.parse().map_err(NotSent::new)? })
    }

    /// Into a mailbox that the caller reads.
    pub fn memory(mailbox: Arc<Mutex<Vec<Letter>>>) -> Self {
        Self { way: Way::Memory(mailbox), from: nobody() }
    }

    /// Sends a letter. An `Ok` means that the next server (or the folder) has it.
    pub async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        match &self.way {
            Way::Console => {
                tracing::info!(
                    to = letter.to,
                    subject = letter.subject,
                    "mail (the transport is console: it goes nowhere)"
                );
                Ok(())
            }
            Way::Folder(transport) => transport.send(self.message(letter)?).await.map(|_| ()).map_err(NotSent::new),
            Way::Smtp(transport) => transport.send(self.message(letter)?).await.map(|_| ()).map_err(NotSent::new),
            Way::Memory(mailbox) => {
                mailbox.lock().unwrap_or_else(PoisonError::into_inner).push(letter.clone());
                Ok(())
            }
        }
    }

    fn message(&self, letter: &Letter) -> Result<Message, NotSent> {
        let to = Mailbox::new(Some(one_line(&letter.to_name)), letter.to.parse().map_err(NotSent::new)?);
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(one_line(&letter.subject))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .map_err(NotSent::new)
    }
}

/// Headers are one line each, whatever a client is called.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_becomes_a_header() {
        let mailer = Mailer::console();
        let letter = Letter {
            to_name: "Eve\r\nBcc: all@example.org".into(),
            to: "eve@example.org".into(),
            subject: "App\r\nX-Evil: 1 is live".into(),
            text: "text".into(),
        };
        let message = String::from_utf8(mailer.message(&letter).unwrap().formatted()).unwrap();
        assert!(!message.contains("\r\nBcc:") && !message.contains("\r\nX-Evil:"), "{message}");
    }
}

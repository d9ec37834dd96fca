//! The words of a mail: the decision in the first line, the reason in the decider's own words, one link, no secret.

use super::pages::{Arg, Lang, Pages};
use crate::governance::notifications::{Event, Payload};
use crate::outbound::mail::Letter;

/// The letter to `recipient` about `payload`.
pub fn compose(pages: &Pages, base_url: &str, recipient: &str, payload: &Payload) -> Result<Letter, String> {
    let event = Event::parse(&payload.event).ok_or_else(|| format!("unknown event {}", payload.event))?;
    let reader = payload.reader.as_ref();
    let lang = reader.and_then(|reader| Lang::preferred(&reader.lang)).unwrap_or_default();
    let (client, organization, provider) =
        (one_line(&payload.client.name), one_line(&payload.organization.name), one_line(&payload.application_provider));
    let names = [
        ("client", Arg::Text(&client)),
        ("organization", Arg::Text(&organization)),
        ("provider", Arg::Text(&provider)),
    ];
    let say = |key: &str, args: &[(&str, Arg<'_>)]| pages.text(lang, key, args).map_err(|error| error.to_string());
    let (subject, text) = keys(event);
    let subject = say(subject, &names)?;
    let mut lines = vec![say(text, &names)?];
    if let Some(reason) = payload.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()) {
        lines.push(say("mail-reason", &[])?);
        // quoted, so that nobody takes somebody else's words for ours
        lines.push(reason.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n"));
    }
    lines.push(say("mail-look", &[])?);
    lines.push(format!("{base_url}{}", payload.path));
    lines.push(format!("-- \n{}", say("mail-foot", &[("host", Arg::Text(base_url))])?));
    Ok(Letter {
        to_name: reader.map(|reader| reader.name.clone()).unwrap_or_default(),
        to: recipient.to_owned(),
        subject,
        text: lines.join("\n\n"),
    })
}

/// The words of subject and first line.
fn keys(event: Event) -> (&'static str, &'static str) {
    match event {
        Event::RequestReceived => ("mail-received-subject", "mail-received-text"),
        Event::RequestWithdrawn => ("mail-withdrawn-subject", "mail-withdrawn-text"),
        Event::RequestApproved => ("mail-approved-subject", "mail-approved-text"),
        Event::RequestRejected => ("mail-rejected-subject", "mail-rejected-text"),
        Event::RequestExpired => ("mail-expired-subject", "mail-expired-text"),
        Event::ClientDisabled => ("mail-disabled-subject", "mail-disabled-text"),
        Event::ClientEnabled => ("mail-enabled-subject", "mail-enabled-text"),
        Event::ApprovalExpired => ("mail-approval-expired-subject", "mail-approval-expired-text"),
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::governance::notifications::{Named, Reader};

    #[test]
    fn every_event_has_its_words_in_every_language_and_one_link() {
        let pages = Pages::load().unwrap();
        for event in Event::ALL {
            for lang in Lang::ALL {
                let payload = Payload {
                    event: event.as_str().into(),
                    at: String::new(),
                    organization: Named { id: "st-mary".into(), name: "St. Mary Hospital".into() },
                    client: Named { id: "app_1".into(), name: "Growth\r\nChart".into() },
                    application_provider: "Acme Health".into(),
                    access_request: None,
                    reason: Some("Too much.\nhttps://evil.example".into()),
                    path: "/portal/clients/app_1".into(),
                    reader: Some(Reader { name: "Ada".into(), lang: lang.tag().into() }),
                };
                let letter = compose(&pages, "https://auth.example", "ada@acme.example", &payload).unwrap();
                assert!(
                    letter.subject.contains("Growth  Chart") && !letter.subject.contains('\n'),
                    "{}",
                    letter.subject
                );
                assert!(
                    letter.text.lines().next().unwrap().contains("St. Mary Hospital")
                        || letter.text.lines().next().unwrap().contains("Acme Health"),
                    "{}",
                    letter.text
                );
                assert!(letter.text.contains("> Too much.\n> https://evil.example"));
                assert!(letter.text.contains("\nhttps://auth.example/portal/clients/app_1\n"));
            }
        }
    }
}

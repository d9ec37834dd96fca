//! Every mistake is reported at once, wherever it was made.

use super::*;

const KEY: &str = "0123456789abcdeffedcba98765432100123456789abcdeffedcba9876543210";

fn key_file(name: &str, text: &str) -> String {
    let path = std::env::temp_dir().join(format!("countersign-config-{}-{name}.key", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn good(name: &str) -> String {
    format!(
        "[server]\nbase_url = \"https://auth.example.org\"\nlisten = \"127.0.0.1:8080\"\noperations_listen = \"127.0.0.1:9090\"\nkey_file = \"{}\"\n[database]\nurl = \"sqlite:x.db\"\n",
        key_file(name, KEY)
    )
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn places(text: &str, environment: &[(&str, &str)]) -> Vec<String> {
    read(text, variables(environment)).unwrap_err().0.into_iter().map(|mistake| mistake.place).collect()
}

#[test]
fn a_good_file_loads_and_the_environment_wins() {
    let loaded =
        read(&good("good"), variables(&[("COUNTERSIGN_LIMITS__CODE_SECONDS", "45"), ("PATH", "/bin")])).unwrap();
    assert_eq!(loaded.config.limits.code_seconds, 45);
    assert_eq!(loaded.config.limits.access_token_seconds, 3600);
    assert_eq!(loaded.config.server.base_url, "https://auth.example.org");
}

#[test]
fn database_url_stands_in_only_where_nothing_else_says_it() {
    let text = good("stand-in").replace("[database]\nurl = \"sqlite:x.db\"\n", "");
    let loaded = read(&text, variables(&[("DATABASE_URL", "postgres://db/x")])).unwrap();
    assert_eq!(loaded.config.database.url, "postgres://db/x");
    let loaded = read(&good("stand-in"), variables(&[("DATABASE_URL", "postgres://db/x")])).unwrap();
    assert_eq!(loaded.config.database.url, "sqlite:x.db");
}

#[test]
fn every_mistake_of_file_and_environment_is_reported_at_once() {
    let text = "[server]\nbase_url = \"http://auth.example.org/\"\nlisten = 8080\ncolour = \"red\"\n[databse]\nurl = \"x\"\n[limits]\ncode_seconds = 5\n";
    let places = places(text, &[("COUNTERSIGN_LIMITS__SESSION_HOURS", "many"), ("COUNTERSIGN_LIMIT__X", "1")]);
    for place in [
        "server.listen",
        "server.colour",
        "databse",
        "COUNTERSIGN_LIMITS__SESSION_HOURS",
        "COUNTERSIGN_LIMIT__X",
        "server.key_file",
        "database.url",
    ] {
        assert!(places.iter().any(|found| found == place), "{place} in {places:?}");
    }
}

#[test]
fn every_wrong_value_is_reported_at_once() {
    let text = format!(
        "[server]\nbase_url = \"http://auth.example.org/x\"\nlisten = \"8080\"\nkey_file = \"{}\"\n[database]\nurl = \"mysql:x\"\n[mail]\ntransport = \"smtp\"\nurl = \"host\"\nfrom = \"nobody\"\n[limits]\naccess_token_seconds = 7200\n",
        key_file("short", "abc")
    );
    let mut places = places(&text, &[]);
    places.dedup();
    assert_eq!(
        places,
        [
            "server.base_url",
            "server.listen",
            "server.key_file",
            "database.url",
            "mail.url",
            "mail.from",
            "limits.access_token_seconds"
        ]
    );
}

#[test]
fn a_mail_section_of_the_wrong_shape_does_not_hide_other_mistakes() {
    let text = good("mail") + "[mail]\ntransport = \"pigeon\"\n[limits]\ncode_seconds = 5\n";
    assert_eq!(places(&text, &[]), ["mail", "limits.code_seconds"]);
    let text = good("mail") + "[mail]\ntransport = \"file\"\nfolder = \"x\"\n";
    assert_eq!(places(&text, &[]), ["mail"]);
}

#[test]
fn the_base_url_is_an_origin_written_in_the_one_way() {
    for wrong in [
        "auth.example.org",
        "https://auth.example.org/",
        "https://auth.example.org/x",
        "https://AUTH.example.org",
        "https://auth.example.org:443",
        "https://user@auth.example.org",
        "https://auth.example.org?x",
        "http://auth.example.org",
        "http://10.0.0.1",
        "ftp://localhost",
    ] {
        let text = good("base").replace("https://auth.example.org", wrong);
        assert!(places(&text, &[]).contains(&"server.base_url".to_owned()), "{wrong}");
    }
    for right in
        ["https://auth.example.org:8443", "http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"]
    {
        assert!(read(&good("base").replace("https://auth.example.org", right), []).is_ok(), "{right}");
    }
}

#[test]
fn a_file_that_does_not_parse_is_a_mistake_with_a_line() {
    let mistakes = read("[server\n", []).unwrap_err().to_string();
    assert!(mistakes.contains("line 1"), "{mistakes}");
}

#[test]
fn a_key_that_is_not_random_or_not_hexadecimal_is_refused() {
    for (name, text) in [("zeros", "0".repeat(64)), ("letters", "g".repeat(64)), ("long", format!("{KEY}00"))] {
        assert!(read_key_file(&key_file(name, &text)).is_err(), "{name}");
    }
    assert!(read_key_file(&key_file("newline", &format!("{KEY}\n"))).is_ok());
}

#[test]
fn a_missing_key_hides_no_mistake_elsewhere() {
    let text = "[server]\nbase_url = \"http://auth.example.org/\"\nlistn = \"x\"\n[database]\nurl = \"mysql://x\"\n[limits]\ncode_seconds = \"abc\"\naccess_token_seconds = 99999\n";
    let Err(Mistakes(mistakes)) = read(text, []) else { panic!("this is wrong in many places") };
    let places: Vec<&str> = mistakes.iter().map(|mistake| mistake.place.as_str()).collect();
    for place in [
        "server.listn",
        "server.listen",
        "server.key_file",
        "server.base_url",
        "database.url",
        "limits.code_seconds",
        "limits.access_token_seconds",
    ] {
        assert!(places.contains(&place), "{place}: {places:?}");
    }
    assert!(mistakes.iter().all(|mistake| !mistake.what.contains("(missing)")), "{mistakes:?}");
}

//! The commands of the operator, as the operator runs them: `migrate`, `keys`, `backup`, `restore`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use countersign::app::{App, Memory};
use countersign::domain::audit::AuditRecord;
use countersign::governance::restore::{Since, settle};
use countersign::http::pages::Pages;
use countersign::http::{AppState, router};
use countersign::storage;
use countersign::storage::connect::{Dialect, connect};

use crate::governance::world::KEY;
use crate::oauth::actors::{ISSUER, Stage, Tokens, basic};
use crate::support::browser::Browser;
use crate::support::on_both;

/// A folder with a configuration for the database at `database`.
struct Installation {
    folder: PathBuf,
}

impl Installation {
    fn new(name: &str, database: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("countersign-commands-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        // the key of the tests' world
        std::fs::write(folder.join("key"), hex(KEY)).unwrap();
        let config = format!(
            "[server]\nbase_url = \"https://countersign.example\"\nlisten = \"127.0.0.1:0\"\nkey_file = \"{}\"\n\n[database]\nurl = \"{database}\"\n",
            folder.join("key").display()
        );
        std::fs::write(folder.join("countersign.toml"), config).unwrap();
        Self { folder }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(arguments)
            .arg("--config")
            .arg(self.folder.join("countersign.toml"))
            .env_remove("DATABASE_URL")
            .output()
            .unwrap()
    }

    #[track_caller]
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (said, complained) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{arguments:?}: {said}{complained}");
        said
    }

    #[track_caller]
    fn refuses(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let complained = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        complained
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from_digit(u32::from(half), 16).unwrap())
        .collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn an_operator_migrates_rotates_backs_up_and_verifies() {
    let folder = std::env::temp_dir().join(format!("countersign-operator-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let database = folder.join("countersign.db");
    let here = Installation::new("operator", &format!("sqlite:{}", database.display()));
    assert!(here.refuses(&["backup", text(&here.path("early.db"))]).contains("there is no database"));
    assert_eq!(here.says(&["migrate"]), "the database is up to date\n");
    assert_eq!(here.says(&["migrate"]), "the database is up to date\n", "as often as one likes");
    assert!(here.says(&["keys", "list"]).contains("there is no key yet"));
    // the first rotation makes the key that signs and the one after it
    let keys = here.says(&["keys", "rotate"]);
    assert_eq!(keys.lines().count(), 2, "{keys}");
    assert!(keys.contains("RS256 signs since") && keys.contains("RS256 published, signs from"), "{keys}");
    assert_eq!(here.says(&["keys", "list"]), keys);
    assert_eq!(here.says(&["keys", "rotate"]), keys, "one rotation at a time");
    let replaced = here.says(&["keys", "rotate", "--compromised"]);
    assert_eq!(replaced.lines().count(), 1, "{replaced}");
    assert!(keys.lines().all(|line| !replaced.contains(&line[..16])), "every key is another: {replaced}");
    assert!(here.says(&["audit", "verify"]).contains("1 chains are whole"));
    // a backup is its owner's, and never written over
    let copy = here.path("copy.db");
    assert!(here.says(&["backup", text(&copy)]).contains("is a complete copy"));
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(here.refuses(&["backup", text(&copy)]).contains("exists already"));
    // nothing but a whole database of this product and key is put in place
    assert!(here.refuses(&["restore", text(&copy)]).contains("--replace"));
    let junk = here.path("junk.db");
    std::fs::write(&junk, "not a database").unwrap();
    assert!(here.refuses(&["restore", "--replace", text(&junk)]).contains("the backup"));
    let mut torn = std::fs::read(&copy).unwrap();
    torn.truncate(torn.len() / 2);
    std::fs::write(&junk, torn).unwrap();
    assert!(here.refuses(&["restore", "--replace", text(&junk)]).contains("the backup"));
    std::fs::write(here.path("key"), hex(b"another key of some other place.")).unwrap();
    assert!(here.refuses(&["restore", "--replace", text(&copy)]).contains("another key file"));
    std::fs::write(here.path("key"), hex(KEY)).unwrap();
    assert_eq!(here.says(&["keys", "list"]), replaced, "all of it changed nothing");
    assert!(!database.with_added_extension("restoring").exists());
    // beside a server (whose lock this is), keys rotate and copies are made, but nothing is put in its place
    let lock = std::fs::File::options().write(true).open(database.with_added_extension("lock")).unwrap();
    lock.try_lock().unwrap();
    assert_eq!(here.says(&["keys", "rotate"]).lines().count(), 2);
    assert!(here.says(&["audit", "verify"]).contains("1 chains are whole"));
    here.says(&["backup", text(&here.path("beside.db"))]);
    for refused in [vec!["migrate"], vec!["restore", "--replace", text(&copy)], vec!["serve"]] {
        assert!(here.refuses(&refused).contains("another process works with this database"), "{refused:?}");
    }
    drop(lock);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The same installation after its database was replaced: nothing is remembered but what is in it.
async fn reopened(before: &App) -> Arc<App> {
    Arc::new(App {
        store: connect(&before.config.database.url).await.unwrap(),
        clock: before.clock.clone(),
        entropy: before.entropy.clone(),
        sealer: before.sealer.clone(),
        vault: before.vault.clone(),
        config: before.config.clone(),
        memory: Memory::default(),
    })
}

fn browser(app: &Arc<App>) -> Browser {
    let state = AppState { app: app.clone(), pages: Arc::new(Pages::load().unwrap()) };
    Browser::new(router(state), "https://countersign.example")
}

async fn is_active(app: &Arc<App>, (id, secret): &(String, String), token: &str) -> bool {
    let form = [("content-type", "application/x-www-form-urlencoded"), ("authorization", &basic(id, secret))];
    let url = format!("{ISSUER}/introspect");
    let answer = browser(app).send(axum::http::Method::POST, &url, &form, format!("token={token}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["active"].as_bool().unwrap()
}

async fn refreshes(app: &Arc<App>, token: &str) -> bool {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
    browser(app).post(&format!("{ISSUER}/token"), &fields).await.status == 200
}

async fn records(app: &App, chain: &str) -> Vec<AuditRecord> {
    storage::audit::page_from(&mut app.store.read().await.unwrap(), chain, 0, 1000).await.unwrap()
}

#[test]
fn a_restored_backup_revives_nothing_that_ended_since() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        for vouched in [false, true] {
            let stage = Stage::new(Dialect::Sqlite).await;
            let app = stage.world().app.clone();
            let here = Installation::new(&format!("restore-{vouched}"), &app.config.database.url);
            let mut person = stage.app_browser();
            let alive = stage.tokens_for(&mut person, &stage.request()).await;
            let revoked = stage.tokens_for(&mut person, &stage.request()).await;
            let code = stage.launch(&mut person, &stage.request()).await["code"].clone();
            // 1 a backup, under a running server
            let copy = here.path("copy.db");
            here.says(&["backup", text(&copy)]);
            // 2 what happens after it
            let fields = [("token", revoked.refresh()), ("client_id", stage.app.as_str().to_owned())];
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(stage.post("revoke", &[], &fields).await.status, 200);
            let later = stage.tokens_for(&mut person, &stage.request()).await;
            let (other, _) = stage.confidential().await;
            if !vouched {
                stage.disable(&stage.app).await;
            }
            app.store.clone().close().await;
            // 3 the restore
            let mut arguments = vec!["restore", "--replace", text(&copy)];
            arguments.extend(vouched.then_some("--nothing-decided-since"));
            let said = here.says(&arguments);
            assert!(said.contains("is kept as") && said.contains("is in place"), "{said}");
            assert_eq!(said.contains("1 clients are disabled"), !vouched, "{said}");
            assert!(here.says(&["audit", "verify"]).contains("chains are whole"));
            // 4 nothing of before is good, in whatever state it was
            let now = reopened(&app).await;
            for tokens in [&alive, &revoked, &later] {
                assert!(!is_active(&now, &stage.fhir_server, &tokens.access()).await);
                assert!(!refreshes(&now, &tokens.refresh()).await);
            }
            let redeemed = browser(&now).post(&format!("{ISSUER}/token"), &stage.redemption(&code)).await;
            assert!(matches!(redeemed.status.as_u16(), 400 | 401), "{}", redeemed.body);
            let organization = &stage.world().reviewer.organization.id;
            let approval = {
                let mut conn = now.store.read().await.unwrap();
                assert!(
                    storage::approvals::find(&mut conn, organization, &other).await.unwrap().is_none(),
                    "it is the backup"
                );
                storage::approvals::find(&mut conn, organization, &stage.app).await.unwrap().unwrap()
            };
            assert_eq!(approval.is_enabled(now.now()), vouched);
            let session =
                format!("__Host-cs_session={}", person.cookie("__Host-cs_session").expect("it was signed in"));
            let page = browser(&now).send(axum::http::Method::GET, "/account", &[("cookie", &session)], "").await;
            assert_eq!(page.status, 303, "sessions of before are over");
            // 5 once its organization has looked, the app is used anew, and still nothing old is good
            if !vouched {
                countersign::governance::approvals::enable(&now, &stage.world().reviewer, &stage.app, "Looked at.")
                    .await
                    .unwrap();
            }
            let mut fresh = browser(&now);
            let page = fresh.open(&Stage::authorize_url(&stage.request())).await;
            let form = page
                .form("/sign-in")
                .with("email", &stage.patient.email)
                .with("password", crate::support::site::PASSWORD);
            let asked = fresh.submit_and_follow(&form).await;
            assert_eq!(asked.status, 200, "the consent may have been withdrawn since, so the person is asked again");
            let page = fresh.submit(&asked.form("/consent").with("decision", "allow")).await;
            let code = crate::oauth::actors::answer_of(&page)["code"].clone();
            let answer = browser(&now).post(&format!("{ISSUER}/token"), &stage.redemption(&code)).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let new = Tokens(answer.json());
            assert!(is_active(&now, &stage.fhir_server, &new.access()).await);
            for tokens in [&alive, &revoked, &later] {
                assert!(!is_active(&now, &stage.fhir_server, &tokens.access()).await);
            }
            for chain in [organization.as_str(), "server"] {
                let events = records(&now, chain).await;
                assert!(events.iter().any(|record| record.event == "database.restored"), "{chain}");
            }
            // 6 the one before is still there
            let kept: Vec<_> =
                std::fs::read_dir(Path::new(app.config.database.url.trim_start_matches("sqlite:")).parent().unwrap())
                    .unwrap()
                    .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                    .filter(|name| {
                        name.contains("before-restore") && !name.ends_with("-wal") && !name.ends_with("-shm")
                    })
                    .collect();
            assert_eq!(kept.len(), 1, "{kept:?}");
            now.store.clone().close().await;
            stage.end().await;
        }
    });
}

#[test]
fn settling_a_restored_database_disables_every_client_and_ends_everything_handed_out() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let backend = stage.backend("system/Patient.rs").await;
        let mut browser = stage.app_browser();
        let tokens = stage.tokens_for(&mut browser, &stage.request()).await;
        let app = &stage.world().app;
        let settled = settle(app, Since::NothingDecided).await.unwrap();
        assert_eq!((settled.approvals, settled.disabled), (2, 0));
        assert!(settled.handouts >= 2, "a session and a consent: {settled:?}");
        assert!(!stage.is_active(&tokens.access()).await);
        assert_ne!(browser.get("/account").await.status, 200, "signed out");
        assert_eq!(stage.ask_with_key(&backend, "system/Patient.rs").await.status, 200, "vouched for");
        let settled = settle(app, Since::Unknown).await.unwrap();
        assert_eq!((settled.approvals, settled.disabled), (2, 2));
        assert_eq!(stage.ask_with_key(&backend, "system/Patient.rs").await.status, 401);
        assert_eq!(stage.world().recorded("client.disabled").await, 2);
        assert_eq!(stage.world().recorded("database.restored").await, 2);
        assert_eq!(stage.world().line().await.state, "disabled");
        stage.end().await;
    });
}

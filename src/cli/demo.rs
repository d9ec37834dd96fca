//! `countersign demo`: the whole product with a made-up hospital, from nothing, in one command. A second start on the same folder goes on where the first ended,
//! on whatever port it is given.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;

use super::{Failed, open, serve};
use crate::app::App;
use crate::config::{Config, Database, Limits, Mail, Outbound, Server};
use crate::demo::seed::{self, Keeping};
use crate::demo::{fhir_server, smart_app, tour};
use crate::domain::entropy::{Entropy as _, SystemEntropy};
use crate::domain::ids::ClientId;
use crate::governance::actor::Staff;
use crate::governance::apply::{self, Declaration};
use crate::governance::{accounts, approvals, sign_in};
use crate::storage;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where everything is kept
    #[arg(long, value_name = "DIR", default_value = "countersign-data")]
    data: PathBuf,
    /// Address and port; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Print one line of JSON for scripts instead of the tour
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failed> {
    // 1 where: the port first, for every URL holds it
    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| Failed(format!("{}: {error}; choose another with --listen", arguments.listen)))?;
    let base_url = base_url(listener.local_addr()?);
    make_private_folder(&arguments.data)?;
    let data = std::path::absolute(&arguments.data)?;
    let config = configuration(&data, &base_url, arguments.listen)?;
    let _lock = open::lock(&config)?;
    let app = Arc::new(open::app(config).await?);

    // 2 what: declared like any installation
    let mut keeping = keeping(&data)?;
    let declaration = Declaration::read(&seed::declaration(&keeping, &base_url), true)?;
    let report = apply::apply(&app, &declaration, false).await?;
    for change in &report.changes {
        tracing::debug!("{change}");
    }
    finish_the_story(&app).await?;
    keep_tokens(&app, &mut keeping, &data).await?;

    // 3 the hospital's FHIR server and the app stand beside us, and talk to us by HTTP only
    let beside = beside(&keeping, &base_url)?;
    let said = if arguments.json {
        seed::line(&keeping, &base_url) + "\n"
    } else {
        tour::text(&keeping, &base_url, &arguments.data.display().to_string())
    };
    let ready = move || {
        let mut out = std::io::stdout().lock();
        // whoever closed our output does not want to hear it
        let _ = out.write_all(said.as_bytes()).and_then(|()| out.flush());
    };
    serve::start(app, listener, beside, ready).await
}

/// The URL of what we listen on; "any address" is reached by the loopback one.
fn base_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        ip => ip,
    };
    // as browsers write it: without port 80
    if address.port() == 80 && ip.is_ipv4() {
        format!("http://{ip}")
    } else {
        format!("http://{}", SocketAddr::new(ip, address.port()))
    }
}

fn make_private_folder(path: &Path) -> Result<(), Failed> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| Failed(format!("{}: {error}", path.display())))
}

fn write_private(path: &Path, text: &str) -> Result<(), Failed> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // complete or not at all: a half-written file of secrets would lock the folder's owner out
    let new = path.with_added_extension("new");
    let write = || {
        let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    };
    write().map_err(|error| Failed(format!("{}: {error}", path.display())))
}

fn configuration(data: &Path, base_url: &str, listen: SocketAddr) -> Result<Config, Failed> {
    let key_file = data.join("countersign.key");
    if !key_file.exists() {
        let mut bytes = [0_u8; 32];
        SystemEntropy.fill(&mut bytes);
        write_private(&key_file, &seed::hex(&bytes))?;
    }
    Ok(Config {
        server: Server {
            base_url: base_url.to_owned(),
            listen: listen.to_string(),
            operations_listen: None,
            key_file: key_file.display().to_string(),
        },
        database: Database { url: format!("sqlite:{}", data.join("countersign.db").display()) },
        mail: Mail::File {
            folder: data.join("mail").display().to_string(),
            from: "Countersign <countersign@demo.example>".into(),
        },
        // everything here is on this machine
        outbound: Outbound { allow_private_networks: true },
        limits: Limits::default(),
    })
}

/// The secrets of this folder: those of the first start.
fn keeping(data: &Path) -> Result<Keeping, Failed> {
    let path = data.join("demo.json");
    match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)
            .map_err(|error| Failed(format!("{}: {error}; delete the folder to start anew", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let keeping = Keeping::make(&|bytes| SystemEntropy.fill(bytes))?;
            keep(&keeping, data)?;
            Ok(keeping)
        }
        Err(error) => Err(Failed(format!("{}: {error}", path.display()))),
    }
}

fn keep(keeping: &Keeping, data: &Path) -> Result<(), Failed> {
    write_private(&data.join("demo.json"), &serde_json::to_string_pretty(keeping)?)
}

/// One app was rejected, one switched off: so that the list shows what that looks like. Only while they still stand as they were declared.
async fn finish_the_story(app: &App) -> Result<(), Failed> {
    let refused = |refusal: crate::governance::Refusal| Failed(refusal.to_string());
    let mut conn = app.store.read().await?;
    let Some(account) = storage::accounts::find_by_email(&mut conn, seed::STAFF).await? else { return Ok(()) };
    let staff = Staff::at(&mut conn, &account, seed::ORGANIZATION).await.map_err(refused)?;
    let (rejected, disabled) = (ClientId::from_text(seed::REJECTED), ClientId::from_text(seed::DISABLED));
    let asked = storage::access_requests::list_by_client(&mut conn, &rejected).await?;
    let waiting = storage::access_requests::find_waiting(&mut conn, &staff.organization.id, &rejected).await?;
    let approval = storage::approvals::find(&mut conn, &staff.organization.id, &disabled).await?;
    drop(conn);
    if let (Some(request), 1) = (waiting, asked.len()) {
        let reason = "We do not share patient data for advertising.";
        approvals::reject(app, &staff, &request.id, reason, false).await.map_err(refused)?;
    }
    if approval.is_some_and(|approval| approval.epoch == 1 && approval.is_enabled(app.now())) {
        let reason = "A patient was reminded of somebody else's medicines. Off until Zorgapps explains it.";
        approvals::disable(app, &staff, &disabled, reason).await.map_err(refused)?;
    }
    Ok(())
}

/// API tokens that still work, for scripts.
async fn keep_tokens(app: &App, keeping: &mut Keeping, data: &Path) -> Result<(), Failed> {
    let mut changed = false;
    for (email, token) in
        [(seed::STAFF, &mut keeping.staff_api_token), (seed::DEVELOPER, &mut keeping.developer_api_token)]
    {
        if sign_in::account_of_api_token(app, token).await?.is_some_and(|account| account.email == email) {
            continue;
        }
        let account = storage::accounts::find_by_email(&mut *app.store.read().await?, email).await?;
        let account = account.ok_or_else(|| Failed(format!("the account {email} is gone")))?;
        let made = accounts::make_api_token(app, &account, "Demo", Some(365))
            .await
            .map_err(|refusal| Failed(refusal.to_string()))?;
        made.reveal().clone_into(token);
        changed = true;
    }
    if changed { keep(keeping, data) } else { Ok(()) }
}

fn beside(keeping: &Keeping, base_url: &str) -> Result<Router, Failed> {
    let issuer = format!("{base_url}/o/{}", seed::ORGANIZATION);
    let fhir_base_url = format!("{base_url}{}", seed::FHIR_PATH);
    let fhir = fhir_server::router(fhir_server::FhirServerConfig {
        base_url: fhir_base_url.clone(),
        smart_configuration: format!("{issuer}/fhir/{}/.well-known/smart-configuration", seed::ENDPOINT),
        introspection_endpoint: format!("{issuer}/introspect"),
        authorization_endpoint: format!("{issuer}/authorize"),
        token_endpoint: format!("{issuer}/token"),
        issuer,
        client_id: seed::RESOURCE_SERVER.to_owned(),
        client_secret: fhir_server::Credential::new(keeping.resource_server_secret.as_str()),
    })?;
    let app = smart_app::router(&smart_app::SmartAppConfig {
        iss: fhir_base_url,
        client_id: seed::PUBLIC.to_owned(),
        scope: seed::PUBLIC_SCOPE.to_owned(),
        ehr_scope: seed::EHR_SCOPE.to_owned(),
        other_origins: Vec::new(),
    });
    Ok(fhir.merge(app))
}

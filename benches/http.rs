//! HTTP load on a running program: how many introspections and token requests a second, and how long each takes.
//!
//! `cargo xtask bench http` (or `cargo bench --bench http`) builds with optimisation, starts `countersign demo` on loopback with a fresh SQLite file,
//! and keeps a fixed number of connections busy for a fixed time per kind of request. Client and server share the machine's cores.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 32;
const EACH: Duration = Duration::from_secs(5);

fn main() {
    let folder = std::env::temp_dir().join(format!("countersign-bench-{}", std::process::id()));
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["demo", "--json", "--listen", "127.0.0.1:0", "--data"])
        .arg(&folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program was built beside this bench");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("stdout was piped");
    BufReader::new(stdout).read_line(&mut line).expect("the demo prints when it is ready");
    let outcome = std::panic::catch_unwind(|| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
        runtime.block_on(measure(&serde_json::from_str(&line).expect("one line of JSON")));
    });
    let _ = child.kill();
    let _ = child.wait();
    let _ = std::fs::remove_dir_all(folder);
    if outcome.is_err() {
        std::process::exit(1);
    }
}

async fn measure(demo: &Value) {
    let text = |of: &str, name: &str| demo[of][name].as_str().expect("the demo names it").to_owned();
    let issuer = url::Url::parse(demo["issuer"].as_str().expect("the demo names its issuer")).expect("a URL");
    let basic = |of: &str| {
        let pair = format!("{}:{}", text(of, "client_id"), text(of, "client_secret"));
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    };
    let scope: String = url::form_urlencoded::byte_serialize(text("confidential_client", "scope").as_bytes()).collect();
    takes_secrets(demo).await;
    let ask = format!("grant_type=client_credentials&scope={scope}");
    let token = Request::new(&issuer, "token", &basic("confidential_client"), &ask);

    let mut connection = TcpStream::connect(&token.address).await.expect("the demo listens");
    let (status, body) = token.send(&mut connection).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    let granted: Value = serde_json::from_slice(&body).expect("a token response is JSON");
    let access_token = granted["access_token"].as_str().expect("there is an access token");
    let introspect = Request::new(&issuer, "introspect", &basic("resource_server"), &format!("token={access_token}"));

    println!("{CONNECTIONS} connections, {} s each\n", EACH.as_secs());
    println!("{:<24}{:>10}{:>12}{:>12}{:>12}", "", "per s", "p50 ms", "p99 ms", "max ms");
    run("introspection, active", Arc::new(introspect)).await;
    run("client credentials", Arc::new(token)).await;
}

/// An administrator lets clients with a secret have `system/` scopes too: unlike an assertion, a secret can be sent again and again.
async fn takes_secrets(demo: &Value) {
    let text = |fact: &Value| fact.as_str().expect("the demo names it").to_owned();
    let url = format!("{}/api/v1/organizations/{}/settings", text(&demo["base_url"]), text(&demo["organization"]));
    let token = text(&demo["staff"]["api_token"]);
    let client = oauth2::reqwest::ClientBuilder::new().build().expect("a client needs nothing");
    let before = client.get(&url).bearer_auth(&token).send().await.expect("the demo answers");
    let before = before.text().await.expect("the answer is text");
    let mut decided: Value = serde_json::from_str(&before).expect("settings are JSON");
    decided["settings"]["backend_services_may_use_secrets"] = true.into();
    let request = client.put(&url).bearer_auth(&token).header("content-type", "application/json");
    let saved = request.body(decided.to_string()).send().await.expect("the demo answers");
    assert_eq!(saved.status().as_u16(), 200);
}

async fn run(name: &str, request: Arc<Request>) {
    let begun = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let request = Arc::clone(&request);
        workers.spawn(async move {
            let mut connection = TcpStream::connect(&request.address).await.expect("the demo listens");
            connection.set_nodelay(true).expect("loopback takes the option");
            let mut took = Vec::new();
            while begun.elapsed() < EACH {
                let sent = Instant::now();
                let (status, body) = request.send(&mut connection).await;
                assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
                took.push(sent.elapsed());
            }
            took
        });
    }
    let mut took: Vec<Duration> = workers.join_all().await.concat();
    let seconds = begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |share: usize| took[(took.len() - 1) * share / 1000].as_secs_f64() * 1000.0;
    let rate = f64::from(u32::try_from(took.len()).expect("fewer than four billion requests")) / seconds;
    println!("{name:<24}{rate:>10.0}{:>12.2}{:>12.2}{:>12.2}", at(500), at(990), at(1000));
}

/// A form post, ready to be written as it is again and again.
struct Request {
    address: String,
    bytes: Vec<u8>,
}

impl Request {
    fn new(issuer: &url::Url, endpoint: &str, authorization: &str, form: &str) -> Self {
        let address = format!("{}:{}", issuer.host_str().expect("a host"), issuer.port().expect("the demo's own port"));
        let path = format!("{}/{endpoint}", issuer.path().trim_end_matches('/'));
        let bytes = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: {authorization}\r\naccept: application/json\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        );
        Self { address, bytes: bytes.into_bytes() }
    }

    /// Writes it and reads one answer that says its length.
    async fn send(&self, connection: &mut TcpStream) -> (u16, Vec<u8>) {
        connection.write_all(&self.bytes).await.expect("the server reads");
        let mut answer = Vec::with_capacity(2048);
        loop {
            assert_ne!(connection.read_buf(&mut answer).await.expect("the server answers"), 0, "the server hung up");
            let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            let body = end + 4;
            if answer.len() >= body + length.expect("the answer says its length") {
                let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status line");
                return (status, answer.split_off(body));
            }
        }
    }
}

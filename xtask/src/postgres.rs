//! A private PostgreSQL for one test run: own data directory, own port on loopback, gone at the end.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::run;

/// A running server. Dropping it stops the server and removes its data.
pub struct Postgres {
    server: Child,
    folder: PathBuf,
    programs: PathBuf,
    run_as: Option<(u32, u32)>,
    port: u16,
    databases: Arc<AtomicUsize>,
}

impl Postgres {
    /// Makes a cluster and returns once the server says that it accepts connections.
    ///
    /// Durability is switched off: the data does not outlive the run.
    pub fn start() -> Result<Self, String> {
        let programs = programs().ok_or("PostgreSQL's initdb is not installed (Debian: postgresql)")?;
        let run_as = somebody_else_than_root()?;
        let folder = std::env::temp_dir().join(format!("countersign-postgres-{}", std::process::id()));
        std::fs::create_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        // 1 from here on a failure still removes the folder
        let started = Self::start_in(&folder, &programs, run_as);
        if started.is_err() {
            let _ = std::fs::remove_dir_all(&folder);
        }
        started
    }

    fn start_in(folder: &Path, programs: &Path, run_as: Option<(u32, u32)>) -> Result<Self, String> {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(|e| e.to_string())?;
        if let Some((user, group)) = run_as {
            chown(folder, Some(user), Some(group)).map_err(|e| e.to_string())?;
        }
        let data = folder.join("data");
        run::quietly(
            as_user(&programs.join("initdb"), run_as)
                .current_dir(folder)
                .args([
                    "--no-sync",
                    "--auth=trust",
                    "--username=countersign",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--pgdata",
                ])
                .arg(&data),
        )?;
        let port = free_port()?;
        let mut server = as_user(&programs.join("postgres"), run_as)
            .current_dir(folder)
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder)
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-N", "300"])
            .args(["-F", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "log_statement=ddl"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("postgres does not start: {e}"))?;
        // 2 it says itself when it is ready; afterwards its log tells which databases are made
        let mut log = BufReader::new(server.stderr.take().expect("stderr was piped")).lines().map_while(Result::ok);
        let mut seen = Vec::new();
        let ready = log.by_ref().any(|line| {
            let ready = line.contains("ready to accept connections");
            seen.push(line);
            ready
        });
        let databases = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&databases);
        std::thread::spawn(move || {
            for _ in log.filter(|line| line.to_lowercase().contains("statement: create database")) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        let this = Self { server, folder: folder.to_owned(), programs: programs.to_owned(), run_as, port, databases };
        if ready { Ok(this) } else { Err(format!("postgres gave up:\n{}", seen.join("\n"))) }
    }

    /// How many databases were made so far: one by each test that ran on PostgreSQL.
    pub fn databases_made(&self) -> usize {
        self.databases.load(Ordering::Relaxed)
    }

    /// Where an administrator connects; every test creates its own database from here.
    pub fn url(&self) -> String {
        format!("postgres://countersign@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stopped = run::quietly(
            as_user(&self.programs.join("pg_ctl"), self.run_as)
                .current_dir(&self.folder)
                .args(["stop", "--mode=immediate", "--silent", "--pgdata"])
                .arg(self.folder.join("data")),
        );
        if let Err(message) = stopped {
            eprintln!("{message}");
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The folder of `initdb` and `postgres`: the newest Debian installed, or the one in PATH.
pub fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = debian
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").exists())
        .max();
    newest.map(|(_, folder)| folder).or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    })
}

/// PostgreSQL refuses to run as root, so root lends it to `postgres`, or else to `nobody`.
fn somebody_else_than_root() -> Result<Option<(u32, u32)>, String> {
    let id = |arguments: &[&str]| -> Result<u32, String> {
        let printed = run::quietly(Command::new("id").args(arguments))?;
        printed.trim().parse().map_err(|_| format!("id printed {printed}"))
    };
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    let user = if id(&["-u", "postgres"]).is_ok() { "postgres" } else { "nobody" };
    Ok(Some((id(&["-u", user])?, id(&["-g", user])?)))
}

fn as_user(program: &Path, run_as: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = run_as {
        command.uid(user).gid(group);
    }
    command
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("no free port: {e}"))?;
    Ok(listener.local_addr().map_err(|e| e.to_string())?.port())
}

//! Running a program: its lines go through to the terminal as they come and are kept for counting.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// What a finished program left behind.
pub struct Finished {
    /// It exited with status zero.
    pub ok: bool,
    /// Its standard output and standard error, line by line as they came.
    pub output: String,
}

/// Runs to the end, without standard input, showing every line for which `show` says yes.
pub fn shown(command: &mut Command, show: fn(&str) -> bool) -> Result<Finished, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    if command.get_current_dir().is_none() {
        command.current_dir(crate::workspace());
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{name} does not start: {e}"))?;
    let kept = Arc::new(Mutex::new(String::new()));
    let pipes: [Box<dyn Read + Send>; 2] = [
        Box::new(child.stdout.take().expect("stdout was piped")),
        Box::new(child.stderr.take().expect("stderr was piped")),
    ];
    let readers = pipes.map(|pipe| {
        let kept = Arc::clone(&kept);
        std::thread::spawn(move || follow(pipe, &kept, show))
    });
    let status = child.wait().map_err(|e| format!("{name} got lost: {e}"))?;
    for reader in readers {
        reader.join().expect("a reader only copies lines");
    }
    let output = std::mem::take(&mut *kept.lock().expect("no reader panicked"));
    Ok(Finished { ok: status.success(), output })
}

/// Runs quietly; the output is in the error when it fails.
pub fn quietly(command: &mut Command) -> Result<String, String> {
    let line = format!("{command:?}");
    let finished = shown(command, |_| false)?;
    if finished.ok { Ok(finished.output) } else { Err(format!("{line} failed:\n{}", finished.output)) }
}

fn follow(pipe: impl Read, kept: &Mutex<String>, show: fn(&str) -> bool) {
    let mut reader = BufReader::new(pipe);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
        let line = String::from_utf8_lossy(&bytes);
        if show(&line) {
            // a closed terminal must not stop the checks
            let _ = std::io::stdout().lock().write_all(line.as_bytes());
        }
        kept.lock().expect("no reader panicked").push_str(&line);
        bytes.clear();
    }
}

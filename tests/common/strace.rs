//! Runs a command under strace, which kills it at a chosen system call or lets that call fail, and
//! looks at what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Calls at which a process is killed: between any two of them nothing changes for good.
pub const KILLS: [&str; 6] = [
    "rename",
    "fsync",
    "fdatasync",
    "unlink",
    "unlinkat",
    "mkdir",
];
/// Calls that fail once.
pub const FAILURES: [&str; 8] = [
    "write",
    "pwrite64",
    "ftruncate",
    "fsync",
    "fdatasync",
    "rename",
    "unlink",
    "mkdir",
];

/// Whether strace works here; tests that need it are then run.
pub fn strace_works() -> bool {
    let tried = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .output();
    let works = tried.is_ok_and(|output| output.status.success());
    let required = std::env::var_os("RESPIKE_REQUIRE_TOOLS").is_some();
    assert!(
        works || !required,
        "strace does not work here: install it, or unset RESPIKE_REQUIRE_TOOLS"
    );
    if !works {
        #[allow(clippy::print_stderr)]
        {
            eprintln!("NOTHING WAS KILLED: strace does not work here");
        }
    }
    works
}

/// A command that fills a folder, and is given again when it was stopped.
pub struct Work<'a> {
    /// The folder.
    pub out: PathBuf,
    /// What is in the folder beforehand; without it, it is not there.
    pub before: Option<PathBuf>,
    /// How the command may end when it is given again.
    pub ends: &'a [i32],
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// What is added when it is given again.
    pub again: Vec<OsString>,
    /// What a file is compared by.
    pub alike: &'a dyn Fn(&Path, Vec<u8>) -> Vec<u8>,
    /// One in so many calls is tried; all of them if `RESPIKE_EXHAUSTIVE` is set.
    pub stride: usize,
}

/// Files of a folder and what they hold; folders end in `/`.
type Files = BTreeMap<PathBuf, Vec<u8>>;

impl Work<'_> {
    /// Kills the command at every call that matters; given again, it must leave what it leaves
    /// undisturbed.
    pub fn survives_kills(&self) {
        let whole = self.undisturbed();
        let mut killed = 0;
        // Calls are counted in each thread apart: where several make some, the first one is also looked
        // at alone.
        let several = self.count(&["-f"], &KILLS).1;
        for threads in [&["-f"][..], &[]]
            .into_iter()
            .take(1 + usize::from(several))
        {
            for (call, count) in self.count(threads, &KILLS).0 {
                for number in self.numbers(count) {
                    self.clear();
                    let inject = format!("{call}:signal=KILL:when={number}");
                    let output = self.run(threads, &inject);
                    killed += usize::from(output.status.signal() == Some(9));
                    let again = self.command(self.again.clone()).output().expect("it runs");
                    let at = format!("killed at {call} {number}");
                    self.compare(&whole, &at, &again);
                    assert!(
                        again
                            .status
                            .code()
                            .is_some_and(|code| self.ends.contains(&code)),
                        "{at}: {}",
                        String::from_utf8_lossy(&again.stderr)
                    );
                }
            }
        }
        assert!(killed > 1, "killed {killed} times only");
    }

    /// Lets every call that writes fail once: the command must say so, or have done everything.
    pub fn survives_failures(&self) {
        let whole = self.undisturbed();
        let mut failed = 0;
        for (call, count) in self.count(&["-f"], &FAILURES).0 {
            for number in self.numbers(count) {
                for error in ["ENOSPC", "EIO"] {
                    self.clear();
                    let inject = format!("{call}:error={error}:when={number}");
                    let output = self.run(&["-f"], &inject);
                    let at = format!("{error} at {call} {number}");
                    match output.status.code() {
                        Some(0) => self.compare(&whole, &at, &output),
                        Some(1) => failed += 1,
                        code => panic!(
                            "{at}: {code:?}, {}",
                            String::from_utf8_lossy(&output.stderr)
                        ),
                    }
                }
            }
        }
        assert!(failed > 3, "failed {failed} times only");
    }

    fn undisturbed(&self) -> Files {
        self.clear();
        let output = self.command(Vec::new()).output().expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "undisturbed: {stderr}");
        self.files()
    }

    fn command(&self, more: Vec<OsString>) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).args(more);
        command
    }

    fn run(&self, threads: &[&str], inject: &str) -> Output {
        let (call, _) = inject.split_once(':').expect("a call and what is done");
        let mut command = Command::new("strace");
        command.args(threads).args(["-o", "/dev/null", "-e"]);
        command.arg(format!("trace={call}")).arg("-e");
        command.arg(format!("inject={inject}")).args(&self.command);
        command.output().expect("strace works")
    }

    /// How often each call comes in the thread where it comes most often, and whether several threads
    /// make such calls.
    fn count(
        &self,
        threads: &[&str],
        calls: &[&'static str],
    ) -> (Vec<(&'static str, usize)>, bool) {
        self.clear();
        let trace = tempfile::NamedTempFile::new().expect("a file");
        let mut command = Command::new("strace");
        command.args(threads).arg("-o").arg(trace.path());
        command.arg("-e").arg(format!("trace={}", calls.join(",")));
        let output = command.args(&self.command).output().expect("strace works");
        assert!(output.status.success(), "counted");
        let text = std::fs::read_to_string(trace.path()).expect("text");
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.contains(" resumed>")) {
            let (thread, line) = match threads {
                [] => ("", line),
                _ => line.split_once(' ').expect("a thread's number"),
            };
            let call = line.trim_start().split('(').next().expect("a first part");
            *counts.entry((thread, call)).or_default() += 1;
        }
        let most = |call: &&'static str| {
            let all = counts.iter().filter(|((_, name), _)| name == call);
            (*call, all.map(|(_, &count)| count).max().unwrap_or(0))
        };
        let all: BTreeSet<&str> = counts.keys().map(|(thread, _)| *thread).collect();
        (calls.iter().map(most).collect(), all.len() > 1)
    }

    /// The first call, the last one, and some between.
    fn numbers(&self, count: usize) -> Vec<usize> {
        let stride = match std::env::var_os("RESPIKE_EXHAUSTIVE") {
            Some(_) => 1,
            None => self.stride,
        };
        let mut numbers: Vec<usize> = (1..=count).step_by(stride).collect();
        numbers.extend((count > 0).then_some(count));
        numbers.dedup();
        numbers
    }

    fn clear(&self) {
        if self.out.exists() {
            std::fs::remove_dir_all(&self.out).expect("removable");
        }
        if let Some(before) = &self.before {
            copy(before, &self.out);
        }
    }

    fn files(&self) -> Files {
        let mut files = Files::new();
        self.collect(&self.out, &mut files);
        files
    }

    fn collect(&self, folder: &Path, files: &mut Files) {
        for entry in folder.read_dir().expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                self.collect(&path, files);
                files.insert(path, Vec::new());
            } else if path.file_name().is_some_and(|name| name != ".lock") {
                let bytes = std::fs::read(&path).expect("readable");
                let bytes = (self.alike)(&path, bytes);
                files.insert(path, bytes);
            }
        }
    }

    fn compare(&self, whole: &Files, at: &str, output: &Output) {
        let mut found = self.files();
        // What could not be removed goes with the next run.
        if at.starts_with('E') {
            found.retain(|path, _| !path.to_string_lossy().contains(".respike-"));
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(whole), "{at}: {stderr}");
        for (path, bytes) in &found {
            assert!(*bytes == whole[path], "{at}: {path:?} differs; {stderr}");
        }
    }
}

fn copy(folder: &Path, to: &Path) {
    std::fs::create_dir(to).expect("writable");
    for entry in folder.read_dir().expect("a folder") {
        let (from, to) = match entry {
            Ok(entry) => (entry.path(), to.join(entry.file_name())),
            Err(error) => panic!("{error}"),
        };
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(std::fs::copy(&from, &to).expect("copied")),
        }
    }
}

/// Files but for the times that they tell.
pub fn without_seconds(path: &Path, bytes: Vec<u8>) -> Vec<u8> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name == "times.jsonl" {
        return Vec::new();
    }
    if name == "table.md" {
        // The last column of the demo's table.
        let text = String::from_utf8(bytes).expect("text");
        let rows = text.lines().map(|row| {
            let row = row.trim_end_matches([' ', '|']);
            row.rsplit_once('|').expect("columns").0
        });
        return rows.collect::<Vec<_>>().join("\n").into_bytes();
    }
    if !name.ends_with(".json") && !name.ends_with(".jsonl") {
        return bytes;
    }
    let values = serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>();
    let values = values.map(|value| {
        let mut value = value.expect("JSON");
        remove_seconds(&mut value);
        value.to_string()
    });
    values.collect::<Vec<_>>().join("\n").into_bytes()
}

fn remove_seconds(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("seconds");
            map.values_mut().for_each(remove_seconds);
        }
        Value::Array(list) => list.iter_mut().for_each(remove_seconds),
        _ => {}
    }
}

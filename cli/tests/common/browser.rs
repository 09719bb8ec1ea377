//! Opening pages as people do, in a browser without a network.

use std::process::{Command, Stdio};

use super::Bench;
use super::program::json;

/// What a browser made of a page.
pub struct Page {
    pub dom: String,
    /// Lines of its console.
    pub errors: Vec<String>,
    /// What the page asked for beside itself; the browser's own requests are not its fault.
    pub requests: Vec<String>,
}

/// Opens a file of the bench, with what may follow its name in an address, and lets its scripts run.
pub fn open(browser: &str, bench: &Bench, page: &str) -> Page {
    let log = bench.path("net.json");
    let mut command = Command::new(browser);
    quiet(&mut command, bench);
    let output = command
        .arg(format!("--log-net-log={}", log.display()))
        .args(["--enable-logging=stderr", "--dump-dom"])
        .arg(format!("file://{}", bench.path(page).display()))
        .output()
        .expect("the browser starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let errors = stderr.lines().filter(|line| line.contains("CONSOLE"));
    let events = json(&log)["events"].as_array().cloned().expect("a list");
    let mut requests = Vec::new();
    for event in events {
        let (url, from) = (&event["params"]["url"], &event["params"]["initiator"]);
        if let (Some(url), Some(from)) = (url.as_str(), from.as_str())
            && from != "not an origin"
            && !requests.iter().any(|known| known == url)
        {
            requests.push(url.to_string());
        }
    }
    Page {
        dom: String::from_utf8(output.stdout).expect("UTF-8"),
        errors: errors.map(String::from).collect(),
        requests,
    }
}

/// A browser, if this machine has one; where tools are required, it must.
pub fn browser() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| {
        let mut version = Command::new(name);
        version
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        version.status().is_ok_and(|status| status.success())
    });
    let required = std::env::var_os("RESPIKE_REQUIRE_TOOLS").is_some();
    assert!(
        found.is_some() || !required,
        "no chromium: install it, or unset RESPIKE_REQUIRE_TOOLS"
    );
    found
}

/// A browser of its own, which asks for nothing by itself.
fn quiet(command: &mut Command, bench: &Bench) {
    let profile = bench.path("profile");
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .args([
            "--disable-default-apps",
            "--disable-extensions",
            "--disable-dev-shm-usage",
        ])
        .args(["--disable-features=OptimizationHints,MediaRouter,Translate"])
        .arg(format!("--user-data-dir={}", profile.display()));
}

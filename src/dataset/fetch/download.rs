//! Downloads that go on where they broke off.
//!
//! In: an address, and the part of the file that came before. Out: the whole part, as far as the
//! server can tell; whether it is the right file, only its checksum tells.

use std::io::Read;
use std::thread;
use std::time::Duration;

use ureq::http::header::RANGE;
use ureq::http::uri::Uri;
use ureq::{Agent, Body, Timeout};

use super::answer::{Answer, understand};
use super::error::one_line;
use super::part::Part;
use super::sources::below;
use super::{FetchError, Progress, Settings, Source};

/// Bytes that are written at a time.
const BLOCK: usize = 1 << 16;
/// The longest pause before another try.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Tries at the same file, even if each brings something.
const MOST_TRIES: u32 = 50;

/// Fetches files from below one address.
pub(super) struct Downloader<'a> {
    agent: Agent,
    base: &'a str,
    settings: &'a Settings,
}

/// Why a try did not bring the file.
enum Setback {
    /// Another try may help.
    Broken(String),
    /// What has come so far is of no use.
    StartAgain,
    /// No other try helps.
    Final(FetchError),
}

impl From<FetchError> for Setback {
    fn from(error: FetchError) -> Self {
        Setback::Final(error)
    }
}

impl<'a> Downloader<'a> {
    pub(super) fn new(source: &'a Source, settings: &'a Settings) -> Result<Self, FetchError> {
        let base = settings.mirror.as_deref().unwrap_or(&source.home);
        check_address(base)?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_connections(0)
            .user_agent(concat!("respike/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .timeout_resolve(Some(settings.connect_timeout))
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_per_read(Some(settings.silence_timeout))
            .timeout_per_write(Some(settings.silence_timeout));
        if !settings.proxy {
            config = config.proxy(None);
        }
        Ok(Downloader {
            agent: config.build().into(),
            base,
            settings,
        })
    }

    pub(super) fn address(&self, name: &str) -> String {
        below(self.base, name)
    }

    /// Brings the rest of a file, and says whether it came in pieces, which might not fit.
    pub(super) fn bring(
        &self,
        name: &str,
        part: &mut Part,
        show: &mut dyn FnMut(Progress<'_>),
    ) -> Result<bool, FetchError> {
        let address = self.address(name);
        let mut longest = part.length()?;
        let mut pieces = longest > 0;
        let (mut tries, mut fruitless) = (0, 0);
        loop {
            tries += 1;
            let reason = match self.attempt(&address, name, part, show) {
                Ok(()) => return Ok(pieces),
                Err(Setback::Final(error)) => return Err(error),
                Err(Setback::StartAgain) if tries < MOST_TRIES => {
                    part.clear()?;
                    continue;
                }
                Err(Setback::StartAgain) => "what it sends never fits together".to_string(),
                Err(Setback::Broken(reason)) => reason,
            };
            let length = part.length()?;
            pieces |= length > 0;
            // Only what goes further than ever is progress: a server may start again each time.
            fruitless = if length > longest { 0 } else { fruitless + 1 };
            longest = longest.max(length);
            if fruitless > self.settings.retries || tries >= MOST_TRIES {
                return Err(FetchError::Unreachable { address, reason });
            }
            let doubled = 1 << fruitless.saturating_sub(1).min(16);
            let pause = self.settings.first_pause.saturating_mul(doubled);
            let pause = pause.min(LONGEST_PAUSE);
            let reason = &reason;
            show(Progress::Retry {
                name,
                reason,
                pause,
            });
            thread::sleep(pause);
        }
    }

    /// Asks once for what is missing, and appends what comes.
    fn attempt(
        &self,
        address: &str,
        name: &str,
        part: &mut Part,
        show: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Setback> {
        let have = part.length()?;
        let mut request = self.agent.get(address);
        if have > 0 {
            request = request.header(RANGE, format!("bytes={have}-"));
        }
        let response = request.call().map_err(|error| setback(address, error))?;
        let status = response.status().as_u16();
        let (most, total) = match understand(status, response.headers(), have) {
            Answer::Whole { total } => {
                part.clear()?;
                (total, total)
            }
            Answer::Rest { length, total } => (Some(length), total),
            Answer::StartAgain => return Err(Setback::StartAgain),
            Answer::TryAgain { reason } => return Err(Setback::Broken(reason)),
            Answer::Refused => {
                let address = address.to_string();
                return Err(FetchError::Status { address, status }.into());
            }
            Answer::Senseless { reason } => {
                let (address, reason) = (address.to_string(), one_line(&reason));
                return Err(FetchError::BadAnswer { address, reason }.into());
            }
        };
        if total.is_some_and(|total| total > self.settings.largest_download) {
            return Err(self.too_large(address, part)?.into());
        }
        let came = self.append(address, response.into_body(), part, most, &mut |done| {
            show(Progress::Download { name, done, total });
        })?;
        let done = part.length()?;
        match (most, total) {
            (Some(most), _) if came < most => Err(Setback::Broken(format!(
                "the connection closed after {came} of {most} bytes"
            ))),
            (_, Some(total)) if done < total => Err(Setback::Broken(format!(
                "only {done} of {total} bytes were sent"
            ))),
            _ => {
                show(Progress::Downloaded { name, bytes: done });
                Ok(())
            }
        }
    }

    /// Appends a body to the part, and says how long it was.
    fn append(
        &self,
        address: &str,
        body: Body,
        part: &mut Part,
        most: Option<u64>,
        show: &mut dyn FnMut(u64),
    ) -> Result<u64, Setback> {
        let start = part.length()?;
        let mut reader = body.into_reader();
        let mut block = vec![0; BLOCK];
        let mut came = 0;
        loop {
            let length = match reader.read(&mut block) {
                Ok(0) => return Ok(came),
                Ok(length) => length,
                Err(error) => return Err(setback(address, error.into())),
            };
            came += length as u64;
            if start + came > self.settings.largest_download {
                return Err(self.too_large(address, part)?.into());
            }
            if most.is_some_and(|most| came > most) {
                part.clear()?;
                return Err(FetchError::BadAnswer {
                    address: address.to_string(),
                    reason: "more bytes come than were announced".to_string(),
                }
                .into());
            }
            part.append(&block[..length])?;
            show(start + came);
        }
    }

    fn too_large(&self, address: &str, part: &mut Part) -> Result<FetchError, FetchError> {
        part.clear()?;
        Ok(FetchError::TooLarge {
            address: address.to_string(),
            limit: self.settings.largest_download,
        })
    }
}

fn check_address(address: &str) -> Result<(), FetchError> {
    let bad = |reason: &str| FetchError::BadAddress {
        address: address.to_string(),
        reason: reason.to_string(),
    };
    let uri: Uri = address.parse().map_err(|error| bad(&format!("{error}")))?;
    match uri.scheme_str() {
        Some("http" | "https") => {}
        _ => return Err(bad("it does not begin with http:// or https://")),
    }
    match uri.host() {
        None | Some("") => Err(bad("it names no host")),
        Some(host) if uri.port().is_none() && !ends_with(&uri, host) => {
            Err(bad("its port is no number up to 65535"))
        }
        Some(_) if uri.query().is_some() => Err(bad("no file name can stand behind its `?`")),
        Some(_) => Ok(()),
    }
}

/// Whether nothing stands behind the host.
fn ends_with(uri: &Uri, host: &str) -> bool {
    uri.authority()
        .is_some_and(|authority| authority.as_str().ends_with(host))
}

/// Says in words what the HTTP library found.
fn setback(address: &str, error: ureq::Error) -> Setback {
    let address = address.to_string();
    let reason = one_line(&error.to_string());
    match error {
        ureq::Error::Io(error) => Setback::Broken(one_line(&error.to_string())),
        ureq::Error::HostNotFound => Setback::Broken("the host is not found".to_string()),
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            Setback::Broken("nobody answers there".to_string())
        }
        ureq::Error::Timeout(_) => Setback::Broken("the server has gone silent".to_string()),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            Setback::Final(FetchError::BadAddress { address, reason })
        }
        ureq::Error::TooManyRedirects
        | ureq::Error::RedirectFailed
        | ureq::Error::LargeResponseHeader(..) => {
            Setback::Final(FetchError::BadAnswer { address, reason })
        }
        _ => Setback::Broken(reason),
    }
}

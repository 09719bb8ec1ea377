//! What a server's answer to a request for a file, or the rest of one, means.

use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use ureq::http::{HeaderMap, HeaderName};

/// How the body of an answer continues what has come before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The whole file: what has come before is to be thrown away.
    Whole {
        /// Bytes of the file, where the server says.
        total: Option<u64>,
    },
    /// The rest of the file, or a part of it.
    Rest {
        /// Bytes of the body.
        length: u64,
        /// Bytes of the whole file, where the server says.
        total: Option<u64>,
    },
    /// What has come before does not fit the file that is there now.
    StartAgain,
    /// Another try may help.
    TryAgain {
        /// What the server said.
        reason: String,
    },
    /// Another try does not help.
    Refused,
    /// No answer to what was asked.
    Senseless {
        /// What is wrong with it.
        reason: String,
    },
}

/// Reads status and headers; `have` bytes were there when the rest was asked for.
pub(super) fn understand(status: u16, headers: &HeaderMap, have: u64) -> Answer {
    match status {
        200 => Answer::Whole {
            total: text(headers, &CONTENT_LENGTH).and_then(|text| text.parse().ok()),
        },
        206 => rest(headers, have).unwrap_or_else(|reason| match have {
            0 => Answer::Senseless { reason },
            // Nothing of it may be appended; a server that does ranges wrong may do without.
            _ => Answer::StartAgain,
        }),
        416 if have > 0 => Answer::StartAgain,
        408 | 429 | 500..=599 => Answer::TryAgain {
            reason: format!("the server answers with status {status}"),
        },
        _ => Answer::Refused,
    }
}

fn rest(headers: &HeaderMap, have: u64) -> Result<Answer, String> {
    let range = text(headers, &CONTENT_RANGE).unwrap_or("no Content-Range");
    if have == 0 {
        return Err(format!(
            "a part ({range}) where the whole file was asked for"
        ));
    }
    let (first, last, total) =
        content_range(range).ok_or_else(|| format!("`{range}` is no range of bytes"))?;
    if first != have || total.is_some_and(|total| last >= total) {
        return Err(format!(
            "`{range}` where the bytes from {have} on were asked for"
        ));
    }
    let length = last - first + 1;
    let told: Option<u64> = text(headers, &CONTENT_LENGTH).and_then(|text| text.parse().ok());
    match told {
        Some(told) if told != length => Err(format!("`{range}` in {told} bytes")),
        _ => Ok(Answer::Rest { length, total }),
    }
}

/// First byte, last byte and total of `bytes 5-9/10`; the last is not before the first.
fn content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    let total = match total {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    // A length of 2⁶⁴ could not be counted.
    (first <= last && last < u64::MAX).then_some((first, last, total))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, range: &str, length: Option<u64>, have: u64) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_RANGE, range.parse().expect("a header"));
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        understand(status, &headers, have)
    }

    #[test]
    fn a_rest_must_begin_where_the_part_ends() {
        let (length, total) = (5, Some(10));
        let rest = Answer::Rest { length, total };
        assert_eq!(answer(206, "bytes 5-9/10", Some(5), 5), rest);
        let rest = Answer::Rest {
            length: 5,
            total: None,
        };
        assert_eq!(answer(206, "bytes 5-9/*", None, 5), rest);
        for lie in [
            "bytes 0-9/10",
            "bytes 4-9/10",
            "bytes 6-9/10",
            "bytes 5-10/10",
            "bytes 5-4/10",
            "bytes 5-9",
            "bytes 5-8/10",
            "bytes */10",
            "bytes 5-18446744073709551615/*",
            "bytes 5-99999999999999999999/*",
            "lines 5-9/10",
            "",
        ] {
            assert_eq!(answer(206, lie, Some(5), 5), Answer::StartAgain, "{lie}");
        }
    }

    #[test]
    fn a_range_that_nobody_asked_for_is_no_answer() {
        for range in ["bytes 0-9/10", "bytes 5-9/10"] {
            let answer = answer(206, range, None, 0);
            assert!(matches!(answer, Answer::Senseless { .. }), "{range}");
        }
        assert_eq!(answer(416, "", None, 0), Answer::Refused);
        assert_eq!(answer(416, "", None, 5), Answer::StartAgain);
    }
}

//! How much may be allocated: a stated share of the machine's memory.
//!
//! In: what is to be held, and its bytes as computed from settings or from sizes that a file states.
//! Out: nothing, or a refusal that names the sizes, before anything is allocated.

use std::path::Path;
use std::sync::OnceLock;

use thiserror::Error;

/// What may be allocated at once is the machine's memory divided by this: half of it.
pub const MEMORY_DIVISOR: u64 = 2;

/// The memory that is assumed where the system does not tell how much it has: 4 GiB.
pub const UNKNOWN_MEMORY_BYTES: u64 = 4 << 30;

/// Something would need more memory than may be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{what} would need {} of memory, and at most {} may be used here (half of what this machine has); \
     make it smaller, or use a machine with more memory",
    size(*needed_bytes),
    size(*allowed_bytes)
)]
pub struct TooLarge {
    /// What would be held, with the settings that make it so large.
    pub what: String,
    /// Bytes that it would need; `u64::MAX` for more than can be counted.
    pub needed_bytes: u64,
    /// Bytes that may be used.
    pub allowed_bytes: u64,
}

/// Refuses what would need more than [`allowed_bytes`]; `None` stands for a number of bytes that
/// cannot be counted in 64 bits.
///
/// ```
/// use respike::ceiling::check;
///
/// assert!(check("a small table", Some(1000)).is_ok());
/// let steps: u64 = 1 << 40;
/// let refused = check("a trace of 2^40 steps", steps.checked_mul(1 << 30)).unwrap_err();
/// assert!(refused.to_string().starts_with("a trace of 2^40 steps would need "));
/// ```
///
/// # Errors
/// [`TooLarge`].
pub fn check(what: &str, needed_bytes: Option<u64>) -> Result<(), TooLarge> {
    check_against(what, needed_bytes, allowed_bytes())
}

/// The most bytes that may be allocated: the memory of the machine, or of the control group that the
/// program runs in if that has less, divided by [`MEMORY_DIVISOR`].
pub fn allowed_bytes() -> u64 {
    static ALLOWED: OnceLock<u64> = OnceLock::new();
    *ALLOWED.get_or_init(|| memory_bytes(Path::new("/")) / MEMORY_DIVISOR)
}

/// The product of sizes in bytes, for [`check`]; `None` if it overflows.
pub fn product(sizes: &[usize]) -> Option<u64> {
    let mut all: u64 = 1;
    for &size in sizes {
        all = all.checked_mul(u64::try_from(size).ok()?)?;
    }
    Some(all)
}

fn check_against(what: &str, needed: Option<u64>, allowed_bytes: u64) -> Result<(), TooLarge> {
    match needed {
        Some(bytes) if bytes <= allowed_bytes => Ok(()),
        _ => Err(TooLarge {
            what: what.to_string(),
            needed_bytes: needed.unwrap_or(u64::MAX),
            allowed_bytes,
        }),
    }
}

/// The memory of the machine under a root folder (`/` but in tests), as Linux tells it: the smallest
/// of what is built in and of the limits of all control groups, of either version.
fn memory_bytes(root: &Path) -> u64 {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    let installed = read("proc/meminfo").and_then(|text| meminfo_bytes(&text));
    let groups = read("proc/self/cgroup").unwrap_or_default();
    let limits = limit_files(&groups).into_iter().filter_map(|file| {
        // "max", or a number of v1 as good as infinite: no limit.
        read(&file)?.trim().parse::<u64>().ok()
    });
    limits
        .chain([installed.unwrap_or(UNKNOWN_MEMORY_BYTES)])
        .min()
        .unwrap_or(UNKNOWN_MEMORY_BYTES)
}

/// `MemTotal` of `/proc/meminfo`.
fn meminfo_bytes(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The files that may hold a limit: those of the process's own control groups and of all above them,
/// and the roots, which are what a container sees.
fn limit_files(groups: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let (mount, file) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max"),
            "memory" => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        let mut folder = path.trim_matches('/');
        loop {
            match folder {
                "" => files.push(format!("{mount}/{file}")),
                folder => files.push(format!("{mount}/{folder}/{file}")),
            }
            let Some((above, _)) = folder.rsplit_once('/') else {
                if folder.is_empty() {
                    break;
                }
                folder = "";
                continue;
            };
            folder = above;
        }
    }
    files
}

/// A number of bytes in the largest unit of which there is at least one.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [
        ("PB", 1_000_000_000_000_000),
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
    ];
    if bytes == u64::MAX {
        return "more than 10^19 bytes".to_string();
    }
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with so much memory and these control groups, as files below a folder.
    fn machine(files: &[(&str, &str)]) -> u64 {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("written");
        }
        memory_bytes(root.path())
    }

    #[test]
    fn what_fits_is_allowed_and_what_does_not_is_named_with_its_size() {
        assert_eq!(check_against("a table", Some(1000), 1000), Ok(()));
        let refused =
            check_against("a table", Some(4_300_000_000), 1_000_000).expect_err("too large");
        assert!(
            refused
                .to_string()
                .starts_with("a table would need 4.3 GB of memory, and at most 1.0 MB may be used")
        );
        let refused =
            check_against("a table", product(&[1 << 40, 1 << 40]), 1000).expect_err("too large");
        let said = refused.to_string();
        assert!(said.contains("more than 10^19 bytes"), "{said}");
        assert!(said.contains("at most 1000 bytes"), "{said}");
    }

    #[test]
    fn the_smallest_limit_of_machine_and_control_groups_counts() {
        let meminfo = ("proc/meminfo", "MemTotal:        8000 kB\nMemFree: 1 kB\n");
        assert_eq!(machine(&[meminfo]), 8_192_000);
        assert_eq!(machine(&[]), UNKNOWN_MEMORY_BYTES);
        let v2 = [
            meminfo,
            ("proc/self/cgroup", "0::/user/run\n"),
            ("sys/fs/cgroup/user/run/memory.max", "max\n"),
            ("sys/fs/cgroup/user/memory.max", "3000000\n"),
        ];
        assert_eq!(machine(&v2), 3_000_000);
        let v1 = [
            meminfo,
            (
                "proc/self/cgroup",
                "8:pids:/\n4:memory:/outside/the/container\n",
            ),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000\n"),
        ];
        assert_eq!(machine(&v1), 2_000_000);
        let unlimited = [
            meminfo,
            ("proc/self/cgroup", "4:memory:/\n"),
            (
                "sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
        ];
        assert_eq!(machine(&unlimited), 8_192_000);
    }

    #[test]
    fn this_machine_allows_something() {
        assert!(allowed_bytes() > 1 << 20);
    }
}

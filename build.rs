//! Notes which source a build is of: a hash of everything that decides what the library and the program
//! do, in `RESPIKE_BUILD`. It is the same wherever that source lies, and needs no version control.

use std::fs;
use std::path::{Path, PathBuf};

/// Files and folders that are hashed, those that are there: a packaged crate keeps the manifest as it
/// was written beside the one that it was turned into. The program's code is not in the library's package;
/// as a package it asks for the library of its own version and no other.
const SOURCES: [&str; 7] = [
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
    "cli/Cargo.toml",
    "cli/src",
    "snn-models",
    "src",
];

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut files = Vec::new();
    for source in SOURCES {
        let place = root.join(source);
        // What is not there would count as changed at every build.
        if place.exists() {
            println!("cargo::rerun-if-changed={source}");
        }
        list(&place, &mut files);
    }
    let original = root.join("Cargo.toml.orig");
    if files.contains(&original) {
        files.retain(|file| *file != root.join("Cargo.toml"));
    }
    let mut named: Vec<(String, PathBuf)> = files
        .into_iter()
        .map(|file| (name_of(&root, &file), file))
        .collect();
    named.sort();
    let mut hash = Fnv::default();
    for (name, file) in named {
        // A file that can't be read is one that the compiler will miss, too.
        let bytes = fs::read(&file).unwrap_or_default();
        // A checkout may end lines in another way.
        let text: Vec<u8> = bytes.into_iter().filter(|&byte| byte != b'\r').collect();
        hash.add(name.trim_end_matches(".orig").as_bytes());
        hash.add(&text);
    }
    println!("cargo::rustc-env=RESPIKE_BUILD={:016x}", hash.0);
}

/// All files at or below a place.
fn list(place: &Path, files: &mut Vec<PathBuf>) {
    if place.is_file() {
        files.push(place.to_path_buf());
    }
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        list(&entry.path(), files);
    }
}

/// A path below the root, with `/` between folders.
fn name_of(root: &Path, file: &Path) -> String {
    let below = file.strip_prefix(root).unwrap_or(file);
    let parts = below.iter().map(|part| part.to_string_lossy().into_owned());
    parts.collect::<Vec<_>>().join("/")
}

/// The 64-bit hash FNV-1a (Fowler, Noll & Vo).
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Adds bytes, and how many they are, so that what is moved from one file to the next shows.
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes.iter().chain(&(bytes.len() as u64).to_le_bytes()) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

//! A member of an axis is a file and a line of the registry: nothing else knows its name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Sources of the library and the program without their tests, with their paths from the project's root.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("cli/src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path: PathBuf = entry.expect("an entry").path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let is_test = matches!(stem, Some("tests" | "invented"));
            match path.extension() {
                _ if is_test => {}
                Some(extension) if extension == "rs" => {
                    let text = fs::read_to_string(&path).expect("a source");
                    let path = path.strip_prefix(root).expect("within it");
                    let name = path.display().to_string();
                    found.push((name, without_tests(&text)));
                }
                None if path.is_dir() => folders.push(path),
                _ => {}
            }
        }
    }
    assert!(found.len() > 200, "{} sources", found.len());
    found
}

/// The lines that run: no comments, and nothing after the tests begin.
fn without_tests(text: &str) -> String {
    let runs = text.split("#[cfg(test)]\nmod tests {").next();
    let lines = runs.unwrap_or_default().lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .collect()
}

#[test]
fn a_codec_a_policy_a_head_and_a_scenario_are_a_file_and_a_line_each() {
    let sources = sources();
    for (kind, own_type, own, folders) in [
        (
            "or",
            "Or",
            "src/replay/codec/or.rs",
            &["src/replay/codec/mod.rs", "src/replay/mod.rs"][..],
        ),
        (
            "herding",
            "Herding",
            "src/replay/policy/herding.rs",
            &["src/replay/mod.rs", "src/replay/policy/mod.rs"],
        ),
        (
            "cwr-star",
            "CwrStar",
            "src/head/cwr_star.rs",
            &["src/head/mod.rs"],
        ),
        (
            "nic",
            "ManyBatches",
            "src/continual/scenario/nic.rs",
            &["src/continual/mod.rs", "src/continual/scenario/mod.rs"],
        ),
    ] {
        let naming = sources
            .iter()
            .filter(|(_, text)| words(text).contains(own_type));
        let naming: BTreeSet<&str> = naming.map(|(name, _)| name.as_str()).collect();
        let mut wanted = BTreeSet::from([own, "src/registry/mod.rs"]);
        wanted.extend(folders);
        assert_eq!(naming, wanted, "{own_type}");
        // Its kind is text in its own file, and where a method that ships has the same name.
        let quoted = format!("\"{kind}\"");
        let saying = sources.iter().filter(|(_, text)| text.contains(&quoted));
        let saying = saying.map(|(name, _)| name.as_str());
        let saying: Vec<&str> = saying.filter(|name| *name != "src/shipped.rs").collect();
        assert_eq!(saying, [own], "{kind}");
    }
}

#[test]
fn nothing_compares_a_name_with_a_members_kind() {
    let sources = sources();
    let mut kinds = BTreeSet::new();
    for (_, text) in &sources {
        let rest = text.split("const KIND: &'static str = \"").skip(1);
        kinds.extend(rest.filter_map(|rest| rest.split('"').next()));
    }
    assert!(kinds.len() > 40, "{} kinds", kinds.len());
    for (name, text) in &sources {
        for line in text.lines() {
            for kind in &kinds {
                let compared = [
                    format!("== \"{kind}\""),
                    format!("!= \"{kind}\""),
                    format!("\"{kind}\" =>"),
                    format!("\"{kind}\" |"),
                ];
                let compares = compared.iter().any(|text| line.contains(text));
                // A folder of the system's, which has the name of a replay source.
                let is_other = name == "src/ceiling.rs" && *kind == "memory";
                assert!(!compares || is_other, "{name}: {line}");
            }
        }
    }
}

/// Places that ask for a member by its type or its name, each with why it may.
const ASKING: [(&str, &str); 4] = [
    // Experiments were told by one memory before methods had sources; records are read and written so.
    ("src/formats/experiment.rs", "get::<Memory>"),
    // Commands of such experiments say its settings by flags that are about a memory.
    ("src/report/suite/command.rs", "get::<Memory>"),
    // A penalty on spikes had a key of its own in records before there were other regularisers, and has a flag.
    ("src/train/losses.rs", "get::<SpikePenalty>"),
    // Not a member: what a panic says.
    ("cli/src/lib.rs", "downcast_ref::<String>"),
];

/// The word that ends a text.
fn last_word(text: &str) -> &str {
    let is_of_it = |letter: char| letter.is_alphanumeric() || letter == '_';
    let start = text.trim_end_matches(is_of_it).len();
    &text[start..]
}

#[test]
fn nothing_asks_which_member_it_has() {
    let mut used: BTreeSet<&(&str, &str)> = BTreeSet::new();
    for (name, text) in &sources() {
        // It is what knows all of them.
        if name.starts_with("src/registry/") {
            continue;
        }
        let is_own = |member: &str| text.contains(&format!("impl Member for {member} "));
        let mut asked = Vec::new();
        for (place, _) in text.match_indices("::KIND") {
            let member = last_word(&text[..place]);
            // A type that is not known there is nobody's in particular.
            if member.len() > 1 && member != "Self" && !is_own(member) {
                asked.push(format!("{member}::KIND"));
            }
        }
        for call in ["get::<", "is::<", "downcast_ref::<", "downcast::<"] {
            for (place, _) in text.match_indices(call) {
                // No longer word ends so.
                let before = last_word(&text[..place]);
                let member = &text[place + call.len()..];
                let member = member.split('>').next().unwrap_or_default();
                if before.is_empty() && member.len() > 1 && !is_own(member) {
                    asked.push(format!("{call}{member}>"));
                }
            }
        }
        for asked in asked {
            let allowed = ASKING
                .iter()
                .find(|(file, what)| file == name && *what == asked);
            assert!(
                allowed.is_some() || asked.ends_with("str>"),
                "{name}: {asked}"
            );
            used.extend(allowed);
        }
    }
    assert_eq!(used.len(), ASKING.len(), "all are needed: {used:?}");
}

#[test]
fn words_of_old_suites_stand_in_one_place() {
    let allowed = [
        "src/method/strategy.rs",
        // What ships by these names, and methods that have them as their names.
        "src/shipped.rs",
        "src/method/mod.rs",
        // Records say `joint` of a method that replays all samples.
        "src/formats/experiment.rs",
        // The method that ships of which all others can be made.
        "src/report/suite/command.rs",
    ];
    for (name, text) in &sources() {
        for word in ["naive", "joint", "native", "latent"] {
            let said = text.contains(&format!("\"{word}\""));
            assert!(!said || allowed.contains(&&name[..]), "{name}: {word}");
        }
    }
}

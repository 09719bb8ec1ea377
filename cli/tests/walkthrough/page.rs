//! A page of documentation as what somebody does who follows it.
//!
//! In: Markdown. Out: its fenced blocks, in order: files to be written and commands to be given.

/// One thing to do.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// A `toml` block, whose first line is a comment with its name.
    File { name: String, text: String },
    /// A line of an `sh` block; lines that a backslash ends go on in the next one.
    Command(String),
}

/// What stands before a block that nobody can follow yet.
const NOT_RUN: &str = "<!-- not run -->";

/// All steps of a page, in its order.
pub fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = page.lines();
    let mut before = "";
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            if before != NOT_RUN {
                match language {
                    "sh" => steps.extend(commands(&block)),
                    "toml" => steps.push(file(&block)),
                    other => panic!("nobody knows what to do with a block of `{other}`"),
                }
            }
        }
        if !line.trim().is_empty() {
            before = line;
        }
    }
    steps
}

fn file(block: &[&str]) -> Step {
    let name = block.first().and_then(|line| line.strip_prefix("# "));
    let name = name.filter(|name| name.ends_with(".toml"));
    Step::File {
        name: name.expect("its first line is its name").to_string(),
        text: block.join("\n") + "\n",
    }
}

fn commands(block: &[&str]) -> Vec<Step> {
    let mut commands = Vec::new();
    let mut whole = String::new();
    for line in block {
        let continued = line.strip_suffix('\\');
        whole += continued.unwrap_or(line).trim_start();
        if continued.is_none() && !whole.is_empty() {
            commands.push(Step::Command(std::mem::take(&mut whole)));
        }
    }
    assert!(whole.is_empty(), "nothing follows the backslash of {whole}");
    commands
}

/// What follows a flag in a command, up to the next flag.
pub fn values<'a>(command: &'a str, flag: &str) -> Vec<&'a str> {
    let words = command.split_whitespace();
    let after = words.skip_while(|word| *word != flag).skip(1);
    after.take_while(|word| !word.starts_with("--")).collect()
}

#[test]
fn blocks_become_files_and_commands_in_their_order() {
    let page = "# A\n\n```sh\nfirst --to x \\\n    --and y\n\nsecond\n```\ntext\n```toml\n# a.toml\nb = 1\n```\n\
                <!-- not run -->\n```sh\nnever\n```\n\nText between.\n```sh\nthird\n```\n";
    let command = |text: &str| Step::Command(text.to_string());
    let file = Step::File {
        name: "a.toml".to_string(),
        text: "# a.toml\nb = 1\n".to_string(),
    };
    let expected = [
        command("first --to x --and y"),
        command("second"),
        file,
        command("third"),
    ];
    assert_eq!(steps(page), expected);
    assert_eq!(values("a --b c d --e f", "--b"), ["c", "d"]);
    assert!(values("a --b c", "--e").is_empty());
}

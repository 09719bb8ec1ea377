//! A table of a suite, as Markdown and for spreadsheets.

use crate::report::csv_line::csv_line;
use crate::report::markdown;
use crate::storage::shown;

/// A table with a name for its files, a title and the command that makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// For file names.
    pub name: String,
    /// Above it.
    pub title: String,
    /// What its figures are.
    pub note: String,
    /// Above the columns.
    pub heading: Vec<String>,
    /// One for each row.
    pub rows: Vec<Vec<String>>,
    /// For each row the command that runs one of its experiments alone; may be empty.
    pub commands: Vec<String>,
}

impl Table {
    /// As Markdown, with title, note and command.
    pub fn markdown(&self, command: &str) -> String {
        let heading: Vec<&str> = self.heading.iter().map(String::as_str).collect();
        let table = markdown(&heading, &self.rows);
        let (title, note) = (&self.title, &self.note);
        format!("## {title}\n\n{note}\n\n```sh\n{command}\n```\n\n{table}")
    }

    /// As comma-separated values, the last column being a command: of an experiment of the row, or
    /// `command`, which runs all of them.
    pub fn csv(&self, command: &str) -> String {
        let line = |row: &[String], command: &str| {
            let cells = row.iter().map(|cell| shown(cell));
            csv_line(cells.chain([shown(command)]))
        };
        let last = match self.commands.is_empty() {
            true => "command",
            false => "command of its first experiment",
        };
        let heading = line(&self.heading, last);
        let rows = self.rows.iter().enumerate().map(|(index, row)| {
            let own = self.commands.get(index).map(String::as_str);
            line(row, own.unwrap_or(command))
        });
        std::iter::once(heading).chain(rows).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreadsheets_and_markdown_read_cells_as_they_are() {
        let table = Table {
            name: "odd".into(),
            title: "Odd".into(),
            note: String::new(),
            heading: vec!["a|b".into(), "c".into()],
            rows: vec![vec!["1, \"2\"".into(), "x|y\n<b>".into()]],
            commands: Vec::new(),
        };
        let csv = table.csv("respike bench shd");
        assert_eq!(
            csv,
            "a|b,c,command\n\"1, \"\"2\"\"\",x|y\\n<b>,respike bench shd\n"
        );
        let expected = "| 1, \"2\" | x\\|y\\n&lt;b> |";
        assert!(table.markdown("").contains(expected));
    }
}

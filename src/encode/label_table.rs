//! Labels from a table with a row for each recording.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{AudioFile, EncodeError, Labels};
use crate::names::normalised;
use crate::storage::read_plain;

/// A table of labels: `file` and `label`, and if they are there `speaker`, `language` and `take`.
#[derive(Debug, Clone)]
pub struct LabelTable {
    path: PathBuf,
    /// By the file's name as the table has it, in the one spelling of its text.
    rows: HashMap<String, Row>,
}

#[derive(Debug, Clone)]
struct Row {
    labels: Labels,
    /// Where it stands in the table.
    line: u64,
}

impl LabelTable {
    /// Reads a CSV file in UTF-8: commas between columns, which the first line names.
    ///
    /// # Errors
    /// [`EncodeError::Unreadable`]; [`EncodeError::BadTable`] with the line that cannot be used.
    pub fn read(path: &Path) -> Result<Self, EncodeError> {
        let bytes = read_plain(path).map_err(|source| EncodeError::Unreadable {
            path: path.to_path_buf(),
            source,
        })?;
        let rows = rows(&bytes).map_err(|reason| EncodeError::BadTable {
            path: path.to_path_buf(),
            reason,
        })?;
        Ok(LabelTable {
            path: path.to_path_buf(),
            rows,
        })
    }

    /// The key of the row that is for the recording of this name: a row with its whole name comes
    /// before one with its own name alone, without folders.
    fn key(&self, name: &str) -> Option<String> {
        let name = normalised(name);
        let own = name.rsplit_once('/').map(|(_, own)| own.to_string());
        let mut keys = std::iter::once(name).chain(own);
        keys.find(|key| self.rows.contains_key(key))
    }

    pub(super) fn labels(&self, name: &str) -> Result<Labels, String> {
        let row = self.key(name).and_then(|key| self.rows.get(&key));
        row.map(|row| row.labels.clone()).ok_or_else(|| {
            let table = self.path.display();
            match name.rsplit_once('/') {
                Some((_, own)) => format!("{table} has no row for `{name}` or `{own}`"),
                None => format!("{table} has no row for `{name}`"),
            }
        })
    }

    /// The rows that are for none of the files, in the order of the table.
    ///
    /// # Errors
    /// [`EncodeError::BadTable`] if a row would be for several.
    pub(super) fn match_rows(&self, files: &[AudioFile]) -> Result<Vec<String>, EncodeError> {
        let mut matched: HashMap<String, &AudioFile> = HashMap::new();
        for file in files {
            let Some(key) = self.key(&file.name) else {
                continue;
            };
            let line = self.rows.get(&key).map_or(0, |row| row.line);
            if let Some(other) = matched.get(&key) {
                return Err(EncodeError::BadTable {
                    path: self.path.clone(),
                    reason: format!(
                        "on line {line}, {key} could be {} or {}; give each of them a row with its folders, \
                         such as {}",
                        other.path.display(),
                        file.path.display(),
                        file.name
                    ),
                });
            }
            matched.insert(key, file);
        }
        let idle = self
            .rows
            .iter()
            .filter(|(key, _)| !matched.contains_key(*key));
        let mut idle: Vec<(u64, &String)> = idle.map(|(key, row)| (row.line, key)).collect();
        idle.sort_unstable();
        Ok(idle.into_iter().map(|(_, key)| key.clone()).collect())
    }
}

fn rows(bytes: &[u8]) -> Result<HashMap<String, Row>, String> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("it is text in UTF-16; save it as CSV in UTF-8".to_string());
    }
    // Spreadsheets begin a file with a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        format!("line {line} is not text in UTF-8; save it as CSV in UTF-8")
    })?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |name: &str| header.iter().position(|column| column == name);
    let (Some(file), Some(label)) = (column("file"), column("label")) else {
        return Err(no_columns(&header));
    };
    if let Some(twice) = (1..header.len()).find(|&at| column(&header[at]) != Some(at)) {
        return Err(format!(
            "its first line names the column `{}` twice",
            &header[twice]
        ));
    }
    let others = ["speaker", "language", "take"].map(column);
    let mut rows: HashMap<String, Row> = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let on_line = |reason: String| format!("on line {line}, {reason}");
        let [speaker, language, take] =
            others.map(|column| record.get(column?).filter(|cell| !cell.is_empty()));
        let (name, label) = (&record[file], &record[label]);
        if name.is_empty() {
            return Err(on_line("no file is named".to_string()));
        }
        let labels = Labels::of_parts(label, speaker, language, take).map_err(on_line)?;
        let name = normalised(name.trim_start_matches("./"));
        if let Some(other) = rows.insert(name.clone(), Row { labels, line }) {
            let first = other.line;
            return Err(on_line(format!(
                "{name} comes a second time, after line {first}"
            )));
        }
    }
    Ok(rows)
}

fn no_columns(header: &csv::StringRecord) -> String {
    let wanted = "its first line must name the columns `file` and `label`";
    let found = header.iter().collect::<Vec<_>>().join(",");
    match ['\t', ';'].into_iter().find(|&other| found.contains(other)) {
        Some('\t') => format!("{wanted}, with commas between columns; here they are tabs"),
        Some(_) => format!("{wanted}, with commas between columns; here they are semicolons"),
        None => format!("{wanted}; it names `{found}`"),
    }
}

//! JSON for people: indented, with each row of a matrix on one line.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// A value as indented JSON; an array within an array stands on one line.
///
/// # Errors
/// As [`serde_json::to_string_pretty`]: for maps whose keys are no strings.
pub fn pretty_json(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, RowFormatter::default());
    value.serialize(&mut serializer)?;
    // serde_json writes UTF-8 alone.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Indents as serde_json does, but for arrays within arrays.
#[derive(Default)]
struct RowFormatter {
    pretty: PrettyFormatter<'static>,
    /// What is open: `true` for an array.
    open: Vec<bool>,
    /// How much was open when the row at hand began.
    row: Option<usize>,
}

impl RowFormatter {
    fn begin(&mut self, is_array: bool) {
        if self.row.is_none() && is_array && self.open.last() == Some(&true) {
            self.row = Some(self.open.len());
        }
        self.open.push(is_array);
    }

    /// Whether what ends now stands in a row.
    fn end(&mut self) -> bool {
        self.open.pop();
        let in_row = self.row.is_some();
        if self.row == Some(self.open.len()) {
            self.row = None;
        }
        in_row
    }
}

type Written = io::Result<()>;

impl Formatter for RowFormatter {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> Written {
        self.begin(true);
        match self.row {
            Some(_) => writer.write_all(b"["),
            None => self.pretty.begin_array(writer),
        }
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> Written {
        match self.end() {
            true => writer.write_all(b"]"),
            false => self.pretty.end_array(writer),
        }
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> Written {
        match (self.row, first) {
            (Some(_), true) => Ok(()),
            (Some(_), false) => writer.write_all(b", "),
            (None, first) => self.pretty.begin_array_value(writer, first),
        }
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> Written {
        match self.row {
            Some(_) => Ok(()),
            None => self.pretty.end_array_value(writer),
        }
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> Written {
        self.begin(false);
        match self.row {
            Some(_) => writer.write_all(b"{"),
            None => self.pretty.begin_object(writer),
        }
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> Written {
        match self.end() {
            true => writer.write_all(b"}"),
            false => self.pretty.end_object(writer),
        }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> Written {
        match (self.row, first) {
            (Some(_), true) => Ok(()),
            (Some(_), false) => writer.write_all(b", "),
            (None, first) => self.pretty.begin_object_key(writer, first),
        }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> Written {
        writer.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> Written {
        match self.row {
            Some(_) => Ok(()),
            None => self.pretty.end_object_value(writer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_row_of_a_matrix_stands_on_a_line() {
        let value = json!({"matrix": [[1, 2], [], [3]], "list": [1], "name": "a, b"});
        let text = pretty_json(&value).expect("JSON");
        let expected = "{\n  \"list\": [\n    1\n  ],\n  \"matrix\": [\n    [1, 2],\n    [],\n    \
                        [3]\n  ],\n  \"name\": \"a, b\"\n}";
        assert_eq!(text, expected);
    }

    #[test]
    fn whatever_is_written_is_read_again() {
        let values = [
            json!([]),
            json!([[]]),
            json!([[[1, [2.5, null]], {"a": [], "b": {"c": [[true]]}}], {"d": [[]]}, 5]),
            json!({"a": {"b": [[{}], [{"c": 1}], "x"]}}),
        ];
        for value in values {
            let text = pretty_json(&value).expect("JSON");
            assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value);
        }
        // Without a matrix it is what serde_json writes.
        let plain = json!({"a": [1, {"b": [2, 3]}], "c": {}, "d": []});
        let usual = serde_json::to_string_pretty(&plain).expect("JSON");
        assert_eq!(pretty_json(&plain).expect("JSON"), usual);
    }
}

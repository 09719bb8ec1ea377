/// A line of comma-separated values (RFC 4180, but for the line's end): quoted where a cell holds what would end it.
pub(in crate::report) fn csv_line<S: AsRef<str>>(cells: impl IntoIterator<Item = S>) -> String {
    let quoted = cells.into_iter().map(|cell| {
        let cell = cell.as_ref();
        match cell.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell.to_string(),
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_cell_is_quoted() {
        let line = csv_line(["a", "b,c", "say \"d\"", "e\nf", "", " g "]);
        assert_eq!(line, "a,\"b,c\",\"say \"\"d\"\"\",\"e\nf\",, g \n");
    }
}

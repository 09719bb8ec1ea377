//! Which classes were taken for which.

use ndarray::Array2;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How many samples of each class (row) were taken for each class (column).
///
/// In JSON an array of rows; the form of earlier versions, `{"v": 1, "dim": [rows, columns], "data":
/// […]}`, is read, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix(Array2<u32>);

impl ConfusionMatrix {
    /// The counts, true classes × predicted classes.
    pub fn counts(&self) -> &Array2<u32> {
        &self.0
    }

    /// Samples in all.
    pub fn samples(&self) -> u64 {
        self.0.iter().map(|count| u64::from(*count)).sum()
    }
}

impl From<Array2<u32>> for ConfusionMatrix {
    fn from(counts: Array2<u32>) -> Self {
        ConfusionMatrix(counts)
    }
}

impl Serialize for ConfusionMatrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.nrows()))?;
        for row in self.0.outer_iter() {
            rows.serialize_element(&row.to_vec())?;
        }
        rows.end()
    }
}

/// The forms that are read.
#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Rows(Vec<Vec<u32>>),
    Flat { dim: (usize, usize), data: Vec<u32> },
}

impl<'de> Deserialize<'de> for ConfusionMatrix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Form::deserialize(deserializer)
            .map_err(|_| de::Error::custom("a confusion matrix must be rows of whole numbers"))?;
        let (dim, data) = match form {
            Form::Rows(rows) => {
                let columns = rows.first().map_or(0, Vec::len);
                if rows.iter().any(|row| row.len() != columns) {
                    let text = "the rows of a confusion matrix must be equally long";
                    return Err(de::Error::custom(text));
                }
                ((rows.len(), columns), rows.concat())
            }
            Form::Flat { dim, data } => (dim, data),
        };
        let found = data.len();
        let counts = Array2::from_shape_vec(dim, data).map_err(|_| {
            let (rows, columns) = dim;
            de::Error::custom(format!(
                "a confusion matrix of {rows} × {columns} cells has {found} counts"
            ))
        })?;
        Ok(ConfusionMatrix(counts))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn read(text: &str) -> Result<ConfusionMatrix, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn both_forms_are_read_and_rows_are_written() {
        let matrix = ConfusionMatrix(array![[3, 1], [0, 4], [2, 2]]);
        let rows = "[[3,1],[0,4],[2,2]]";
        assert_eq!(serde_json::to_string(&matrix).expect("JSON"), rows);
        assert_eq!(read(rows).expect("rows"), matrix);
        let flat = r#"{"v":1,"dim":[3,2],"data":[3,1,0,4,2,2]}"#;
        assert_eq!(read(flat).expect("the earlier form"), matrix);
        assert_eq!(read("[]").expect("no class").samples(), 0);
        assert_eq!(matrix.samples(), 12);
    }

    #[test]
    fn what_is_no_matrix_is_refused_in_words() {
        let refused = |text: &str, words: &str| {
            let error = read(text).expect_err("no matrix").to_string();
            assert!(error.contains(words), "{error}");
        };
        refused("[[1,2],[3]]", "equally long");
        refused(r#"{"v":1,"dim":[2,2],"data":[1]}"#, "2 × 2 cells has 1");
        let huge = r#"{"v":1,"dim":[18446744073709551615,2],"data":[1]}"#;
        refused(huge, "has 1 counts");
        for odd in [
            "[[-1]]",
            "[[1.5]]",
            "7",
            "[[4294967296]]",
            r#"{"dim":[1,1]}"#,
        ] {
            refused(odd, "rows of whole numbers");
        }
    }
}

//! The datasets of SHD's layout, each checked for its type and its length.
//!
//! In: an HDF5 file in memory. Out: lists of numbers, and where the events of each sample lie; or what is
//! wrong, and where.

use std::ops::Range;
use std::path::Path;

use super::DatasetError;
use super::hdf5_file::{Element, Hdf5File, Number, Problem, Table};
use crate::ids::SoundPrint;

pub(super) const TIMES: &str = "spikes/times";
pub(super) const UNITS: &str = "spikes/units";
pub(super) const LABELS: &str = "labels";
pub(super) const SPEAKER: &str = "extra/speaker";
pub(super) const SOUND: &str = "extra/sound";

/// Times or units of all samples.
pub(super) struct Column {
    pub number: Number,
    cells: Cells,
}

enum Cells {
    /// Ranges of the file.
    Lists(Vec<Range<usize>>),
    /// Rows of equal lengths.
    Rows { bytes: Vec<u8>, row_bytes: usize },
}

impl Column {
    /// The bytes of a sample's numbers.
    pub fn cell<'a>(&'a self, file: &'a [u8], sample: usize) -> &'a [u8] {
        match &self.cells {
            Cells::Lists(lists) => &file[lists[sample].clone()],
            Cells::Rows { bytes, row_bytes } => &bytes[sample * row_bytes..][..*row_bytes],
        }
    }

    pub fn is_rows(&self) -> bool {
        matches!(self.cells, Cells::Rows { .. })
    }

    /// Numbers of all samples.
    pub fn numbers(&self) -> u64 {
        let bytes = match &self.cells {
            Cells::Lists(lists) => lists.iter().map(|list| list.len() as u64).sum(),
            Cells::Rows { bytes, .. } => bytes.len() as u64,
        };
        bytes / self.number.bytes() as u64
    }
}

/// Says where something is wrong.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub path: &'a Path,
}

impl At<'_> {
    /// A dataset, which must be there.
    pub fn table(self, file: &Hdf5File, name: &'static str) -> Result<Table, DatasetError> {
        file.table(name)
            .map_err(|problem| self.problem(name, problem))
    }

    /// A dataset that need not be there.
    pub fn optional(
        self,
        file: &Hdf5File,
        name: &'static str,
    ) -> Result<Option<Table>, DatasetError> {
        match file.table(name) {
            Err(Problem::Missing) => Ok(None),
            other => other
                .map(Some)
                .map_err(|problem| self.problem(name, problem)),
        }
    }

    pub fn integers(self, file: &Hdf5File, name: &'static str) -> Result<Vec<i64>, DatasetError> {
        let table = self.table(file, name)?;
        let number = self.integer_list(file, &table, name)?;
        Ok(number.integers(&self.read(&table, name)?))
    }

    /// The type of a list of integers that is no longer than the file can have samples.
    fn integer_list(
        self,
        file: &Hdf5File,
        table: &Table,
        name: &'static str,
    ) -> Result<Number, DatasetError> {
        self.check_list(table, name)?;
        match table.element {
            Element::Number(number) if number.is_integer() => {
                self.check_samples(file, table, name)?;
                Ok(number)
            }
            ref other => Err(self.wrong(name, format!("a list of {other}"), "a list of integers")),
        }
    }

    /// Refuses a dataset of more samples than the file has bytes, before it is read: every sample takes
    /// some room in any file of this layout.
    fn check_samples(
        self,
        file: &Hdf5File,
        table: &Table,
        name: &'static str,
    ) -> Result<(), DatasetError> {
        let (samples, bytes) = (table.shape[0], file.bytes().len());
        match samples <= bytes {
            true => Ok(()),
            false => {
                let found =
                    format!("a list of {samples} entries, larger than the file of {bytes} bytes");
                Err(self.wrong(name, found, "a list with an entry for each sample"))
            }
        }
    }

    pub fn read(self, table: &Table, name: &'static str) -> Result<Vec<u8>, DatasetError> {
        table.read().map_err(|problem| self.problem(name, problem))
    }

    /// Times or units, and of how many samples; `table` is the dataset of that name.
    pub fn column(
        self,
        file: &Hdf5File,
        (name, table): (&'static str, &Table),
        expected: &'static str,
        fits: impl Fn(Number) -> bool,
    ) -> Result<(Column, usize), DatasetError> {
        let refuse = |element: &Element| self.wrong(name, format!("a list of {element}"), expected);
        match (&table.element, &table.shape[..]) {
            (Element::List(item), [samples]) => match **item {
                Element::Number(number) if fits(number) => {
                    self.check_samples(file, table, name)?;
                    let lists = file.lists(table, number.bytes());
                    let lists = lists.map_err(|problem| self.problem(name, problem))?;
                    let cells = Cells::Lists(lists);
                    Ok((Column { number, cells }, *samples))
                }
                _ => Err(refuse(&table.element)),
            },
            (&Element::Number(number), &[samples, events]) if fits(number) => {
                self.check_samples(file, table, name)?;
                let row_bytes = events * number.bytes();
                let bytes = self.read(table, name)?;
                let cells = Cells::Rows { bytes, row_bytes };
                Ok((Column { number, cells }, samples))
            }
            (other, [_]) => Err(refuse(other)),
            (other, [_, _]) => {
                Err(self.wrong(name, format!("an array of samples × {other}"), expected))
            }
            _ => Err(self.wrong(name, dimensions(table), expected)),
        }
    }

    pub fn sounds(
        self,
        file: &Hdf5File,
        samples: usize,
    ) -> Result<Vec<Option<SoundPrint>>, DatasetError> {
        let Some(table) = self.optional(file, SOUND)? else {
            return Ok(vec![None; samples]);
        };
        let number = self.integer_list(file, &table, SOUND)?;
        self.one_for_each(SOUND, table.shape[0], samples)?;
        let sounds = number.long_integers(&self.read(&table, SOUND)?);
        let known = |sound| (sound != 0).then_some(SoundPrint(sound));
        Ok(sounds.into_iter().map(known).collect())
    }

    pub fn check_list(self, table: &Table, name: &'static str) -> Result<(), DatasetError> {
        match table.shape.len() {
            1 => Ok(()),
            _ => Err(self.wrong(name, dimensions(table), "a list")),
        }
    }

    pub fn one_for_each(
        self,
        name: &'static str,
        found: usize,
        expected: usize,
    ) -> Result<(), DatasetError> {
        match found == expected {
            true => Ok(()),
            false => Err(DatasetError::UnequalSamples {
                path: self.path.to_path_buf(),
                name,
                found,
                expected,
            }),
        }
    }

    /// The numbers as 16 bits, each below `end`.
    pub fn in_range(
        self,
        what: &'static str,
        numbers: &[i64],
        end: usize,
        expected: &str,
    ) -> Result<Vec<u16>, DatasetError> {
        let narrow = numbers.iter().enumerate().map(|(sample, &value)| {
            let fits = u16::try_from(value).ok().filter(|&v| usize::from(v) < end);
            fits.ok_or_else(|| DatasetError::BadNumber {
                path: self.path.to_path_buf(),
                what,
                sample,
                value,
                expected: expected.to_string(),
            })
        });
        narrow.collect()
    }

    pub fn wrong(self, name: &'static str, found: String, expected: &'static str) -> DatasetError {
        DatasetError::WrongType {
            path: self.path.to_path_buf(),
            name,
            found,
            expected,
        }
    }

    pub fn missing(self, kind: &'static str, name: &'static str) -> DatasetError {
        DatasetError::Missing {
            path: self.path.to_path_buf(),
            kind,
            name,
        }
    }

    pub fn problem(self, name: &'static str, problem: Problem) -> DatasetError {
        let path = self.path.to_path_buf();
        match problem {
            Problem::NotHdf5(reason) => DatasetError::NotHdf5 { path, reason },
            Problem::Missing => self.missing("dataset", name),
            Problem::Unsupported(reason) => DatasetError::Unsupported { path, name, reason },
            Problem::Damaged(reason) => DatasetError::Hdf5 {
                path,
                action: "read",
                reason: format!("`{name}`: {reason}"),
            },
        }
    }
}

fn dimensions(table: &Table) -> String {
    match table.shape.len() {
        0 => "a single element".to_string(),
        count => format!("an array of {count} dimensions"),
    }
}

//! Reading HDF5 files that strangers wrote.
//!
//! In: the bytes of a file, in memory. Out: whole datasets as bytes with the type of their elements, and
//! variable-length lists as ranges of the file. Nothing outside the file is ever opened, and no size that
//! the file states is believed beyond what the file can hold.
//!
//! The container is walked by the crate `hdf5-reader`; its parts that share memory between threads and
//! that map files are not used. Types of elements ([`element`]) and the heap of variable-length lists
//! ([`heap`]) are read here: that crate takes every float of two bytes for a float16, and copies each list.

mod element;
mod heap;

use std::ops::Range;
use std::sync::Arc;

use hdf5_reader::error::Error;
use hdf5_reader::storage::{DynStorage, StorageBuffer};
use hdf5_reader::{ExternalFileResolver, ExternalLinkResolver, FilterRegistry, OpenOptions};

pub(super) use element::{Element, Number};
use heap::Heap;

use crate::ceiling::allowed_bytes;

/// Rows of events may be so many times as large as the whole file: with gzip, the zeros after the last
/// event shrink to a thousandth, but events do not.
const LARGEST_EXPANSION: u64 = 64;
/// A list of numbers, names or references may be so many times as large as the whole file.
const LARGEST_LIST_EXPANSION: u64 = 16;
/// Any dataset may have so many bytes, however small the file is.
const ALWAYS_ALLOWED_BYTES: u64 = 16 << 20;

/// Filters that the reader lacks, by their registered numbers.
const MISSING_FILTERS: [(u16, &str); 12] = [
    (4, "szip"),
    (32000, "lzf"),
    (32001, "blosc"),
    (32004, "lz4"),
    (305, "lzo"),
    (307, "bzip2"),
    (32008, "bitshuffle"),
    (32013, "zfp"),
    (32015, "zstd"),
    (32017, "sz"),
    (32024, "sz3"),
    (32026, "blosc2"),
];

/// Why something of a file could not be read.
#[derive(Debug)]
pub(super) enum Problem {
    /// The file is of another kind.
    NotHdf5(String),
    /// There is nothing of that name.
    Missing,
    /// It is whole, but this reader cannot or will not read it.
    Unsupported(String),
    /// It is not whole.
    Damaged(String),
}

/// An HDF5 file in memory.
pub(super) struct Hdf5File {
    file: hdf5_reader::Hdf5File,
    /// All of it, from its first byte that addresses count from.
    bytes: StorageBuffer,
}

/// A dataset, of which nothing but its type and shape is read yet.
pub(super) struct Table {
    dataset: hdf5_reader::Dataset,
    /// Rows, columns and so on.
    pub shape: Vec<usize>,
    /// What its elements are.
    pub element: Element,
    /// Bytes of an element.
    pub element_bytes: usize,
    file_bytes: u64,
}

impl Table {
    /// Bytes of all elements; `None` if they are more than can be counted.
    pub(super) fn size_bytes(&self) -> Option<u64> {
        let extents = self.shape.iter().map(|&extent| Some(extent as u64));
        let each = Some(self.element_bytes as u64);
        extents.fold(each, |bytes, extent| bytes?.checked_mul(extent?))
    }

    /// Reads element after element; variable-length lists as references.
    pub(super) fn read(&self) -> Result<Vec<u8>, Problem> {
        let expansion = match self.shape.len() {
            0 | 1 => LARGEST_LIST_EXPANSION,
            _ => LARGEST_EXPANSION,
        };
        let limit = limit(self.file_bytes, expansion);
        match self.size_bytes().filter(|&bytes| bytes <= limit) {
            Some(_) => self.dataset.read_raw_bytes().map_err(problem),
            None => Err(Problem::Damaged(format!(
                "it claims to be far larger than the file: a file of {} bytes may hold at most {limit} bytes \
                 in one dataset of this kind",
                self.file_bytes
            ))),
        }
    }
}

/// Bytes that a dataset of a file may have.
fn limit(file_bytes: u64, expansion: u64) -> u64 {
    let expanded = file_bytes.saturating_mul(expansion);
    let limit = expanded.saturating_add(ALWAYS_ALLOWED_BYTES);
    limit.min(allowed_bytes())
}

impl Hdf5File {
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Result<Self, Problem> {
        let limit = limit(bytes.len() as u64, LARGEST_EXPANSION);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let options = OpenOptions {
            // What is read once need not be kept.
            chunk_cache_bytes: 0,
            filter_registry: Some(filters()),
            external_file_resolver: Some(Arc::new(NothingOutside)),
            external_link_resolver: Some(Arc::new(NothingOutside)),
            max_chunk_bytes: limit,
            max_read_bytes: limit,
            max_object_header_bytes: limit.min(bytes.len()),
            ..OpenOptions::default()
        };
        let file = hdf5_reader::Hdf5File::from_vec_with_options(bytes, options);
        let file = file.map_err(|error| match error {
            Error::InvalidMagic => Problem::NotHdf5("its signature is missing".to_string()),
            Error::UnexpectedEof { .. } => Problem::NotHdf5("it is too short".to_string()),
            other => problem(other),
        })?;
        let storage = file.storage();
        // It is in memory, so its length fits.
        let bytes = storage
            .read_range(0, storage.len() as usize)
            .map_err(problem)?;
        Ok(Hdf5File { file, bytes })
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn has_group(&self, name: &str) -> Result<bool, Problem> {
        match self.file.group(name).map_err(problem) {
            Ok(_) => Ok(true),
            Err(Problem::Missing) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Finds a dataset, and what its elements are.
    pub(super) fn table(&self, name: &str) -> Result<Table, Problem> {
        let dataset = self.file.dataset(name).map_err(problem)?;
        let element = Element::parse(&dataset.raw_datatype().map_err(problem)?);
        let element = element.map_err(Problem::Damaged)?;
        let shape = dataset
            .shape()
            .iter()
            .map(|&extent| usize::try_from(extent).ok());
        let shape = shape.collect::<Option<Vec<usize>>>();
        let shape =
            shape.ok_or_else(|| Problem::Damaged("it is larger than memory".to_string()))?;
        Ok(Table {
            shape,
            element,
            element_bytes: dataset.raw_element_size().map_err(problem)?,
            file_bytes: self.bytes.len() as u64,
            dataset,
        })
    }

    /// Where in [`bytes`](Hdf5File::bytes) the variable-length lists of a table lie, for items of
    /// `item_bytes`.
    pub(super) fn lists(
        &self,
        table: &Table,
        item_bytes: usize,
    ) -> Result<Vec<Range<usize>>, Problem> {
        let superblock = self.file.superblock();
        let mut heap = Heap::new(&self.bytes, superblock.offset_size, superblock.length_size);
        let references = table.read()?;
        let references = references.chunks_exact(table.element_bytes.max(1));
        let lists = references.map(|reference| heap.find(reference, item_bytes));
        let lists: Vec<Range<usize>> = lists.collect::<Result<_, _>>().map_err(Problem::Damaged)?;
        let held: u128 = lists.iter().map(|list| list.len() as u128).sum();
        match held <= self.bytes.len() as u128 {
            true => Ok(lists),
            false => Err(Problem::Damaged("many samples share one list".to_string())),
        }
    }
}

/// What gzip and its company need, and names for the filters that are not there.
fn filters() -> FilterRegistry {
    let mut filters = FilterRegistry::new();
    for (number, name) in MISSING_FILTERS {
        let refuse = move |_: &_, _: &[u8], _| Err(Error::UnsupportedFilter(name.to_string()));
        filters.register(number, Box::new(refuse));
    }
    filters
}

/// Refuses whatever lies in other files.
struct NothingOutside;

impl ExternalFileResolver for NothingOutside {
    fn resolve_external_file(&self, name: &str) -> Result<Option<DynStorage>, Error> {
        Err(outside(name))
    }
}

impl ExternalLinkResolver for NothingOutside {
    fn resolve_external_link(&self, name: &str) -> Result<Option<hdf5_reader::Hdf5File>, Error> {
        Err(outside(name))
    }
}

/// The one error of ours among the reader's.
fn outside(name: &str) -> Error {
    Error::UnsupportedEncoding(format!(
        "it lies in another file, {name:?}, and other files are never opened"
    ))
}

fn problem(error: Error) -> Problem {
    match error {
        Error::Context { source, .. } => problem(*source),
        Error::GroupNotFound(_) | Error::DatasetNotFound(_) => Problem::Missing,
        Error::InvalidMagic => Problem::NotHdf5("its signature is missing".to_string()),
        Error::UnsupportedFilter(filter) => Problem::Unsupported(format!(
            "it is compressed with {filter}, and no such filter is built in; write it again with gzip \
             or without compression"
        )),
        Error::UnsupportedLayoutClass(3) => Problem::Unsupported(
            "it is a virtual dataset, put together from others; write it again as a plain one"
                .to_string(),
        ),
        Error::UnsupportedEncoding(what) => Problem::Unsupported(what),
        Error::ResourceLimit(what) => {
            Problem::Damaged(format!("it claims to be far larger than the file: {what}"))
        }
        other => Problem::Damaged(other.to_string()),
    }
}

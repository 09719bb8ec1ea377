//! What there is to fetch: names, addresses and sums.

use super::Md5Sum;

/// A public dataset: where it is published, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What the dataset is called on the command line.
    pub name: String,
    /// The address below which its files are published.
    pub home: String,
    /// What is published there.
    pub contents: Contents,
}

/// What a [`Source`] publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    /// Single files, each compressed with gzip.
    Files(Vec<PackedFile>),
    /// Many recordings in an archive.
    Recordings(RecordingsArchive),
}

/// A file that is published compressed with gzip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedFile {
    /// Its name once it is unpacked.
    pub name: String,
    /// Its name where it is published.
    pub packed_name: String,
    /// Sum of the published file.
    pub packed_sum: Md5Sum,
    /// Sum of the unpacked file.
    pub sum: Md5Sum,
}

/// An archive with a folder `recordings` of WAV files.
///
/// Services that pack an archive when it is asked for do not promise its bytes. So what has a sum
/// is the listing of the recordings, which `cd recordings && md5sum *.wav | LC_ALL=C sort -k2` prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingsArchive {
    /// The archive's name where it is published.
    pub packed_name: String,
    /// The folder that is to hold the folder `recordings`.
    pub folder: String,
    /// Sum of the listing.
    pub listing_sum: Md5Sum,
}

impl Source {
    /// The Spiking Heidelberg Digits: 8156 training and 2264 test samples, 700 channels, 20 classes.
    pub fn shd() -> Self {
        let file = |name: &str, packed_sum, sum| PackedFile {
            name: name.to_string(),
            packed_name: format!("{name}.gz"),
            packed_sum: Md5Sum(packed_sum),
            sum: Md5Sum(sum),
        };
        Source {
            name: "shd".to_string(),
            home: "https://zenkelab.org/datasets".to_string(),
            contents: Contents::Files(vec![
                file(
                    "shd_train.h5",
                    0xd47c_9825_dee3_3347_913e_8ce0_f2be_08b0,
                    0x8e98_77c8_5f29_a28d_d353_ea6a_5440_2667,
                ),
                file(
                    "shd_test.h5",
                    0x3062_a80e_c0c5_7194_04d5_b02e_1665_43b1,
                    0x207a_d129_5a0a_b611_e22d_1734_989c_254e,
                ),
            ]),
        }
    }

    /// The Free Spoken Digit Dataset: 3000 recordings of ten digits by six speakers, CC BY-SA 4.0.
    pub fn fsdd() -> Self {
        Source {
            name: "fsdd".to_string(),
            home: "https://github.com/Jakobovski/free-spoken-digit-dataset/archive".to_string(),
            contents: Contents::Recordings(RecordingsArchive {
                packed_name: "26eb9aa.tar.gz".to_string(),
                folder: "fsdd".to_string(),
                listing_sum: Md5Sum(0xbdba_be32_fa65_7162_edfd_cdbd_292a_ecd5),
            }),
        }
    }

    /// Names of the published files.
    pub fn packed_names(&self) -> Vec<&str> {
        match &self.contents {
            Contents::Files(files) => files.iter().map(|file| &*file.packed_name).collect(),
            Contents::Recordings(archive) => vec![&archive.packed_name],
        }
    }

    /// Addresses of the published files.
    pub fn addresses(&self) -> Vec<String> {
        let names = self.packed_names();
        names.iter().map(|name| below(&self.home, name)).collect()
    }
}

/// The address of a file below another.
pub(super) fn below(base: &str, name: &str) -> String {
    format!("{}/{name}", base.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_publishers() {
        assert_eq!(
            Source::shd().addresses()[1],
            "https://zenkelab.org/datasets/shd_test.h5.gz"
        );
        assert_eq!(below("http://a/b//", "c"), "http://a/b/c");
        assert_eq!(Source::fsdd().packed_names(), ["26eb9aa.tar.gz"]);
    }
}

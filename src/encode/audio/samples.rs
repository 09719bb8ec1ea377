//! How one sample is stored in a WAV file.
//!
//! In: its bytes. Out: its value, full scale being ±1, as libsndfile gives it.

/// Which byte of a number comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The least significant, as in RIFF.
    Little,
    /// The most significant, as in RIFX.
    Big,
}

/// How samples are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Whole numbers in so many bytes: one is unsigned, more are signed. What has fewer bits than its
    /// container has them at the top.
    Integer { bytes: usize },
    /// 32 bits.
    Float,
    /// 64 bits.
    Double,
    /// 8 bits, logarithmic, as in European telephones (ITU-T G.711).
    ALaw,
    /// 8 bits, logarithmic, as in American and Japanese telephones (ITU-T G.711).
    MuLaw,
}

impl Order {
    /// The number in up to 8 bytes.
    fn number(self, bytes: &[u8]) -> u64 {
        let add = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
        match self {
            Order::Little => bytes.iter().rev().fold(0, add),
            Order::Big => bytes.iter().fold(0, add),
        }
    }

    /// The number in 2 bytes.
    pub(super) fn u16(self, bytes: &[u8]) -> u16 {
        self.number(bytes) as u16
    }

    /// The number in 4 bytes.
    pub(super) fn u32(self, bytes: &[u8]) -> u32 {
        self.number(bytes) as u32
    }

    /// The number in 8 bytes.
    pub(super) fn u64(self, bytes: &[u8]) -> u64 {
        self.number(bytes)
    }
}

impl Coding {
    /// The coding of a format's number with so many bits a sample; the reason where there is none.
    pub(super) fn new(tag: u16, bits: u16) -> Result<Self, String> {
        match (tag, bits) {
            (1, 1..=32) => Ok(Coding::Integer {
                bytes: usize::from(bits.div_ceil(8)),
            }),
            (1, _) => Err(format!(
                "its samples are whole numbers of {bits} bits, but 1 to 32 can be read"
            )),
            (3, 32) => Ok(Coding::Float),
            (3, 64) => Ok(Coding::Double),
            (3, _) => Err(format!(
                "its samples are floats of {bits} bits, but 32 and 64 can be read"
            )),
            (6, _) => Ok(Coding::ALaw),
            (7, _) => Ok(Coding::MuLaw),
            _ => Err(format!(
                "its sound is packed as {}; convert it to plain samples (PCM) first",
                packing(tag)
            )),
        }
    }

    /// Bytes of a sample.
    pub(super) fn bytes(self) -> usize {
        match self {
            Coding::Integer { bytes } => bytes,
            Coding::Float => 4,
            Coding::Double => 8,
            Coding::ALaw | Coding::MuLaw => 1,
        }
    }

    /// The value of a sample of [`bytes`](Self::bytes) bytes.
    pub(super) fn value(self, sample: &[u8], order: Order) -> f64 {
        let number = order.number(sample);
        match self {
            Coding::Integer { bytes: 1 } => (number as f64 - 128.0) / 128.0,
            Coding::Integer { bytes } => {
                // Moved to the top, its sign is that of 64 bits.
                let top = (number << (64 - 8 * bytes)) as i64;
                top as f64 / 2f64.powi(63)
            }
            Coding::Float => f64::from(f32::from_bits(number as u32)),
            Coding::Double => f64::from_bits(number),
            Coding::ALaw => f64::from(a_law(number as u8)) / 32_768.0,
            Coding::MuLaw => f64::from(mu_law(number as u8)) / 32_768.0,
        }
    }
}

fn a_law(byte: u8) -> i32 {
    let byte = byte ^ 0x55;
    let (segment, step) = (byte >> 4 & 7, i32::from(byte & 15));
    let size = match segment {
        0 => step << 4 | 8,
        _ => (step << 4 | 0x108) << (segment - 1),
    };
    if byte & 0x80 == 0 { -size } else { size }
}

fn mu_law(byte: u8) -> i32 {
    let byte = !byte;
    let (segment, step) = (byte >> 4 & 7, i32::from(byte & 15));
    let size = ((step << 3 | 0x84) << segment) - 0x84;
    if byte & 0x80 == 0 { size } else { -size }
}

/// What a format's number stands for.
fn packing(tag: u16) -> String {
    let name = match tag {
        0x0002 => "Microsoft ADPCM",
        0x0011 => "IMA ADPCM",
        0x0031 => "GSM 6.10",
        0x0014 | 0x0040 | 0x0064 => "ADPCM of the ITU (G.721, G.723, G.726)",
        0x0038 => "NMS ADPCM",
        0x0050 => "MPEG audio",
        0x0055 => "MP3",
        0x0092 | 0x2000 => "AC-3",
        0x00ff | 0x1600..=0x1602 => "AAC",
        0x0160..=0x0163 => "Windows Media Audio",
        0x2001 => "DTS",
        0x566f..=0x6771 => "Vorbis",
        0xf1ac => "FLAC in a WAV file",
        _ => return format!("format {tag:#06x}"),
    };
    format!("{name} (format {tag:#06x})")
}

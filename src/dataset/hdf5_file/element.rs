//! What the elements of a dataset are: numbers, texts, or variable-length lists of numbers.
//!
//! In: the datatype message of a dataset, as the file has it. Out: an [`Element`], and the numbers and
//! texts that bytes of it stand for.

use std::fmt;

use half::f16;
use half::slice::HalfFloatSliceExt;

/// An element of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dataset) enum Element {
    Number(Number),
    Text(Text),
    /// A variable-length list.
    List(Box<Element>),
    /// Something that no file of this layout holds.
    Other(&'static str),
}

/// A number of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) struct Number {
    kind: Kind,
    bytes: usize,
    big_endian: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
}

/// A text of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) enum Text {
    /// Of so many bytes, filled up.
    Fixed { padding: Padding },
    /// As long as it is.
    Variable,
}

/// What stands behind a text that is shorter than its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) enum Padding {
    /// A zero ends it, and anything may follow.
    EndedByZero,
    Zeros,
    Spaces,
}

impl Element {
    /// Reads a datatype message.
    pub(super) fn parse(message: &[u8]) -> Result<Self, String> {
        let (head, properties) = message
            .split_first_chunk::<8>()
            .ok_or("its type is cut off")?;
        let [class, flags, more_flags, ..] = *head;
        let [.., a, b, c, d] = *head;
        let size = u32::from_le_bytes([a, b, c, d]) as usize;
        Ok(match class & 0xf {
            0 => integer(flags, size, properties)?,
            1 => float(flags, more_flags, size, properties)?,
            3 => Element::Text(Text::Fixed {
                padding: match flags & 0xf {
                    0 => Padding::EndedByZero,
                    1 => Padding::Zeros,
                    _ => Padding::Spaces,
                },
            }),
            9 if flags & 0xf == 1 => Element::Text(Text::Variable),
            9 => match Element::parse_item(properties)? {
                Element::List(_) => Element::Other("variable-length lists"),
                item => Element::List(Box::new(item)),
            },
            4 => Element::Other("bits"),
            5 => Element::Other("bytes"),
            6 => Element::Other("compounds"),
            7 => Element::Other("references"),
            8 => Element::Other("enumerations"),
            10 => Element::Other("arrays"),
            _ => Element::Other("elements of an unknown type"),
        })
    }

    /// The type of a list's items, which are no lists.
    fn parse_item(message: &[u8]) -> Result<Self, String> {
        match message.first().map(|class| class & 0xf) {
            Some(9) => Ok(Element::List(Box::new(Element::Other("items")))),
            _ => Element::parse(message),
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Element::Number(number) => number.fmt(f),
            Element::Text(_) => f.write_str("strings"),
            Element::List(item) => write!(f, "variable-length {item} arrays"),
            Element::Other(name) => f.write_str(name),
        }
    }
}

fn integer(flags: u8, size: usize, properties: &[u8]) -> Result<Element, String> {
    let &[o, p, q, r, ..] = properties else {
        return Err("its type is cut off".to_string());
    };
    let (offset, precision) = (u16::from_le_bytes([o, p]), u16::from_le_bytes([q, r]));
    if !matches!(size, 1 | 2 | 4 | 8) || offset != 0 || usize::from(precision) != size * 8 {
        return Ok(Element::Other("integers of an odd number of bits"));
    }
    Ok(Element::Number(Number {
        kind: match flags & 8 {
            0 => Kind::Unsigned,
            _ => Kind::Signed,
        },
        bytes: size,
        big_endian: flags & 1 != 0,
    }))
}

/// Floats of IEEE 754 are numbers; bfloat16 and others of the same sizes are something else.
fn float(flags: u8, sign: u8, size: usize, properties: &[u8]) -> Result<Element, String> {
    const CUT_OFF: &str = "its type is cut off";
    let (fields, rest) = properties.split_first_chunk::<8>().ok_or(CUT_OFF)?;
    let bias = rest.first_chunk::<4>().ok_or(CUT_OFF)?;
    let [
        o,
        p,
        q,
        r,
        exponent_at,
        exponent_bits,
        fraction_at,
        fraction_bits,
    ] = *fields;
    let found = (
        u16::from_le_bytes([o, p]),
        u16::from_le_bytes([q, r]),
        [exponent_at, exponent_bits, fraction_at, fraction_bits, sign],
        u32::from_le_bytes(*bias),
    );
    let expected = match size {
        2 => (0, 16, [10, 5, 0, 10, 15], 15),
        4 => (0, 32, [23, 8, 0, 23, 31], 127),
        8 => (0, 64, [52, 11, 0, 52, 63], 1023),
        _ => return Ok(Element::Other("floats that are not those of IEEE 754")),
    };
    let (implied_one, vax_order) = (flags & 0x30 == 0x20, flags & 0x40 != 0);
    if found != expected || !implied_one || vax_order {
        return Ok(Element::Other("floats that are not those of IEEE 754"));
    }
    Ok(Element::Number(Number {
        kind: Kind::Float,
        bytes: size,
        big_endian: flags & 1 != 0,
    }))
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Float => "float",
            Kind::Signed => "int",
            Kind::Unsigned => "uint",
        };
        write!(f, "{kind}{}", self.bytes * 8)
    }
}

impl Number {
    pub(in crate::dataset) fn is_float(self) -> bool {
        self.kind == Kind::Float
    }

    pub(in crate::dataset) fn is_integer(self) -> bool {
        !self.is_float()
    }

    /// Bytes of a number.
    pub(in crate::dataset) fn bytes(self) -> usize {
        self.bytes
    }

    /// Bytes as floats.
    pub(in crate::dataset) fn floats(self, bytes: &[u8]) -> Vec<f64> {
        match self.bytes {
            2 => {
                let halves: Vec<f16> = self.words(bytes, f16::from_le_bytes).collect();
                let mut floats = vec![0.0; halves.len()];
                halves.convert_to_f64_slice(&mut floats);
                floats
            }
            4 => {
                let singles = self.words(bytes, f32::from_le_bytes);
                singles.map(f64::from).collect()
            }
            _ => self.words(bytes, f64::from_le_bytes).collect(),
        }
    }

    /// Bytes as integers; what is too large for 63 bits is the largest of those.
    pub(in crate::dataset) fn integers(self, bytes: &[u8]) -> Vec<i64> {
        let clipped = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        match (self.bytes, self.kind) {
            (1, Kind::Signed) => self.words(bytes, |b| i8::from_le_bytes(b).into()).collect(),
            (1, _) => self.words(bytes, |b| u8::from_le_bytes(b).into()).collect(),
            (2, Kind::Signed) => self
                .words(bytes, |b| i16::from_le_bytes(b).into())
                .collect(),
            (2, _) => self
                .words(bytes, |b| u16::from_le_bytes(b).into())
                .collect(),
            (4, Kind::Signed) => self
                .words(bytes, |b| i32::from_le_bytes(b).into())
                .collect(),
            (4, _) => self
                .words(bytes, |b| u32::from_le_bytes(b).into())
                .collect(),
            (_, Kind::Signed) => self.words(bytes, i64::from_le_bytes).collect(),
            (..) => self
                .words(bytes, |b| clipped(u64::from_le_bytes(b)))
                .collect(),
        }
    }

    /// Bytes as integers of 16 bits, or the first that is none.
    pub(in crate::dataset) fn short_integers(self, bytes: &[u8]) -> Result<Vec<u16>, i64> {
        if self.bytes == 2 && self.kind == Kind::Unsigned {
            return Ok(self.words(bytes, u16::from_le_bytes).collect());
        }
        let all = self.integers(bytes).into_iter();
        all.map(|value| u16::try_from(value).map_err(|_| value))
            .collect()
    }

    /// Bytes as integers of 64 bits without a sign.
    pub(in crate::dataset) fn long_integers(self, bytes: &[u8]) -> Vec<u64> {
        match self.bytes {
            8 => self.words(bytes, u64::from_le_bytes).collect(),
            _ => self
                .integers(bytes)
                .into_iter()
                .map(|value| value as u64)
                .collect(),
        }
    }

    /// Words of `N` bytes, the least significant first.
    fn words<const N: usize, T>(
        self,
        bytes: &[u8],
        convert: impl Fn([u8; N]) -> T,
    ) -> impl Iterator<Item = T> {
        let (words, _) = bytes.as_chunks::<N>();
        words.iter().map(move |&word| {
            let mut word = word;
            if self.big_endian {
                word.reverse();
            }
            convert(word)
        })
    }
}

impl Text {
    /// Whether it lies in the heap.
    pub(in crate::dataset) fn is_variable(self) -> bool {
        self == Text::Variable
    }

    /// A text without what fills it up: UTF-8, or Latin-1 where it is none.
    pub(in crate::dataset) fn decode(self, bytes: &[u8]) -> String {
        let zero = bytes.iter().position(|&byte| byte == 0);
        let without = |filler: u8| {
            let last = bytes.iter().rposition(|&byte| byte != filler);
            &bytes[..last.map_or(0, |last| last + 1)]
        };
        let bytes = match self {
            Text::Fixed {
                padding: Padding::EndedByZero,
            } => &bytes[..zero.unwrap_or(bytes.len())],
            Text::Fixed {
                padding: Padding::Spaces,
            } => without(b' '),
            Text::Fixed {
                padding: Padding::Zeros,
            }
            | Text::Variable => without(0),
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => text.to_string(),
            Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An integer's message as libhdf5 writes it.
    fn integer_message(size: u8, signed: bool, big_endian: bool) -> Vec<u8> {
        let flags = u8::from(signed) << 3 | u8::from(big_endian);
        vec![0x10, flags, 0, 0, size, 0, 0, 0, 0, 0, size * 8, 0]
    }

    #[test]
    fn integers_of_any_width_and_order_are_read() {
        for (size, signed, big_endian, bytes, expected) in [
            (1, true, false, &[0xff][..], -1),
            (1, false, true, &[0xff], 255),
            (2, true, true, &[0x12, 0x34], 0x1234),
            (4, true, false, &[0xfe, 0xff, 0xff, 0xff], -2),
            (8, false, false, &[0xff; 8], i64::MAX),
        ] {
            let parsed = Element::parse(&integer_message(size, signed, big_endian));
            let Ok(Element::Number(number)) = parsed else {
                panic!("{parsed:?}");
            };
            assert_eq!(number.integers(bytes), [expected]);
        }
    }

    #[test]
    fn only_floats_of_ieee_754_are_numbers() {
        let half = [
            0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0,
        ];
        let Ok(Element::Number(number)) = Element::parse(&half) else {
            panic!("float16 is a number");
        };
        assert_eq!(number.to_string(), "float16");
        assert_eq!(number.floats(&[0, 0x3c, 1, 0]), [1.0, 2f64.powi(-24)]);
        // A bfloat16 has 8 bits of exponent.
        let brain = [
            0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, 7, 8, 0, 7, 127, 0, 0, 0,
        ];
        assert!(matches!(Element::parse(&brain), Ok(Element::Other(_))));
    }

    #[test]
    fn texts_lose_what_fills_them_up_and_are_utf_8_or_latin_1() {
        let fixed = |padding| Text::Fixed { padding };
        assert_eq!(fixed(Padding::Zeros).decode(b"ab\0\0"), "ab");
        assert_eq!(fixed(Padding::EndedByZero).decode(b"ab\0x"), "ab");
        assert_eq!(fixed(Padding::Spaces).decode(b"a b  "), "a b");
        assert_eq!(Text::Variable.decode("zéro".as_bytes()), "zéro");
        assert_eq!(Text::Variable.decode(b"z\xe9ro"), "zéro");
    }

    #[test]
    fn a_type_that_is_cut_off_is_an_error() {
        let whole = integer_message(2, false, false);
        for length in 0..whole.len() {
            assert!(Element::parse(&whole[..length]).is_err(), "{length} bytes");
        }
    }
}

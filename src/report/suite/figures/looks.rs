//! Colours, lines and marks that mean the same in every figure of a suite.

use super::super::collected::{Collected, MethodRole, codec_order};
use crate::replay::CodecSettings;
use crate::report::plot::{LineStyle, Mark};

/// The colours of LR indices, one after the other.
const LR_COLOURS: [usize; 7] = [4, 5, 0, 2, 8, 9, 10];
/// What all strategies together have, such as a Pareto front.
pub(super) const FRONT: usize = 7;
/// The pre-trained network.
pub(super) const PRETRAINED: usize = 7;

/// The colours of codecs where LR indices have none, one after the other.
const CODEC_COLOURS: [usize; 10] = [2, 5, 0, 11, 4, 9, 8, 10, 3, 7];

/// Marks of codecs of one bit a window, and of others.
const FILLED: [Mark; 5] = [
    Mark::Circle,
    Mark::Square,
    Mark::Diamond,
    Mark::Up,
    Mark::Down,
];
const OPEN: [Mark; 5] = [
    Mark::OpenSquare,
    Mark::OpenDiamond,
    Mark::OpenUp,
    Mark::OpenDown,
    Mark::Ring,
];

/// The colour of an LR index; they begin anew after seven.
pub(super) fn lr_colour(lr_index: usize) -> usize {
    LR_COLOURS[lr_index % LR_COLOURS.len()]
}

/// The colour and the line of a strategy that has no LR index.
pub(super) fn strategy_look(role: MethodRole) -> (usize, LineStyle) {
    match role {
        MethodRole::Naive => (1, LineStyle::Dotted),
        MethodRole::Joint => (6, LineStyle::LongDashed),
        MethodRole::Native => (3, LineStyle::Dashed),
        MethodRole::Latent | MethodRole::Alone => (2, LineStyle::Solid),
    }
}

/// The mark and the colour of each codec of a suite.
pub(super) struct CodecMarks {
    marks: Vec<(CodecSettings, Mark)>,
}

impl CodecMarks {
    /// Gives each codec of the suite a mark of its own, as long as there are marks.
    pub fn of(collected: &Collected) -> Self {
        let mut codecs: Vec<CodecSettings> = Vec::new();
        for row in collected.rows() {
            let latent = row.key.role == MethodRole::Latent && !row.cells.is_empty();
            let codec = row.key.codec.clone();
            codecs.extend(codec.filter(|codec| latent && !codecs.contains(codec)));
        }
        codecs.sort_by_key(codec_order);
        let (mut filled, mut open) = (FILLED.into_iter(), OPEN.into_iter());
        let mut marks = Vec::new();
        for codec in codecs {
            let next = match codec.place().0 {
                0 => filled.next().or_else(|| open.next()),
                _ => open.next().or_else(|| filled.next()),
            };
            marks.extend(next.map(|mark| (codec, mark)));
        }
        CodecMarks { marks }
    }

    /// The place of a codec in legends.
    pub fn place(&self, codec: &CodecSettings) -> usize {
        let place = self.marks.iter().position(|(known, _)| known == codec);
        place.unwrap_or(self.marks.len())
    }

    /// The colour of a codec.
    pub fn colour(&self, codec: &CodecSettings) -> usize {
        CODEC_COLOURS[self.place(codec) % CODEC_COLOURS.len()]
    }

    /// The mark of a codec; `None` for one that there was no mark left for.
    pub fn get(&self, codec: &CodecSettings) -> Option<Mark> {
        let found = self.marks.iter().find(|(known, _)| known == codec);
        found.map(|(_, mark)| *mark)
    }
}

//! The recordings of `data encode`: which can be encoded, and what is to be said of them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::encode::{BadFiles, EncodeArguments};
use super::failure::Failure;
use super::out_files::place;
use super::output::note;
use respike::encode::{
    AudioFile, Checked, EncodeError, InnerEar, LabelRule, LabelledFiles, Labels, check_files,
    find_audio, label_files,
};
use respike::ids::SoundPrint;
use respike::storage::Shown;

// What brings recordings to the level that is not what is to be heard.
pub(super) const BY_OFFSET: &str = "brought to the level by an offset, so that the sound itself is softer; \
                                    take the offset out first, with a high-pass filter";
pub(super) const BY_CLICK: &str = "brought to the level by a click, so that the sound itself is softer; cut \
                                   the click out first";
pub(super) const BY_REST: &str = "brought to the level by what little their channels leave of one another \
                                  in their mean; encode one channel, or turn the sign of the other";

/// A recording with a larger share of its samples at full scale is said to be clipped.
const CLIPPED: f64 = 0.001;

/// Recordings that can be encoded.
#[derive(Default)]
pub(super) struct Good {
    pub files: Vec<AudioFile>,
    pub labels: Vec<Labels>,
    pub sounds: Vec<SoundPrint>,
    pub counts: Counts,
}

/// How many recordings there are, and of how many something is to be said.
#[derive(Default, Clone, Serialize)]
pub(super) struct Counts {
    /// Those that can be encoded.
    pub recordings: usize,
    pub left_out: usize,
    pub idle_rows: usize,
    pub several_channels: usize,
    pub clipped: usize,
    pub mostly_offset: usize,
    pub mostly_click: usize,
    pub rest_of_channels: usize,
    pub same_sound: usize,
}

/// Recordings that can be encoded, with their labels; the others are named, and refused or left out.
pub(super) fn good_files(
    arguments: &EncodeArguments,
    rule: &LabelRule,
    ear: &InnerEar,
) -> Result<Good, Failure> {
    let found = find_audio(&arguments.inputs)?;
    for output in arguments.outputs() {
        let output_place = place(output);
        if output.exists() && found.iter().any(|file| place(&file.path) == output_place) {
            let output = output.display();
            return Err(Failure::bad(format!(
                "{output} is one of the recordings; choose another name"
            )));
        }
    }
    let all = found.len();
    let LabelledFiles {
        labelled,
        refused: mut bad,
        idle_rows,
    } = label_files(rule, found)?;
    if let Some(first) = idle_rows.first() {
        let (rows, first) = (idle_rows.len(), Shown(first));
        note(&format!(
            "{rows} {} for none of the recordings, such as that of {first}",
            match rows {
                1 => "row of the table of labels is",
                _ => "rows of the table of labels are",
            }
        ));
    }
    let (files, labels): (Vec<AudioFile>, Vec<Labels>) = labelled.into_iter().unzip();
    let checked = check_files(ear, &files);
    let mut good = Good::default();
    let mut looks = Vec::new();
    for ((file, labels), checked) in files.into_iter().zip(labels).zip(checked) {
        match checked {
            Ok(checked) => {
                good.sounds.push(checked.sound);
                good.files.push(file);
                good.labels.push(labels);
                looks.push(checked);
            }
            Err(error) if error.is_machine_trouble() => {
                return Err(Failure::Fault(error.into()));
            }
            Err(error) => bad.push(error),
        }
    }
    refuse_or_skip(arguments.bad_files, &bad, all)?;
    if good.files.is_empty() {
        let first = bad.first().map(ToString::to_string).unwrap_or_default();
        return Err(Failure::bad(format!(
            "no recording can be encoded: {first}"
        )));
    }
    good.counts.recordings = good.files.len();
    good.counts.left_out = bad.len();
    good.counts.idle_rows = idle_rows.len();
    good.note_looks(&looks);
    Ok(good)
}

impl Good {
    /// Says what of the recordings should be known before they are encoded.
    fn note_looks(&mut self, looks: &[Checked]) {
        let all = looks.len();
        let say = |is: &dyn Fn(&Checked) -> bool, what: &str| {
            let mut such = looks.iter().zip(&self.files).filter(|(look, _)| is(look));
            let Some((_, first)) = such.next() else {
                return 0;
            };
            let count = 1 + such.count();
            let (are, first) = (if count == 1 { "is" } else { "are" }, first.path.display());
            note(&format!(
                "{count} of {all} recordings {are} {what} (such as {first})"
            ));
            count
        };
        let counts = &mut self.counts;
        counts.several_channels = say(
            &|look| look.channels > 1,
            "of several channels, the mean of which is encoded",
        );
        counts.clipped = say(
            &|look| look.clipped > CLIPPED,
            "clipped: their loudest samples are all at the same level",
        );
        counts.mostly_offset = say(&|look| look.level.is_offset(), BY_OFFSET);
        counts.mostly_click = say(&|look| look.level.is_click(), BY_CLICK);
        counts.rest_of_channels = say(&|look| look.level.is_rest_of_channels(), BY_REST);
    }

    /// Says which recordings are one sound under several names; it may not be both trained on and tested.
    pub(super) fn look_at_repeats(&mut self, is_test: &[bool]) -> Result<(), Failure> {
        let mut first_of: BTreeMap<SoundPrint, usize> = BTreeMap::new();
        let path = |index: usize| -> &Path { &self.files[index].path };
        let (mut repeats, mut example) = (0, None);
        for (index, &sound) in self.sounds.iter().enumerate() {
            let first = *first_of.entry(sound).or_insert(index);
            let (one, other) = (path(first).display(), path(index).display());
            if is_test[first] != is_test[index] {
                return Err(Failure::bad(format!(
                    "{one} and {other} are the same sound, but --test-takes sends one of them to --out and \
                     the other to --test-out; remove one"
                )));
            }
            if first != index {
                repeats += 1;
                example.get_or_insert((one, other));
            }
        }
        if let Some((one, other)) = example {
            let all = self.files.len();
            note(&format!(
                "{repeats} of {all} recordings have the sound of another, such as {other} that of {one}: \
                 their spikes are the same too"
            ));
        }
        self.counts.same_sound = repeats;
        Ok(())
    }
}

fn refuse_or_skip(policy: BadFiles, bad: &[EncodeError], all: usize) -> Result<(), Failure> {
    let Some(first) = bad.first() else {
        return Ok(());
    };
    let count = bad.len();
    if policy == BadFiles::Refuse && count == 1 {
        return Err(Failure::bad(format!(
            "{first}; to go on without it, give --bad-files skip"
        )));
    }
    let verb = match policy {
        BadFiles::Refuse => "cannot be encoded",
        BadFiles::Skip => "left out",
    };
    for error in bad {
        note(&format!("{verb}: {error}"));
    }
    match policy {
        BadFiles::Skip => {
            note(&format!("{count} of {all} recordings are left out"));
            Ok(())
        }
        BadFiles::Refuse => Err(Failure::bad(format!(
            "{count} of {all} recordings cannot be encoded; to go on without them, give --bad-files skip"
        ))),
    }
}

//! Logits in 8 bits: a sample's smallest and the width of their range as 32-bit floats, then a byte for each class.

/// Logits of samples, one after the other.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct PackedLogits {
    /// Smallest and width of each sample's, then what its bytes mean.
    ranges: Vec<[f32; 2]>,
    bytes: Vec<u8>,
    classes: usize,
}

impl PackedLogits {
    /// None yet, of so many classes.
    pub fn of(classes: usize) -> Self {
        PackedLogits {
            ranges: Vec::new(),
            bytes: Vec::new(),
            classes,
        }
    }

    /// Puts those of a sample in its place, or behind all others.
    pub fn put(&mut self, place: usize, logits: &[f32]) {
        let low = logits.iter().copied().fold(f32::INFINITY, f32::min);
        let high = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let width = high - low;
        let step = |logit: f32| match width > 0.0 {
            true => ((logit - low) / width * 255.0).round() as u8,
            false => 0,
        };
        if place == self.ranges.len() {
            self.ranges.push([low, width]);
            self.bytes.extend(logits.iter().map(|&logit| step(logit)));
            return;
        }
        self.ranges[place] = [low, width];
        let start = place * self.classes;
        for (byte, &logit) in self.bytes[start..].iter_mut().zip(logits) {
            *byte = step(logit);
        }
    }

    /// Those of a sample.
    pub fn get(&self, place: usize) -> Vec<f32> {
        let [low, width] = self.ranges[place];
        let start = place * self.classes;
        let bytes = &self.bytes[start..start + self.classes];
        bytes
            .iter()
            .map(|&byte| low + width * f32::from(byte) / 255.0)
            .collect()
    }

    /// All as a list of 32-bit numbers: each sample's range, then its bytes.
    pub fn to_list(&self) -> Vec<f32> {
        let samples = self.ranges.iter().enumerate();
        let all = samples.flat_map(|(place, range)| {
            let start = place * self.classes;
            let bytes = &self.bytes[start..start + self.classes];
            let bytes = bytes.iter().map(|&byte| f32::from(byte));
            range.iter().copied().chain(bytes)
        });
        all.collect()
    }

    /// What [`to_list`](Self::to_list) gave for so many samples.
    pub fn from_list(classes: usize, samples: usize, list: &[f32]) -> Option<Self> {
        let each = classes + 2;
        if list.len() != samples * each {
            return None;
        }
        let mut packed = PackedLogits::of(classes);
        for sample in list.chunks_exact(each) {
            packed.ranges.push([sample[0], sample[1]]);
            packed
                .bytes
                .extend(sample[2..].iter().map(|&byte| byte as u8));
        }
        Some(packed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logit_is_off_by_half_a_step_at_most() {
        let mut packed = PackedLogits::of(3);
        let samples = [[-2.0, 0.3, 3.1], [5.0, 5.0, 5.0], [0.0, 1.0, -1.0]];
        for (place, logits) in samples.iter().enumerate() {
            packed.put(place, logits);
        }
        packed.put(1, &[9.0, 8.0, 7.0]);
        for (place, logits) in [(0, samples[0]), (1, [9.0, 8.0, 7.0]), (2, samples[2])] {
            let width = if place == 0 { 5.1 } else { 2.0 };
            for (kept, logit) in packed.get(place).iter().zip(logits) {
                assert!(
                    (kept - logit).abs() <= width / 510.0 + 1e-6,
                    "{kept} {logit}"
                );
            }
        }
        let list = packed.to_list();
        assert_eq!(PackedLogits::from_list(3, 3, &list), Some(packed));
        assert_eq!(PackedLogits::from_list(3, 2, &list), None);
        let mut even = PackedLogits::of(2);
        even.put(0, &[4.0, 4.0]);
        assert_eq!(even.get(0), [4.0, 4.0]);
    }
}

//! WAV files, byte by byte.
#![allow(dead_code)] // each test file uses some of it

/// A WAV file of 16-bit samples, interleaved where there are several channels.
pub fn wav(rate_hz: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|x| x.to_le_bytes()).collect();
    header(1, rate_hz, channels, 16, data.len() as u32)
        .into_iter()
        .chain(data)
        .collect()
}

/// A WAV file of 32-bit floats.
pub fn float_wav(rate_hz: u32, samples: &[f32]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|x| x.to_le_bytes()).collect();
    header(3, rate_hz, 1, 32, data.len() as u32)
        .into_iter()
        .chain(data)
        .collect()
}

fn header(format: u16, rate_hz: u32, channels: u16, bits: u16, data: u32) -> Vec<u8> {
    let frame = channels * bits / 8;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend(format.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend((rate_hz * u32::from(frame)).to_le_bytes());
    bytes.extend(frame.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data.to_le_bytes());
    bytes
}

/// A tone of so many samples at half of full scale.
pub fn tone(rate_hz: u32, frequency_hz: f64, samples: usize) -> Vec<i16> {
    let step = std::f64::consts::TAU * frequency_hz / f64::from(rate_hz);
    let samples = 0..samples;
    samples
        .map(|i| ((i as f64 * step).sin() * 16_384.0) as i16)
        .collect()
}

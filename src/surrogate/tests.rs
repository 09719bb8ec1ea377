use super::*;

fn check<S: Surrogate>(surrogate: S, peak: f32) {
    assert!((surrogate.derivative(0.0_f32) - peak).abs() < 1e-6);
    for x in [0.01_f32, 0.3, 0.7, 4.0] {
        assert_eq!(surrogate.derivative(x), surrogate.derivative(-x));
        assert!(surrogate.derivative(x) <= peak);
    }
    for x in [-2.1_f64, -0.7, -0.3, -0.01, 0.02, 0.4, 0.9, 3.0] {
        let slope = surrogate.derivative(x);
        let of_f32 = f64::from(surrogate.derivative(x as f32));
        assert!((slope - of_f32).abs() < 1e-6, "{surrogate:?} at {x}");
        let (up, down) = (surrogate.primitive(x + 1e-6), surrogate.primitive(x - 1e-6));
        let expected = (up - down) / 2e-6;
        assert!((slope - expected).abs() < 1e-6, "{surrogate:?} at {x}");
        let beyond = surrogate.is_zero_beyond();
        let is_beyond = beyond.is_some_and(|beyond| x.abs() > f64::from(beyond));
        assert_eq!(slope == 0.0, is_beyond, "{surrogate:?} at {x}");
    }
    // Vectors of any width have the bits of single numbers.
    let xs: Vec<f32> = (0..64).map(|x| (x as f32 - 30.0) * 0.037).collect();
    let singly: Vec<f32> = xs.iter().map(|&x| surrogate.derivative(x)).collect();
    for simd in Simd::available() {
        let mut slopes = xs.clone();
        surrogate.slopes(simd, &mut slopes);
        assert_eq!(slopes, singly, "{surrogate:?} under {simd}");
    }
}

#[test]
fn surrogates_peak_at_the_threshold_are_even_and_have_their_primitives() {
    let (half_width, slope) = (0.5, 5.0);
    check(FastSigmoid { slope: 100.0 }, 1.0);
    check(Boxcar { half_width }, 1.0);
    check(Arctan { slope: 2.0 }, 1.0);
    check(Exponential { scale: 0.3, slope }, 0.3);
    check(Triangle { half_width }, 2.0);
    check(Sigmoid { slope: 4.0 }, 1.0);
    let half_width = 0.35;
    check(
        CutFastSigmoid {
            slope: 10.0,
            half_width,
        },
        1.0,
    );
    assert_eq!(
        Surrogate::derivative(&Boxcar { half_width: 0.5 }, 0.51_f32),
        0.0
    );
    let arctan = Surrogate::derivative(&Arctan { slope: 2.0 }, 0.5_f32);
    assert!((arctan - 1.0 / (1.0 + std::f32::consts::FRAC_PI_2.powi(2))).abs() < 1e-6);
}

use respike::{dataset::*, network::*, random::*, train::*};
use std::time::Instant;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let spec = NetworkSpec::dequino2024();
    let t = Instant::now();
    let train = read_dataset(&[a[1].clone().into()], spec.binning()).unwrap();
    let test = read_dataset(&[a[2].clone().into()], spec.binning()).unwrap();
    println!("read {:?}", t.elapsed());
    let seed = MasterSeed(a[4].parse().unwrap());
    let mut tr = Trainer::new(Network::new(spec, seed), Stage::Whole, TrainingSettings::default(), seed, Purpose::Shuffle).unwrap();
    for e in 1..=a[3].parse::<usize>().unwrap() {
        let t = Instant::now();
        let f = tr.epoch(&DatasetExamples::all(&train)).unwrap();
        let t1 = t.elapsed();
        let t = Instant::now();
        let ev = evaluate(tr.network(), Stage::Whole, &DatasetExamples::all(&test)).unwrap();
        println!("{e} loss {:.4} acc {:.3} test {:.3} {:.3} ms/sample, eval {:.3} ms/sample", f.loss, f.accuracy, ev.accuracy(), t1.as_secs_f64()*1e3/2700., t.elapsed().as_secs_f64()*1e3/300.);
    }
}

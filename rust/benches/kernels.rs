//! The kernels of duplicates, packing and signals on made-up instruction data: `cargo bench --bench kernels [NAME]`.
//! Peers are timed by the scripts in `benchmarks/`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tunesmith::exact::{Normalization, exact_duplicates};
use tunesmith::fields::Rows;
use tunesmith::hash::mix;
use tunesmith::lsh::{band_keys, near_duplicates};
use tunesmith::minhash::{Bands, Permutations, Scratch};
use tunesmith::pack::{Method, pack};
use tunesmith::parallel::Control;
use tunesmith::search::{Room, Search};
use tunesmith::shingle::{Shape, Shingler};
use tunesmith::signals::serial;
use tunesmith::verify::verify;

mod made;

fn kernels(criterion: &mut Criterion) {
    let texts = made::texts(5_000);
    let bytes = made::bytes(&texts);
    let texts = made::column(&texts);
    let control = Control::default();
    let shape = Shape::new(5, "word").expect("a valid shape");
    let bands = Bands::choose(0.7, 128).expect("valid bands");
    let search = Search { shape, permutations: Permutations::new(bands, 0), threshold: 0.7, room: Room::default() };
    let columns = [texts.clone()];
    let rows = Rows::new(&columns).expect("one column");

    let mut group = criterion.benchmark_group("texts");
    group.throughput(Throughput::Bytes(bytes)).sample_size(20);
    group.bench_function("shingles", |bench| {
        let (mut shingler, mut shingles) = (Shingler::new(shape, &control), Vec::new());
        bench.iter(|| {
            for text in texts.iter().flatten() {
                shingles.clear();
                black_box(shingler.push(text, &mut shingles)).expect("not stopped");
            }
        });
    });
    group.bench_function("band_keys", |bench| bench.iter(|| band_keys(black_box(&rows), &search, &control)));
    group.bench_function("near_duplicates", |bench| bench.iter(|| near_duplicates(black_box(&rows), &search, &control)));
    group.bench_function("verify", |bench| bench.iter(|| verify(black_box(&rows), &rows, shape, &control)));
    group.bench_function("signals", |bench| bench.iter(|| serial(black_box(&texts), true, &control)));
    for (name, normalization) in [("none", Normalization::None), ("space", Normalization::Space), ("unicode", Normalization::Unicode)] {
        group.bench_function(format!("exact_{name}"), |bench| bench.iter(|| exact_duplicates(black_box(&rows), normalization, &control)));
    }
    group.finish();

    let mut group = criterion.benchmark_group("numbers");
    let shingles: Vec<u64> = (0..100_000).map(mix).collect();
    group.throughput(Throughput::Elements(shingles.len() as u64)).sample_size(20);
    group.bench_function("minhash", |bench| {
        let (mut scratch, mut keys) = (Scratch::default(), Vec::new());
        bench.iter(|| {
            keys.clear();
            shingles.chunks(60).for_each(|text| search.permutations.keys(text, &mut scratch, &mut keys, &control).expect("not stopped"));
        });
    });
    let lengths: Vec<u32> = (0..100_000).map(|row| (mix(row) % 64 * (mix(row + 7) % 32) + 1) as u32).collect();
    group.bench_function("pack", |bench| bench.iter(|| pack(black_box(&lengths), 2048, Method::BestFit, &control)));
    group.finish();
}

criterion_group!(benches, kernels);
criterion_main!(benches);

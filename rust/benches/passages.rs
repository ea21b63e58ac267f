//! What texts share: passages, n-grams, the closest text, the words that changed; on made-up instruction data:
//! `cargo bench --bench passages [NAME]`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tunesmith::closest::closest;
use tunesmith::diff;
use tunesmith::ngram_index::{Cut, Index, Rule};
use tunesmith::parallel::Control;
use tunesmith::shingle::Shape;
use tunesmith::substring::{Border, Measure, Rows, duplicates};

mod made;

fn passages(criterion: &mut Criterion) {
    let texts = made::texts(5_000);
    let (column, control) = (made::column(&texts), Control::default());
    let edited: Vec<String> = texts.iter().map(|text| text.replace("energy", "power").replace(". ", "! ")).collect();
    let edited = made::column(&edited);

    let mut group = criterion.benchmark_group("passages");
    group.throughput(Throughput::Bytes(made::bytes(&texts))).sample_size(20);
    for (name, border) in [("word", Border::Word), ("sentence", Border::Sentence)] {
        let rows = Rows::Texts(&column, border, Measure::Character);
        group.bench_function(format!("substring_{name}"), |bench| bench.iter(|| duplicates(black_box(rows), 50, usize::MAX, &control)));
    }
    for cut in ["word", "datatrove"] {
        let rule = Rule { cut: Cut::new(cut).expect("a known cut"), n: 8, contain: Some(4), threshold: 0.0, above: false };
        let items = &column[..500];
        group.throughput(Throughput::Bytes(made::bytes(&texts[..500])));
        group.bench_function(format!("overlap_index_{cut}"), |bench| bench.iter(|| Index::new(black_box(items), rule, &control)));
        group.throughput(Throughput::Bytes(made::bytes(&texts)));
        let index = Index::new(items, rule, &control).expect("an index");
        group.bench_function(format!("overlap_{cut}"), |bench| bench.iter(|| index.overlap(black_box(&edited), &control)));
    }
    let shape = Shape::new(5, "word").expect("a valid shape");
    group.bench_function("closest", |bench| bench.iter(|| closest(black_box(&column[..500]), &edited, shape, &control)));
    group.bench_function("diff", |bench| bench.iter(|| diff::rows(black_box(&column), &edited, &control)));
    let shifted: Vec<Option<&str>> = column[1..].iter().chain(&column[..1]).copied().collect();
    group.bench_function("diff_unlike", |bench| bench.iter(|| diff::rows(black_box(&column), &shifted, &control)));
    group.finish();
}

criterion_group!(benches, passages);
criterion_main!(benches);

//! Rule sets and JSON on made-up instruction data: `cargo bench --bench reading [NAME]`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use tunesmith::json;
use tunesmith::parallel::Control;
use tunesmith::rules::{Rules, measure};

mod made;

fn rule_sets(criterion: &mut Criterion) {
    let texts = made::texts(5_000);
    let (column, control) = (made::column(&texts), Control::default());
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Bytes(made::bytes(&texts))).sample_size(20);
    for name in ["gopher:datatrove", "gopher:dolma", "c4", "fineweb"] {
        let rules = Rules::new(name).expect("a known set");
        group.bench_function(name, |bench| bench.iter(|| measure(rules, black_box(&column), None, None, &control)));
    }
    group.finish();
}

fn records(criterion: &mut Criterion) {
    let texts = made::texts(5_000);
    let record = |(row, text): (usize, &String)| json!({"instruction": text, "input": "", "output": format!("\"{text}\"\né"), "n": row});
    let records: Vec<String> = texts.iter().enumerate().map(|pair| record(pair).to_string()).collect();
    let (lines, array, control) = (records.join("\n"), format!("[{}]", records.join(",\n")), Control::default());
    let mut group = criterion.benchmark_group("json");
    group.throughput(Throughput::Bytes(lines.len() as u64)).sample_size(20);
    for (name, text) in [("lines", &lines), ("array", &array)] {
        group.bench_function(format!("read_{name}"), |bench| bench.iter(|| json::read(black_box(text.as_bytes()), &control)));
    }
    let (mut bytes, mut spans) = (Vec::new(), Vec::new());
    for record in &records {
        spans.push(Some((bytes.len(), bytes.len() + record.len())));
        bytes.extend_from_slice(record.as_bytes());
    }
    group.bench_function("parse_each", |bench| bench.iter(|| json::parse_each(black_box(&bytes), &spans, &control)));
    let fields = ["instruction", "input", "output"];
    let source = arrow_buffer::Buffer::from(lines.as_bytes());
    let (index, _) = json::read(&source, &control).expect("an index");
    group.bench_function("texts", |bench| bench.iter(|| json::texts(black_box(&source), &index, &fields, json::Source::Shared, &control)));
    group.finish();
}

criterion_group!(benches, rule_sets, records);
criterion_main!(benches);

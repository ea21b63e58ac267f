//! Our own ways to tokenize, on made-up instruction data: `cargo bench --bench tokenizing [NAME]`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tunesmith::parallel::Control;
use tunesmith::tokenize::{Options, Tokenizer};

mod made;

fn tokenizing(criterion: &mut Criterion) {
    let texts = made::texts(5_000);
    let (column, control, options) = (made::column(&texts), Control::default(), Options::default());
    for (name, json) in [("byte_level", made::byte_level()), ("sentences", made::sentences()), ("bert", made::bert())] {
        let tokenizer = Tokenizer::from_json(&json).expect("a tokenizer");
        assert_eq!(tokenizer.backend(), "tunesmith", "{name}");
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(made::bytes(&texts))).sample_size(20);
        group.bench_function("encode", |bench| bench.iter(|| tokenizer.encode(black_box(&column), options, &control)));
        group.bench_function("count", |bench| bench.iter(|| tokenizer.count(black_box(&column), options, &control)));
        // Words that were never met: all of them are merged.
        let fresh: Vec<String> = texts.iter().enumerate().map(|(row, text)| text.replace(' ', &format!("{row} "))).collect();
        let fresh = made::column(&fresh);
        group.bench_function("encode_unseen", |bench| {
            bench.iter(|| Tokenizer::from_json(&json).expect("a tokenizer").encode(black_box(&fresh), options, &control));
        });
        let encoded = tokenizer.encode(&column, options, &control).expect("ids");
        let rows: Vec<Option<&[u32]>> =
            encoded.offsets.windows(2).map(|pair| Some(&encoded.ids[pair[0] as usize..pair[1] as usize])).collect();
        group.bench_function("decode", |bench| bench.iter(|| tokenizer.decode(black_box(&rows), true, &control)));
        group.finish();
    }
}

criterion_group!(benches, tokenizing);
criterion_main!(benches);

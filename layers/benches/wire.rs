//! What reading the wires costs: request scan and splice, events, and the tap.
use bartizan_layers::wire::{
    scan::scan,
    splice::Splice,
    sse::Events,
    tap::{Framing, Tap, Wire},
    text::Text,
};
use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

/// So many events are in one round: a figure per event is the time divided by this.
const EVENTS: u64 = 1000;

fn requests(c: &mut Criterion) {
    let mut group = c.benchmark_group("request");
    let bodies = [("4k", chat(4 * 1024)), ("50k", chat(50 * 1024)), ("500k-image", image())];
    for (name, body) in bodies {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(format!("scan/{name}"), |b| {
            b.iter(|| {
                let object = scan(black_box(&body)).expect("the body is an object");
                object.get("model").expect("it has one model").map(|m| m.value().raw().len())
            });
        });
        let text = Text::from(body.clone());
        group.bench_function(format!("splice/{name}"), |b| {
            b.iter(|| {
                let object = scan(black_box(text.outline())).expect("the body is an object");
                let mut splice = Splice::new(&object);
                splice.replace(0, r#""other""#);
                splice.ask_for_usage().expect("nothing stands twice");
                splice.apply(&text)
            });
        });
    }
    group.finish();
}

fn streams(c: &mut Criterion) {
    let event = chunk();
    let mut group = c.benchmark_group("stream");
    group.throughput(Throughput::Elements(EVENTS));
    group.bench_function("events", |b| {
        b.iter(|| {
            let (mut events, mut len) = (Events::new(), 0);
            for _ in 0..EVENTS {
                events.push(black_box(&event), |event| len += event.data.len());
            }
            len
        });
    });
    for (name, sift) in [("tap", false), ("tap-and-take-out", true)] {
        let fresh = || {
            let tap = Tap::new(Wire::Chat, Framing::Events);
            if sift { tap.take_out_usage_event() } else { tap }
        };
        group.bench_function(name, |b| {
            b.iter_batched(fresh, |tap| pass(tap, &event), BatchSize::SmallInput);
        });
    }
    let delta = Bytes::from_static(
        b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
          \"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n",
    );
    group.bench_function("tap-messages", |b| {
        let fresh = || Tap::new(Wire::Messages, Framing::Events);
        b.iter_batched(fresh, |tap| pass(tap, &delta), BatchSize::SmallInput);
    });
    group.finish();
}

fn pass(mut tap: Tap, event: &Bytes) -> Tap {
    for _ in 0..EVENTS {
        black_box(tap.push(event.clone()));
    }
    tap
}

/// A chunk as OpenAI sends it, 265 bytes.
fn chunk() -> Bytes {
    let mut text = String::from(
        "data: {\"id\":\"chatcmpl-ASYMaNc7XmbGRUNREnmvhyyISBHsv\",\"object\":\"chat.completion.chunk\",\
         \"created\":1731368640,\"model\":\"gpt-4o-mini-2024-07-18\",\"system_fingerprint\":\"fp_0ba0d124f1\",\
         \"choices\":[{\"index\":0,\"delta\":{\"content\":\" unable",
    );
    let tail = "\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n";
    while text.len() + tail.len() < 265 {
        text.push('x');
    }
    (text + tail).into()
}

/// A conversation of about `len` bytes.
fn chat(len: usize) -> Bytes {
    let mut text = String::from(r#"{"model":"gpt-4o","stream":true,"messages":["#);
    let turn = r#"{"role":"user","content":"Explain the difference between \"map\" and \"flat_map\".\nThen show an example of each, with the types that the compiler infers, and say when you would use which of them in production code."}"#;
    while text.len() < len {
        text += turn;
        text.push(',');
    }
    (text + turn + r#"],"temperature":0.2}"#).into()
}

/// A prompt with one picture.
fn image() -> Bytes {
    let data = "iVBORw0KGgoAAAANSUhEUg".repeat(500 * 1024 / 22);
    let head = r#"{"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,"#;
    format!(r#"{head}{data}"}}}}]}}],"stream":true}}"#).into()
}

criterion_group!(benches, requests, streams);
criterion_main!(benches);

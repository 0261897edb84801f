use super::{Longest, MOST_DATA_TOKENS, Size, Typical};
use crate::facts::{Amount, Estimate, NanoUsd, Price, Rates, Unit, Usage};
use crate::wire::scan::{Skim, scan};
use crate::wire::text::Text;
use bytes::Bytes;
use proptest::prelude::*;

fn size(json: &str) -> Size {
    let text = Text::from(Bytes::copy_from_slice(json.as_bytes()));
    Size::of(&text, &scan(text.outline()).unwrap())
}

fn price() -> Price {
    Price::flat(Rates::tokens(1_000, 2_000))
}

#[test]
fn the_largest_bound_counts_times_the_answers() {
    for (json, bound, choices) in [
        ("{}", None, 1),
        (r#"{"max_tokens":7}"#, Some(7), 1),
        (r#"{"max_tokens":7,"max_completion_tokens":9,"n":3}"#, Some(9), 3),
        (r#"{"max_tokens":1,"max_tokens":900}"#, Some(900), 1),
        (r#"{"max_tokens":7.0,"best_of":4,"n":2}"#, Some(7), 4),
        (r#"{"max_output_tokens":8}"#, Some(8), 1),
        (r#"{"max_tokens":null}"#, None, 1),
        (r#"{"generationConfig":{"maxOutputTokens":5,"candidateCount":2}}"#, Some(5), 2),
        (r#"{"prompt":["a","b"],"n":2}"#, None, 4),
        (r#"{"prompt":[1,2,3]}"#, None, 1),
    ] {
        let size = size(json);
        assert_eq!((size.bound, size.choices), (bound, choices), "{json}");
    }
}

#[test]
fn without_a_bound_there_is_no_most_unless_the_model_has_one() {
    let size = size(r#"{"messages":[]}"#);
    let free = size.estimate(&Typical::default(), [&price()], Longest::default());
    let likely = Amount { tokens: 4 + 256, cost: NanoUsd(4 + 512) };
    assert_eq!(free, Estimate { likely, most: None });
    let model = Longest { input: Some(10), output: Some(100) };
    let bounded = size.estimate(&Typical::default(), [&price()], model);
    assert_eq!(bounded.likely.tokens, 4 + 100);
    assert_eq!(bounded.most, Some(Amount { tokens: 110, cost: NanoUsd(210) }));
}

#[test]
fn the_dearest_price_and_the_dearest_kind_count() {
    let size = size(r#"{"messages":"","max_tokens":10}"#);
    let cached = Price::flat(Rates::tokens(1_000, 2_000).with(Unit::CacheWrite, 9_000));
    let estimate = size.estimate(&Typical::default(), [&price(), &cached], Longest::default());
    assert_eq!(estimate.likely.cost, NanoUsd(8 + 20));
    assert_eq!(estimate.most.unwrap().cost, NanoUsd(size.text * 9 + 20));
}

#[test]
fn embeddings_have_no_output() {
    let size = size(r#"{"input":"abcd"}"#).without_output();
    let estimate = size.estimate(&Typical::default(), [&price()], Longest::default());
    assert_eq!((estimate.likely.tokens, estimate.most.unwrap().tokens), (4, 16));
}

#[test]
fn data_counts_a_flat_rate() {
    let data = "iVBORw0KGgo".repeat(100);
    for json in [
        format!(r#"{{"image_url":{{"url":"data:image/png;base64,{data}"}}}}"#),
        format!(r#"{{"source":{{"type":"base64","data":"{data}"}}}}"#),
        format!(r#"{{"inlineData":{{"data" : "x","data":  "{data}"}}}}"#),
    ] {
        let size = size(&json);
        assert_eq!((size.data, size.data_bytes), (1, 1100), "{json}");
        assert!(size.text < 60);
        assert!(size.input(&Typical::default()) < 1_020);
        let most =
            size.without_output().estimate(&Typical::default(), [&price()], Longest::default());
        assert_eq!(most.most.unwrap().tokens, size.text + MOST_DATA_TOKENS);
    }
    let text = size(r#"{"data":"short","tools":{"data":{"type":"string"}}}"#);
    assert_eq!((text.data, text.data_bytes), (0, 0));
}

#[test]
fn a_group_learns_what_its_calls_take() {
    let (typical, size) = (Typical::default(), size(&format!(r#"{{"input":"{:586}"}}"#, "")));
    assert_eq!(size.text, 598);
    for _ in 0..100 {
        typical.clone().learn(&size, &Usage::tokens(299, 40));
    }
    assert_eq!((typical.output(), size.input(&typical)), (40, 299));
    for _ in 0..200 {
        typical.learn(&size, &Usage::tokens(299, 80));
    }
    assert_eq!(typical.output(), 80);
    typical.learn(&size, &Usage::default());
    assert_eq!(typical.output(), 80);
}

proptest! {
    #[test]
    fn data_is_found_however_the_text_is_cut(
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        long in 256..9000usize,
    ) {
        let json = format!(
            r#"{{"a":[{{"url":"data:x;base64,{0}"}},{{"data": "{0}"}}],"b":"{0}"}}"#, "x".repeat(long)
        );
        let whole = Bytes::from(json);
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(whole.len())).collect();
        places.extend([0, whole.len()]);
        places.sort_unstable();
        let frames: Vec<_> = places.windows(2).map(|it| whole.slice(it[0]..it[1])).collect();
        let mut skim = Skim::default();
        frames.iter().for_each(|frame| skim.push(frame));
        let text = skim.into_text(frames);
        let size = Size::of(&text, &scan(text.outline()).unwrap());
        prop_assert_eq!((size.data, size.data_bytes), (2, 2 * long as i64));
        prop_assert_eq!(size.text, (whole.len() - 2 * long) as i64);
    }

    #[test]
    fn likely_is_never_more_than_most(
        bound in 0..1_000_000i64, text in 0..1_000_000i64, data in 0..3i64, output in 0..10_000i64,
    ) {
        let size = Size { text, data, data_bytes: data * 500, choices: 2, bound: Some(bound) };
        let typical = Typical::default();
        typical.learn(&size, &Usage::tokens(text / 3, output));
        let estimate = size.estimate(&typical, [&price()], Longest::default());
        let most = estimate.most.unwrap();
        prop_assert!(estimate.likely.tokens <= most.tokens && estimate.likely.cost <= most.cost);
    }
}

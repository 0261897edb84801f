//! Answers that are taken apart and put together.
use super::{Shares, apart, inputs, together};
use crate::providers::Hold;
use bartizan_layers::wire::scan::scan;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const ANSWER: &str = r#"{"object":"list", "data":[
    {"object":"embedding","index":1,"embedding":[0.10]},
    {"object":"embedding","index":0,"embedding":"AAAA"}
],"model":"m","usage":{"prompt_tokens":7,"total_tokens":7},"own":null}"#;

#[test]
fn an_answer_is_taken_apart_by_its_indices_and_put_together_in_another_order() {
    let each = apart(&Bytes::from(ANSWER), &Shares::by([5, 2]), &()).unwrap();
    assert_eq!(
        each,
        [
            r#"{"object":"list", "data":[{"object":"embedding","index":0,"embedding":"AAAA"}],"model":"m","usage":{"prompt_tokens":5,"total_tokens":5},"own":null}"#,
            r#"{"object":"list", "data":[{"object":"embedding","index":0,"embedding":[0.10]}],"model":"m","usage":{"prompt_tokens":2,"total_tokens":2},"own":null}"#,
        ]
    );
    let all = together(&[each[1].clone(), each[0].clone(), each[1].clone()], 0, &()).unwrap();
    assert_eq!(
        all,
        r#"{"object":"list", "data":[{"object":"embedding","index":0,"embedding":[0.10]},{"object":"embedding","index":1,"embedding":"AAAA"},{"object":"embedding","index":2,"embedding":[0.10]}],"model":"m","usage":{"prompt_tokens":9,"total_tokens":9},"own":null}"#
    );
}

#[test]
fn what_is_no_answer_for_so_many_inputs_is_not_taken_apart() {
    let twice = ANSWER.replace("\"index\":1", "\"index\":0");
    let far = ANSWER.replace("\"index\":1", "\"index\":2");
    for (answer, count) in [
        (ANSWER, 1),
        (ANSWER, 3),
        (&twice, 2),
        (&far, 2),
        (r#"{"error":{}}"#, 2),
        (r#"{"data":"no"}"#, 1),
        ("[]", 1),
    ] {
        let shares = Shares::by(vec![1; count]);
        assert!(apart(&Bytes::copy_from_slice(answer.as_bytes()), &shares, &()).is_none());
    }
}

#[test]
fn answers_of_several_models_are_not_put_together() {
    let of = |model| Bytes::from(format!(r#"{{"data":[{{"embedding":[1]}}]{model}}}"#));
    let [one, two, none] = [r#","model":"m""#, r#","model":"n""#, ""].map(of);
    for (answers, is_one) in [
        ([&one, &one], true),
        ([&none, &none], true),
        ([&one, &two], false),
        ([&one, &none], false),
    ] {
        assert_eq!(together(&answers.map(Bytes::clone), 0, &()).is_some(), is_one);
    }
}

/// Memory of so many bytes.
#[derive(Debug)]
struct Left(AtomicUsize);

impl Hold for Left {
    fn hold_more(&self, bytes: usize) -> bool {
        self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }

    fn another(&self) -> Arc<dyn Hold> {
        Arc::new(Self(AtomicUsize::new(0)))
    }
}

#[test]
fn nothing_is_made_that_there_is_no_memory_for() {
    let (answer, shares) = (Bytes::from(ANSWER), Shares::by([1, 1]));
    for left in [0, answer.len(), answer.len() + 50] {
        assert!(apart(&answer, &shares, &Left(left.into())).is_none());
    }
    let each = apart(&answer, &shares, &Left((3 * answer.len()).into())).unwrap();
    let length: usize = each.iter().map(Bytes::len).sum();
    assert!(together(&each, 0, &Left(length.into())).is_none());
    let left = Left((2 * length).into());
    assert!(together(&each, 0, &left).unwrap().len() <= length);
    assert_eq!(left.0.into_inner(), 0);
}

#[test]
fn shares_are_the_total_in_all() {
    let shares = Shares::by([3, 0, 9, 1, 1]);
    for total in [0, 1, 2, 13, 14, 1000, u64::MAX] {
        let sum: u128 = (0..5).map(|part| u128::from(shares.of(total, part))).sum();
        assert_eq!(sum, u128::from(total));
    }
    assert_eq!(Shares::by([0, 0]).of(7, 1), 0);
}

#[test]
fn inputs_are_those_of_a_list_of_texts() {
    let count = |body: &str| inputs(&scan(body.as_bytes()).unwrap()).map(|all| all.len());
    assert_eq!(count(r#"{"input":["a", "b"]}"#), Some(2));
    assert_eq!(count(r#"{"input":[[1,2],[3]]}"#), Some(2));
    for none in [r#"{"input":"a"}"#, r#"{"input":[1,2]}"#, r#"{"input":[]}"#, "{}"] {
        assert_eq!(count(none), None, "{none}");
    }
}

//! What a call said and was answered, as it stands in its record: long texts cut in their middle,
//! as LiteLLM does it.
use bytes::Bytes;
use serde_json::Value;

/// Texts that are longer are cut: so many characters in all are left of them.
const LONGEST: usize = 2048;
/// Of these, so many are of the beginning.
const BEGINNING: usize = 716;
/// Bytes of a whole request or answer in a record.
const MOST: usize = 64 * 1024;

/// The JSON of `text` with its long texts cut; one that is still too large, or that is no JSON, is
/// told by its size.
pub(super) fn cut(text: Option<&Bytes>) -> String {
    let told = |bytes: usize| format!("{{\"litellm_truncated\":{bytes}}}");
    let Some(text) = text else { return told(0) };
    let Ok(mut value) = serde_json::from_slice::<Value>(text) else { return told(text.len()) };
    shorten(&mut value);
    let short = value.to_string();
    if short.len() > MOST { told(text.len()) } else { short }
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => {
            let count = text.chars().count();
            if count > LONGEST {
                let rest = count - (LONGEST - BEGINNING);
                let beginning: String = text.chars().take(BEGINNING).collect();
                let end: String = text.chars().skip(rest).collect();
                let skipped = count - LONGEST;
                *text =
                    format!("{beginning}... (litellm_truncated skipped {skipped} chars) ...{end}");
            }
        }
        Value::Array(all) => all.iter_mut().for_each(shorten),
        Value::Object(all) => all.values_mut().for_each(shorten),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, MOST, cut};
    use bytes::Bytes;
    use serde_json::{Value, json};

    fn kept(value: &Value) -> Value {
        serde_json::from_str(&cut(Some(&Bytes::from(value.to_string())))).unwrap()
    }

    #[test]
    fn long_texts_are_cut_in_their_middle_wherever_they_stand() {
        let short = json!({"a": ["x".repeat(LONGEST), 1, null], "é": "é".repeat(LONGEST)});
        assert_eq!(kept(&short), short);
        let long = "ä".repeat(1000) + &"m".repeat(1000) + &"ö".repeat(1048);
        let text = kept(&json!([{"content": long}]))[0]["content"].as_str().unwrap().to_owned();
        assert!(text.starts_with(&"ä".repeat(716)), "{text}");
        assert!(text.contains("ä... (litellm_truncated skipped 1000 chars) ...m"), "{text}");
        assert!(text.ends_with(&"ö".repeat(1048)), "{text}");
    }

    #[test]
    fn what_is_too_large_or_no_json_is_told_by_its_size() {
        let large = json!(vec!["x".repeat(1000); 2 * MOST / 1000]);
        let size = large.to_string().len();
        assert_eq!(kept(&large), json!({"litellm_truncated": size}));
        assert_eq!(cut(Some(&Bytes::from_static(b"data"))), r#"{"litellm_truncated":4}"#);
        assert_eq!(cut(None), r#"{"litellm_truncated":0}"#);
    }
}

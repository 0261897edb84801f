//! A client's `options`.
use crate::providers::chat::fields::{Object, into_text, nested, number, optional, within, wrong};
use crate::providers::chat::{Malformed, Sampling, Taking};
use serde_json::Value;

/// Reads `options`. Those that only Ollama knows are left in `body`, by their own names.
pub(super) fn read(body: &mut Object) -> Result<Sampling, Malformed> {
    let Some(mut options) = nested(body, "options")? else { return Ok(Sampling::default()) };
    let sampling = sampling(&mut options).map_err(|error| within(error, "options"))?;
    for (name, value) in options {
        body.entry(name).or_insert(value);
    }
    Ok(sampling)
}

fn sampling(options: &mut Object) -> Result<Sampling, Malformed> {
    let stop = optional(options, "stop", "a string or a list of strings", texts)?;
    Ok(Sampling {
        // A negative number is no bound.
        max_tokens: whole(options, "num_predict")?.and_then(|count| u64::try_from(count).ok()),
        temperature: number(options, "temperature")?,
        top_p: number(options, "top_p")?,
        // None of them is no limit.
        top_k: number(options, "top_k")?.filter(|count| *count > 0.0),
        stop: stop.unwrap_or_default(),
        seed: whole(options, "seed")?,
        presence_penalty: number(options, "presence_penalty")?,
        frequency_penalty: number(options, "frequency_penalty")?,
        ..Sampling::default()
    })
}

fn texts(told: Value) -> Option<Vec<String>> {
    match told {
        Value::String(text) => Some(vec![text]),
        Value::Array(texts) => texts.into_iter().map(into_text).collect(),
        _ => None,
    }
}

/// A whole number, with a sign; some clients write it as a float.
fn whole(options: &mut Object, name: &str) -> Result<Option<i64>, Malformed> {
    if let Some(count) = options.get(name).and_then(Value::as_i64) {
        options.take(name);
        return Ok(Some(count));
    }
    let counted = |number: f64| number.fract() == 0.0 && number.abs() < 1e15;
    let number = optional(options, name, "a whole number", |told| told.as_f64())?;
    #[expect(clippy::cast_possible_truncation, reason = "checked: a whole number below 10^15")]
    match number {
        Some(number) if counted(number) => Ok(Some(number as i64)),
        Some(_) => Err(wrong(name, "a whole number")),
        None => Ok(None),
    }
}

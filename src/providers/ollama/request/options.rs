//! How words are chosen, and how the model runs.
use crate::providers::chat::{Lost, Sampling, Taking, whole};
use serde_json::{Map, Value};

/// Ollama's own options, which a client may give beside the other members of its request.
const OWN: [&str; 26] = [
    "num_ctx",
    "num_predict",
    "num_keep",
    "num_batch",
    "num_gpu",
    "main_gpu",
    "num_thread",
    "num_gqa",
    "numa",
    "low_vram",
    "f16_kv",
    "vocab_only",
    "use_mmap",
    "use_mlock",
    "logits_all",
    "embedding_only",
    "min_p",
    "typical_p",
    "tfs_z",
    "repeat_last_n",
    "repeat_penalty",
    "penalize_newline",
    "mirostat",
    "mirostat_eta",
    "mirostat_tau",
    "draft_num_predict",
];

/// Writes Ollama's `options`: the client's own, and over them what it says in the words of its
/// dialect.
pub(super) fn write(
    told: Sampling,
    rest: &mut Map<String, Value>,
    lost: &mut Lost,
) -> Map<String, Value> {
    let mut options = rest.take_object("options").unwrap_or_default();
    let mut put = |name: &str, value: Option<Value>| {
        value.map(|value| options.insert(name.to_owned(), value));
    };
    for name in OWN {
        put(name, rest.take(name));
    }
    put("num_predict", told.max_tokens.map(Into::into));
    put("temperature", told.temperature.map(Into::into));
    put("top_p", told.top_p.map(Into::into));
    put("top_k", told.top_k.map(whole));
    put("stop", (!told.stop.is_empty()).then(|| told.stop.into()));
    put("seed", told.seed.map(Into::into));
    put("presence_penalty", told.presence_penalty.map(Into::into));
    put("frequency_penalty", told.frequency_penalty.map(Into::into));
    lost.part_of("n", &told.choices.filter(|count| *count != 1));
    lost.part_of("logit_bias", &told.logit_bias);
    options
}

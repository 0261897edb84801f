//! How much a model thinks. Converse has no word for it: each maker has its own.
use super::fields::Object;
use crate::providers::bedrock::family::Family;
use crate::providers::chat::{Lost, Sampling, Taking, Thinking, object};
use serde_json::{Value, json};

/// What a client of OpenAI's says in Claude's words.
pub(super) fn read(mut told: Object) -> Option<Thinking> {
    let on = match told.take_text("type")?.as_str() {
        "enabled" | "adaptive" => true,
        "disabled" | "between_tools" => false,
        _ => return None,
    };
    let budget = told.take_count("budget_tokens");
    let shown = told.take_text("display").map(|display| display != "omitted");
    Some(Thinking { on: Some(on), budget, shown, ..Thinking::default() })
}

/// Writes what a model of another family is to think into `fields`.
pub(super) fn write(
    asked: &Thinking,
    family: Family,
    sampling: &Sampling,
    fields: &mut Object,
    lost: &mut Lost,
) {
    let wanted = asked.effort().or((asked.on == Some(true)).then_some("medium"));
    let Some(wanted) = wanted else { return };
    let effort = match wanted {
        "none" => None,
        "minimal" | "low" => Some("low"),
        "medium" => Some("medium"),
        _ => Some("high"),
    };
    let (name, value): (_, Value) = match (family, effort) {
        (Family::GptOss, Some(effort)) => ("reasoning_effort", effort.into()),
        (Family::Nova { thinks: true }, effort) => {
            ("reasoningConfig", nova(effort, sampling, lost))
        }
        // It knows two.
        (Family::Qwen, Some(effort)) => {
            ("reasoning_config", if effort == "high" { effort } else { "low" }.into())
        }
        (Family::Other, Some(effort)) => ("reasoning_effort", effort.into()),
        (_, None) => return,
        _ => return lost.part("reasoning_effort"),
    };
    fields.entry(name).or_insert(value);
}

/// At its most, Nova takes no limits beside it.
fn nova(effort: Option<&'static str>, sampling: &Sampling, lost: &mut Lost) -> Value {
    let Sampling { max_tokens, temperature, top_p, .. } = sampling;
    let has_limits = max_tokens.is_some() || temperature.is_some() || top_p.is_some();
    let effort = match effort {
        None => return json!({"type": "disabled"}),
        Some("high") if has_limits => {
            lost.hint("reasoning_effort");
            "medium"
        }
        Some(effort) => effort,
    };
    object([("type", "enabled".into()), ("maxReasoningEffort", effort.into())])
}

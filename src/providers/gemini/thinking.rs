//! How much a model thinks: `thinkingConfig`.
use super::fields::Fields;
use super::model::Model;
use crate::providers::chat::{Lost, Malformed, Target, Thinking};
use serde_json::{Map, Value};

/// What a client's `thinkingConfig` says.
pub(crate) fn read(mut config: Map<String, Value>, path: &str) -> Result<Thinking, Malformed> {
    let mut fields = Fields::of(&mut config, path);
    let mut thinking = Thinking {
        // Without a word about it, Gemini shows no thoughts.
        shown: Some(fields.truth("includeThoughts")?.unwrap_or(false)),
        ..Thinking::default()
    };
    match fields.integer("thinkingBudget")? {
        Some(0) => (thinking.budget, thinking.on) = (Some(0), Some(false)),
        // As much as the model likes.
        Some(..0) => thinking.on = Some(true),
        Some(budget) => thinking.budget = u64::try_from(budget).ok(),
        None => {}
    }
    let level = fields.text("thinkingLevel")?.map(|level| level.to_ascii_lowercase());
    thinking.effort = level.filter(|level| level != "thinking_level_unspecified");
    Ok(thinking)
}

/// A request's `thinkingConfig` for this model; `None` for none.
pub(crate) fn write(
    thinking: &Thinking,
    target: &Target<'_>,
    lost: &mut Lost,
) -> Option<Map<String, Value>> {
    let model = &Model::named(target.model);
    let name = if thinking.effort.is_some() { "reasoning_effort" } else { "thinking" };
    let off = thinking.is_off();
    let by_name = || model.since(2, 5) && (!model.is("image") || model.since(3, 0));
    if !target.thinks.unwrap_or_else(by_name) {
        let asked = thinking.effort.is_some() || thinking.budget.is_some();
        if !off && (asked || thinking.on == Some(true)) {
            lost.part(name);
        }
        return None;
    }
    let mut config = Map::new();
    if model.since(3, 0) {
        if let Some(level) = level(thinking, model) {
            config.insert("thinkingLevel".to_owned(), level.into());
        }
    } else if let Some(budget) = budget(thinking, model) {
        config.insert("thinkingBudget".to_owned(), budget.into());
    }
    if off && (model.since(3, 0) || model.is("pro")) {
        // They cannot but think.
        lost.hint(name);
    }
    let shown = !off && thinking.shown != Some(false);
    config.insert("includeThoughts".to_owned(), shown.into());
    Some(config)
}

/// Of Gemini 3 and later ones. All can think little; the first of the large ones, or much.
fn level(thinking: &Thinking, model: &Model<'_>) -> Option<&'static str> {
    let is_large = model.is("pro");
    Some(match thinking.effort()? {
        "none" | "disable" | "disabled" | "minimal" if !is_large => "MINIMAL",
        "none" | "disable" | "disabled" | "minimal" | "low" => "LOW",
        "medium" if !is_large || model.since(3, 1) => "MEDIUM",
        "medium" | "high" | "xhigh" | "max" => "HIGH",
        // The model's own.
        _ => return None,
    })
}

/// Of Gemini 2.5, in tokens; -1 is as many as the model likes.
fn budget(thinking: &Thinking, model: &Model<'_>) -> Option<i64> {
    let (least, most) = match model {
        it if it.is("lite") => (512, 24_576),
        it if it.is("pro") => (128, 32_768),
        _ => (1, 24_576),
    };
    if thinking.is_off() {
        return Some(if model.is("pro") { least } else { 0 });
    }
    let minimal = thinking.budget.is_none() && thinking.effort.as_deref() == Some("minimal");
    match thinking.tokens() {
        _ if minimal => Some(least),
        // A budget is a limit, so the nearest one that there is does as well.
        Some(tokens) => Some(i64::try_from(tokens).unwrap_or(most).clamp(least, most)),
        None => (thinking.on == Some(true)).then_some(-1),
    }
}

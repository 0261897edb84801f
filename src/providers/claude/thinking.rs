//! How much a model thinks.
use super::model::{Model, Off};
use crate::providers::chat::{Lost, Target, Thinking};
use serde_json::{Value, json};

/// The least number of tokens to think with.
const LEAST: u64 = 1024;
/// For a client that asks for thoughts without a number or an effort; and for the words of an answer
/// after its thoughts, where nobody has said how many.
const USUAL: u64 = 4096;

/// What a request says of thinking.
#[derive(Debug, Default)]
pub(in crate::providers) struct Plan {
    /// Its `thinking`.
    pub(in crate::providers) thinking: Option<Value>,
    /// Its `output_config.effort`.
    pub(in crate::providers) effort: Option<&'static str>,
    /// How many tokens of the answer may be thoughts, where that is a number.
    pub(in crate::providers) budget: Option<u64>,
    /// Whether thoughts were asked for.
    pub(in crate::providers) on: bool,
}

impl Plan {
    /// How long an answer may be, for a client that wants so many tokens, and a model that has at
    /// most so many: thoughts count as part of it, so it has to be longer than their budget.
    /// `None` where nobody says.
    pub(in crate::providers) fn limit(
        &mut self,
        wanted: Option<u64>,
        most: Option<u64>,
    ) -> Option<u64> {
        let Some(budget) = self.budget else { return wanted };
        let most = most.unwrap_or(u64::MAX).max(2048);
        let budget = budget.min(most - 1024);
        if let Some(Value::Object(thinking)) = &mut self.thinking {
            thinking.insert("budget_tokens".into(), budget.into());
        }
        Some(match wanted {
            Some(length) if length > budget => length,
            Some(words) => budget.saturating_add(words.max(1)).min(most),
            None => budget.saturating_add(USUAL).min(most),
        })
    }

    /// Whether the model is told to think.
    pub(in crate::providers) fn thinks(&self) -> bool {
        let kind = self.thinking.as_ref().and_then(|thinking| thinking.get("type"));
        kind.is_some_and(|kind| kind == "enabled" || kind == "adaptive")
    }
}

/// What to say to `model`. `unproven`: the conversation's last steps lack the thoughts without
/// which they are refused where a budget is given.
pub(in crate::providers) fn plan(
    asked: Option<&Thinking>,
    model: Model,
    target: &Target<'_>,
    unproven: bool,
    lost: &mut Lost,
) -> Plan {
    let Some(asked) = asked else { return Plan::default() };
    if asked.is_off() {
        return off(asked, model, lost);
    }
    let effort = effort_for(asked, model);
    let takes_budget = model.takes_budgets() && model.thinks(target.thinks);
    if model.adapts() && (asked.budget.is_none() || !takes_budget) {
        let display = if asked.shown == Some(false) { "omitted" } else { "summarized" };
        // Newer models show no thoughts unless they are told to.
        let thinking = match asked.shown {
            None if takes_budget => json!({"type": "adaptive"}),
            _ => json!({"type": "adaptive", "display": display}),
        };
        return Plan { thinking: Some(thinking), effort, budget: None, on: true };
    }
    let tokens = asked.tokens().or((asked.on == Some(true)).then_some(USUAL));
    let Some(tokens) = tokens.filter(|_| takes_budget) else {
        lost.part("reasoning_effort");
        return Plan { effort, ..Plan::default() };
    };
    if unproven {
        // The model can go on without thoughts only.
        let leave = if target.modify { Lost::hint } else { Lost::part };
        leave(lost, "reasoning_effort");
        return Plan { effort, ..Plan::default() };
    }
    let budget = tokens.max(LEAST);
    let mut thinking = json!({"type": "enabled", "budget_tokens": budget});
    if let (Some(shown), Some(members)) = (asked.shown, thinking.as_object_mut()) {
        let display = if shown { "summarized" } else { "omitted" };
        members.insert("display".into(), display.into());
    }
    Plan { thinking: Some(thinking), effort, budget: Some(budget), on: true }
}

fn off(asked: &Thinking, model: Model, lost: &mut Lost) -> Plan {
    let thinking = match model.off() {
        Off::Never => {
            lost.part("reasoning_effort");
            None
        }
        Off::Type(kind) => Some(json!({"type": kind})),
        Off::Silence if asked.on == Some(false) => Some(json!({"type": "disabled"})),
        Off::Silence => None,
    };
    Plan { thinking, ..Plan::default() }
}

/// The client's effort, or the one next to it that the model knows.
fn effort_for(asked: &Thinking, model: Model) -> Option<&'static str> {
    // A budget says more, where it is taken.
    let told = asked.effort.as_deref();
    let told = if model.takes_budgets() { told } else { told.or_else(|| asked.effort()) };
    let steps = ["minimal", "low", "medium", "high", "xhigh", "max"];
    let rank = steps.iter().position(|step| Some(*step) == told)?;
    let known = model.efforts();
    let at_most = known.iter().rfind(|effort| {
        steps.iter().position(|step| step == *effort).is_some_and(|own| own <= rank)
    });
    at_most.or(known.first()).copied()
}

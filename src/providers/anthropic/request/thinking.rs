//! How much a model thinks.
use super::super::model::{Model, Off};
use super::fields::{Object, count, required_text, text, wrong};
use crate::providers::chat::{Lost, Malformed, Target, Thinking};
use serde_json::{Value, json};

/// The least number of tokens to think with.
const LEAST: u64 = 1024;
/// For a client that asks for thoughts without a number or an effort.
const USUAL: u64 = 4096;

/// A client's `thinking`.
pub(super) fn read_thinking(mut thinking: Object) -> Result<Thinking, Malformed> {
    let mut read = Thinking::default();
    read.on = Some(match required_text(&mut thinking, "type")?.as_str() {
        "enabled" => {
            let budget = count(&mut thinking, "budget_tokens")?;
            let right = || wrong("budget_tokens", "a number of tokens");
            read.budget = Some(budget.ok_or_else(right)?);
            true
        }
        "adaptive" => true,
        "disabled" | "between_tools" => false,
        _ => return Err(wrong("type", "`enabled`, `adaptive` or `disabled`")),
    });
    read.shown = text(&mut thinking, "display")?.map(|display| display != "omitted");
    Ok(read)
}

/// What a request says of thinking.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Its `thinking`.
    pub(super) thinking: Option<Value>,
    /// Its `output_config.effort`.
    pub(super) effort: Option<&'static str>,
    /// How many tokens of the answer may be thoughts, where that is a number.
    pub(super) budget: Option<u64>,
    /// Whether thoughts were asked for.
    pub(super) on: bool,
}

/// What to say to `model`. `unproven`: the conversation's last steps lack the thoughts without
/// which they are refused where a budget is given.
pub(super) fn plan(
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

//! What names of models tell.
use super::model::{Model, Off, Schemas};

#[test]
fn a_name_tells_the_model_however_it_is_written() {
    let takes = |name: &str| {
        let model = Model::of(name);
        (model.adapts(), model.takes_budgets(), model.takes_sampling(), model.schemas())
    };
    let (beta, stable) = (Some(Schemas::Beta), Some(Schemas::Stable));
    for (name, want) in [
        ("claude-3-5-sonnet-20241022", (false, true, true, None)),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", (false, true, true, None)),
        ("claude-opus-4-1@20250805", (false, true, true, beta)),
        ("claude-haiku-4.5", (false, true, true, beta)),
        ("claude-4-opus-20250514", (false, true, true, None)),
        ("anthropic.claude-opus-4-6-v1", (true, true, true, stable)),
        ("claude-opus-4-8", (true, false, false, stable)),
        ("claude-mythos-preview", (true, false, false, stable)),
        ("MiniMax-M2", (false, true, true, None)),
    ] {
        assert_eq!(takes(name), want, "{name}");
    }
    assert!(!Model::of("claude-3-opus-20240229").thinks(Some(true)));
    assert_eq!(Model::of("claude-opus-5-5").off(), Off::Never);
    assert!(Model::of("claude-opus-5").takes_force());
}

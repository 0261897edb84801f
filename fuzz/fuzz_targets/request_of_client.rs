//! A request of any bytes is refused, or asked in JSON. The first byte picks the two dialects.
#![no_main]
mod dialects;
use bartizan::config::Fit;
use bartizan::providers::chat::Target;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((pick, body)) = data.split_first() else { return };
    if body.len() > dialects::LONGEST {
        return;
    }
    let fit = Fit { drop: Some(true), ..Fit::default() };
    let Ok(mut draft) = dialects::translation(*pick).read(body, &dialects::EDITS, fit) else {
        return;
    };
    draft.media_outside();
    let target = Target {
        provider: "a-provider",
        row: None,
        model: "a-model",
        like: "a-model",
        max_output: Some(4096),
        thinks: Some(true),
        modify: data.len() % 2 == 0,
    };
    if let Ok(translated) = draft.write(&target, &dialects::EDITS, dialects::client()) {
        assert!(dialects::is_json(&translated.body));
    }
});

//! A whole answer of any bytes is refused, or is JSON for every client, whole and as a stream. The
//! first byte picks the two dialects.
#![no_main]
mod dialects;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((pick, body)) = data.split_first() else { return };
    if body.len() > dialects::LONGEST {
        return;
    }
    let reply = dialects::reply(*pick);
    drop(reply.error(body));
    if let Ok(whole) = reply.whole(body) {
        assert!(dialects::is_json(&whole.body));
        let stream = reply.as_stream(body).expect("it was read before");
        assert!(dialects::is_stream(&stream.body));
    }
});

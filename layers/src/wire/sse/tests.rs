use super::{Event, Events, LONGEST};
use proptest::prelude::*;

type Seen = Vec<(String, String)>;

#[test]
fn fields_follow_the_specification() {
    let text = "\u{feff}data: first\r\n\r\n: note\r\ndata:a\ndata\ndata:  b\n\nevent: x\rdata: c\r\r\
                id: 7\nretry: 1\n\nevent: gone\n\ndata: d\n\ndata: open";
    let want = [("", "first"), ("", "a\n\n b"), ("x", "c"), ("", "d")];
    assert_eq!(read([text]), owned(&want));
}

#[test]
fn an_open_event_is_told_at_the_end_only() {
    let mut events = Events::new();
    events.push(b"event: e\ndata: 1\ndata: 2", |_| panic!("no blank line yet"));
    assert!(events.in_line() && events.in_event());
    let mut seen = Vec::new();
    events.finish(|event| seen.push(own(event)));
    assert_eq!(seen, owned(&[("e", "1\n2")]));
}

#[test]
fn a_line_beyond_the_cap_is_dropped_and_its_event_says_so() {
    let mut events = Events::new();
    let mut seen = Vec::new();
    let mut tell = |event: Event<'_>| seen.push((event.clipped, event.data.len()));
    events.push(b"data: ", &mut tell);
    for _ in 0..=LONGEST / 4096 {
        events.push(&[b'x'; 4096], &mut tell);
        assert!(events.carry.capacity() <= 2 * LONGEST);
    }
    events.push(b"\n\ndata: y\n\n", &mut tell);
    assert_eq!(seen, [(true, 0), (false, 1)]);
}

#[test]
fn the_place_of_a_lone_data_line_is_told() {
    let frame = b"data: a\n\nevent: x\ndata: b\r\n\r\ndata: c\n: note\n\n";
    let mut seen = Vec::new();
    Events::new().push(frame, |event| {
        let place = event.place.map(|p| (p.start, p.line_end, p.end, p.alone));
        seen.push(place);
    });
    let want = [Some((Some(0), 8, 9, true)), Some((Some(18), 27, 29, false)), None];
    assert_eq!(seen, want);
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        lines in prop::collection::vec("(data|event|id|: x|)(: ?[a-c]{0,3})?", 0..12),
        ends in prop::collection::vec(prop_oneof![Just("\n"), Just("\r\n"), Just("\r")], 12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let text: String = lines.iter().zip(&ends).flat_map(|(l, e)| [l.as_str(), e]).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|w| text.get(w[0]..w[1]).unwrap());
        prop_assert_eq!(read(pieces), plain(&text));
    }
}

/// The specification, written without regard to cost.
fn plain(text: &str) -> Seen {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (mut seen, mut name, mut data) = (Vec::new(), String::new(), Vec::new());
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap());
    for line in whole.split('\n') {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match field {
            _ if line.is_empty() => {
                let (name, data) = (std::mem::take(&mut name), std::mem::take(&mut data));
                if !data.is_empty() {
                    seen.push((name, data.join("\n")));
                }
            }
            "data" => data.push(value),
            "event" => name = value,
            _ => {}
        }
    }
    seen
}

fn read<'t>(pieces: impl IntoIterator<Item = &'t str>) -> Seen {
    let (mut events, mut seen) = (Events::new(), Vec::new());
    for piece in pieces {
        events.push(piece.as_bytes(), |event| seen.push(own(event)));
    }
    seen
}

fn own(event: Event<'_>) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(event.name), text(event.data))
}

fn owned(seen: &[(&str, &str)]) -> Seen {
    seen.iter().map(|(name, data)| ((*name).to_owned(), (*data).to_owned())).collect()
}

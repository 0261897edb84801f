//! Writing JSON.
use serde_json::Value;

/// JSON as bytes, of about this many.
#[must_use]
pub fn written(value: &Value, about: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(about);
    write_value(value, &mut out);
    out
}

/// Writes JSON behind `out`.
pub fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::String(text) => write_text(text, out),
        Value::Array(elements) => {
            out.push(b'[');
            for (at, element) in elements.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_value(element, out);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            for (at, (name, member)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_text(name, out);
                out.push(b':');
                write_value(member, out);
            }
            out.push(b'}');
        }
        // Writing to memory does not fail.
        plain => drop(serde_json::to_writer(out, plain)),
    }
}

/// Writes a text as JSON. It is looked at sixteen bytes at a time for what has to be escaped, where
/// `serde_json` looks at each byte: texts are most of what is said.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let plain = match rest.first_chunk::<16>() {
            Some(piece) if !has_special(piece) => piece.len(),
            _ => rest.iter().position(is_special).unwrap_or(rest.len()),
        };
        let (plain, behind) = rest.split_at(plain);
        out.extend_from_slice(plain);
        rest = match behind.split_first() {
            Some((byte, behind)) if is_special(byte) => {
                escape(*byte, out);
                behind
            }
            _ => behind,
        };
    }
    out.push(b'"');
}

const fn is_special(byte: &u8) -> bool {
    *byte < b' ' || *byte == b'"' || *byte == b'\\'
}

/// Without a way out of the loop, the compiler looks at all of them at once.
fn has_special(piece: &[u8; 16]) -> bool {
    piece.iter().fold(false, |any, byte| any | is_special(byte))
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        b'"' | b'\\' => byte,
        _ => return out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::written;
    use proptest::prelude::any;
    use proptest::{prop_assert_eq, proptest};
    use serde_json::{Value, json};

    proptest! {
        #[test]
        fn a_value_is_written_as_serde_json_writes_it(
            name in any::<String>(), text in "[ -~\\n\\t\u{0}-\u{1f}\"\\\\äλ🜚]{0,80}", number in any::<f64>()
        ) {
            let value = json!({name: [text, number, null, {}, []], "b": {"c": true, "d": [text]}});
            prop_assert_eq!(written(&value, 0), serde_json::to_vec(&value).unwrap());
        }
    }

    #[test]
    fn every_character_below_the_space_is_escaped() {
        let text: String = (0..=0x7f_u8).map(char::from).collect();
        let value = Value::from(text);
        assert_eq!(written(&value, 0), value.to_string().into_bytes());
    }
}

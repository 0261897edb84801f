//! Reads a file that must be text.
use std::path::Path;

/// Why a file gave no text, as `cannot be read: …` or `is not UTF-8: …`, and what to do about it.
pub(super) struct Unread {
    pub(super) why: String,
    /// Nothing where that depends on who names the file.
    pub(super) help: Option<&'static str>,
}

/// The text of a file in UTF-8.
pub(super) fn read(path: &Path) -> Result<String, Unread> {
    let bytes = std::fs::read(path)
        .map_err(|error| Unread { why: format!("cannot be read: {error}"), help: None })?;
    String::from_utf8(bytes).map_err(|error| {
        let (valid, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
        Unread { why: not_utf8(bytes, valid), help: Some("save the file as UTF-8") }
    })
}

/// The place of the first byte that is none of a text, for whoever looks for it in an editor.
fn not_utf8(bytes: &[u8], valid: usize) -> String {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return "is UTF-16, not UTF-8".to_owned();
    }
    let before = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default());
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let byte = bytes.get(valid).copied().unwrap_or_default();
    format!("is not UTF-8: byte {valid} (line {line}, column {column}) is 0x{byte:02x}")
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_is_no_text_is_told_with_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let why = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read(&path).err().map(|unread| unread.why).unwrap_or_default()
        };
        assert_eq!(why(b"a: b\n"), "");
        assert_eq!(why(b"a: b\nc: caf\xe9\n"), "is not UTF-8: byte 11 (line 2, column 7) is 0xe9");
        assert_eq!(why(b"\xff\xfea\0"), "is UTF-16, not UTF-8");
        assert!(read(&dir.path().join("none")).is_err_and(|unread| unread.help.is_none()));
    }
}

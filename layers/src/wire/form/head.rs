//! The headers of a form's parts, and of the form itself.
use super::FormError;

/// The boundary in a form's content type (RFC 2046 5.1.1).
///
/// # Errors
///
/// [`FormError::NotAForm`] for another type, [`FormError::Boundary`] when it has none, more than
/// one, or one that is too long or has characters that no boundary may have.
pub fn boundary(content_type: &[u8]) -> Result<Vec<u8>, FormError> {
    let text = std::str::from_utf8(content_type).map_err(|_| FormError::NotAForm)?;
    let (kind, parameters) = text.split_once(';').unwrap_or((text, ""));
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Err(FormError::NotAForm);
    }
    let mut found = None;
    for parameter in Parameters(parameters) {
        let (name, value) = parameter.ok_or(FormError::Boundary)?;
        if name.eq_ignore_ascii_case("boundary") && found.replace(value).is_some() {
            return Err(FormError::Boundary);
        }
    }
    let found = found.filter(|found| is_boundary(found)).ok_or(FormError::Boundary)?;
    Ok(found.into_bytes())
}

fn is_boundary(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    (1..=70).contains(&text.len()) && text.bytes().all(allowed) && !text.ends_with(' ')
}

/// What a part's headers say.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) name: Box<str>,
    pub(super) is_file: bool,
}

impl Head {
    /// Reads headers that end with an empty line.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?;
        let mut found = None;
        for line in text.split("\r\n") {
            let (name, value) = line.split_once(':')?;
            let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            if name.is_empty() || !name.bytes().all(token) || value.contains(['\r', '\n', '\0']) {
                return None;
            }
            if name.eq_ignore_ascii_case("content-transfer-encoding") && !is_plain(value.trim()) {
                return None;
            }
            if name.eq_ignore_ascii_case("content-disposition")
                && found.replace(Self::disposition(value.trim())?).is_some()
            {
                return None;
            }
        }
        found
    }

    fn disposition(value: &str) -> Option<Self> {
        let (kind, parameters) = value.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return None;
        }
        let (mut name, mut is_file) = (None, false);
        for parameter in Parameters(parameters) {
            let (key, value) = parameter?;
            match key.to_ascii_lowercase().as_str() {
                // What one reader takes for an escape is plain to another.
                "name" if value.contains(['\\', '%', '"']) || name.is_some() => return None,
                "name" => name = Some(value),
                "filename" | "filename*" => is_file = true,
                "name*" => return None,
                _ => {}
            }
        }
        Some(Self { name: name?.into(), is_file })
    }
}

/// The encodings that leave a part as it is (RFC 7578 4.7).
fn is_plain(encoding: &str) -> bool {
    ["7bit", "8bit", "binary"].iter().any(|plain| encoding.eq_ignore_ascii_case(plain))
}

/// `; name=value; other="quoted value"`, from behind the first semicolon; `None` for what is no
/// parameter, and then no more.
struct Parameters<'a>(&'a str);

impl Iterator for Parameters<'_> {
    type Item = Option<(String, String)>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.trim();
        if text.is_empty() {
            return None;
        }
        self.0 = "";
        let Some((name, rest)) = text.split_once('=') else { return Some(None) };
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => match unquoted(quoted) {
                Some(found) => found,
                None => return Some(None),
            },
            None => {
                let end = rest.find(';').unwrap_or(rest.len());
                let (value, rest) = rest.split_at(end);
                (value.trim_end().to_owned(), rest)
            }
        };
        let rest = rest.trim_start();
        match rest.strip_prefix(';') {
            Some(rest) => self.0 = rest,
            None if rest.is_empty() => {}
            None => return Some(None),
        }
        let is_token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        let is_plain = !value.contains(char::is_control);
        Some((is_token && is_plain && !name.contains('"')).then(|| (name.to_owned(), value)))
    }
}

/// The text up to the closing quote, and what follows that. A backslash that stands before
/// neither a quote nor another one is itself: old browsers send whole paths. An escaped one stays
/// in the text, so that its reader can refuse it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut escaped = false;
    for (at, char) in text.char_indices() {
        match char {
            '"' if !escaped => return Some((value, text.get(at + 1..)?)),
            char => value.push(char),
        }
        escaped = char == '\\' && !escaped;
    }
    None
}

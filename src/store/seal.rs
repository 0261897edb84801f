//! What must not lie open in a database: credentials of providers.
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use sha2::{Digest, Sha256};
use std::fmt;

/// Seals texts with AES-256-GCM, by a key that is made of a secret.
#[derive(Clone)]
pub struct Seal([u8; 32]);

/// How sealed texts begin: which way of sealing it is.
const FIRST: &str = "v1:";
/// Bytes of a nonce.
const NONCE: usize = 12;

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// Seals with this secret.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update("bartizan: sealed in the store\n");
        hash.update(secret);
        Self(hash.finalize().into())
    }

    /// The text, so that nobody reads it without the secret. `what` it is for has to be said again
    /// to open it.
    #[must_use]
    pub fn seal(&self, what: &str, text: &str) -> String {
        let mut sealed = text.as_bytes().to_vec();
        let nonce = self.key().seal_in_place_append_tag(Aad::from(what), &mut sealed);
        let nonce = nonce.expect("a text is shorter than what one nonce may seal");
        let bytes = nonce.as_ref().iter().chain(&sealed);
        bytes.fold(FIRST.to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// What was sealed; `None` with another secret, for something else, or if it was changed.
    #[must_use]
    pub fn open(&self, what: &str, sealed: &str) -> Option<String> {
        let bytes = of_hex(sealed.strip_prefix(FIRST)?)?;
        let (nonce, text) = bytes.split_at_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let open = self.key().open_in_place(nonce, Aad::from(what), &mut text).ok()?.len();
        text.truncate(open);
        String::from_utf8(text).ok()
    }

    fn key(&self) -> RandomizedNonceKey {
        RandomizedNonceKey::new(&AES_256_GCM, &self.0).expect("it has 32 bytes")
    }
}

fn of_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Seal;

    #[test]
    fn what_is_sealed_opens_with_the_same_secret_for_the_same_thing() {
        let seal = Seal::new("salt");
        let sealed = seal.seal("model 1", "sk-ü");
        assert!(!sealed.contains("sk-"));
        assert_ne!(sealed, seal.seal("model 1", "sk-ü"));
        assert_eq!(seal.open("model 1", &sealed).as_deref(), Some("sk-ü"));
        assert_eq!(seal.open("model 2", &sealed), None);
        assert_eq!(Seal::new("other").open("model 1", &sealed), None);
        let changed = sealed.replace(sealed.chars().last().unwrap(), "x");
        for broken in [&*changed, "", "v1:", "v1:0", "v1:00"] {
            assert_eq!(seal.open("model 1", broken), None, "{broken}");
        }
    }
}

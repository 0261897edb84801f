//! Short texts that nodes leave for each other.
use super::level::key;
use super::outage::read;
use super::{Outage, Redis};
use ::redis::cmd;

/// So long is a text kept that nobody takes away, in seconds: a week.
const KEEP: u32 = 7 * 24 * 3600;

impl Redis {
    /// Leaves a text on the board with that name, until somebody takes it away; a week, if nobody
    /// does and nothing is added.
    ///
    /// # Errors
    ///
    /// [`Outage`] if Redis does not answer.
    pub async fn leave(&self, board: &str, text: &str) -> Result<(), Outage> {
        let place = key(self.settings(), board, &["board"]);
        let mut add = cmd("SADD");
        self.send(add.arg(&place).arg(text)).await?;
        let mut expire = cmd("EXPIRE");
        self.send(expire.arg(&place).arg(KEEP)).await.map(drop)
    }

    /// All texts on the board with that name, in no order.
    ///
    /// # Errors
    ///
    /// As [`leave`](Self::leave).
    pub async fn left(&self, board: &str) -> Result<Vec<String>, Outage> {
        let mut members = cmd("SMEMBERS");
        read(self.send(members.arg(key(self.settings(), board, &["board"]))).await?)
    }

    /// Takes a text away. Nothing happens where it is gone already.
    ///
    /// # Errors
    ///
    /// As [`leave`](Self::leave).
    pub async fn take_away(&self, board: &str, text: &str) -> Result<(), Outage> {
        let mut remove = cmd("SREM");
        let place = key(self.settings(), board, &["board"]);
        self.send(remove.arg(place).arg(text)).await.map(drop)
    }
}

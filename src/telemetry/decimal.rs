//! Decimal numbers as text, without the machinery of `fmt`: several stand in every answer.

/// The longest number: 20 digits, a point and a zero before it.
const LONGEST: usize = 24;

/// The text of a number.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    text: [u8; LONGEST],
    start: usize,
}

impl Decimal {
    /// The number of `units`, of which there are ten to the power of `places` in a whole: 1500
    /// thousandths are `1.500`. At most 20 places.
    #[must_use]
    pub const fn new(units: u64, places: usize) -> Self {
        let mut text = [b'0'; LONGEST];
        let (mut start, mut left) = (LONGEST, units);
        let point = LONGEST - places;
        while start > point {
            start -= 1;
            text[start] = b'0' + (left % 10) as u8;
            left /= 10;
        }
        if places > 0 {
            start -= 1;
            text[start] = b'.';
        }
        loop {
            start -= 1;
            text[start] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                return Self { text, start };
            }
        }
    }

    /// Its characters.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[self.start..]
    }

    /// Its characters without zeros at the end, but for one behind the point.
    #[must_use]
    pub fn trimmed(&self) -> &[u8] {
        let text = self.as_bytes();
        let zeros = text.iter().rev().take_while(|byte| **byte == b'0').count();
        let end = text.len() - zeros;
        let keep = usize::from(end > 0 && text[end - 1] == b'.');
        &text[..end + keep]
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;
    use proptest::prelude::*;

    #[test]
    fn a_point_stands_before_the_places() {
        for (units, places, text, trimmed) in [
            (0, 0, "0", ""),
            (0, 3, "0.000", "0.0"),
            (7, 3, "0.007", "0.007"),
            (1500, 3, "1.500", "1.5"),
            (1_000_000_000, 9, "1.000000000", "1.0"),
            (u64::MAX, 20, "0.18446744073709551615", "0.18446744073709551615"),
        ] {
            let number = Decimal::new(units, places);
            assert_eq!(number.as_bytes(), text.as_bytes());
            assert_eq!(number.trimmed(), trimmed.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_look_as_usual(number: u64) {
            let text = number.to_string();
            let ours = Decimal::new(number, 0);
            prop_assert_eq!(ours.as_bytes(), text.as_bytes());
        }
    }
}

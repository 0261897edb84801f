//! Sums of money on the command line.
use bartizan_layers::facts::NanoUsd;

/// US dollars, more than none: `1.50`, `$1.50`.
pub(super) fn dollars(text: &str) -> Result<NanoUsd, String> {
    let number = text.trim();
    let number = number.strip_prefix('$').unwrap_or(number).trim_start();
    let dollars = number.parse().ok().filter(|dollars: &f64| dollars.is_finite());
    let sum = dollars.map(NanoUsd::from_dollars).filter(|sum| sum.0 > 0);
    sum.ok_or_else(|| "write US dollars, more than 0, such as 1.50".to_owned())
}

#[cfg(test)]
mod tests {
    use super::dollars;
    use bartizan_layers::facts::NanoUsd;

    #[test]
    fn a_sum_is_dollars_with_or_without_their_sign() {
        for text in ["1.50", "1.5", "$1.50", " $ 1.5 ", "+1.5", "15e-1"] {
            assert_eq!(dollars(text), Ok(NanoUsd(1_500_000_000)), "{text}");
        }
        assert_eq!(dollars("0.000000001"), Ok(NanoUsd(1)));
    }

    #[test]
    fn nothing_less_than_nothing_and_words_are_no_budget() {
        for text in ["0", "-1", "$-1", "", "$", "1,50", "inf", "nan", "a dollar", "1e-12", "1.50$"]
        {
            assert!(dollars(text).is_err(), "{text}");
        }
    }
}

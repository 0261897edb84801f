//! One line at the end: calls, tokens, cost, time.
use super::Ended;
use std::time::Duration;

/// Why calls failed where no provider was found.
const NO_PROVIDER: &str = "; no provider has a key here: set OPENAI_API_KEY, ANTHROPIC_API_KEY, \
                           GEMINI_API_KEY or another's, or name a config with --config";

/// For example `3 calls (1 failed), 1,204 tokens in, 310 out, $0.0041, 2.1 s`.
pub(super) fn line(ended: &Ended) -> String {
    let (totals, took) = (&ended.totals, time(ended.took));
    let calls = match totals.calls {
        0 => return format!("no calls, {took}"),
        1 => "1 call".to_owned(),
        calls => format!("{} calls", grouped(calls)),
    };
    let failed = match totals.failed {
        0 => String::new(),
        failed => format!(" ({} failed)", grouped(failed)),
    };
    let (input, output) = (grouped(totals.input_tokens), grouped(totals.output_tokens));
    let tokens = if totals.input_tokens == 1 { "token" } else { "tokens" };
    let cost = dollars(totals.dollars);
    let why = if ended.only_echo && totals.failed > 0 { NO_PROVIDER } else { "" };
    format!("{calls}{failed}, {input} {tokens} in, {output} out, {cost}, {took}{why}")
}

/// Digits in groups of three.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Four decimals, and for less than a cent as many as two digits need.
pub(super) fn dollars(cost: f64) -> String {
    if cost <= 0.0 {
        return "$0".to_owned();
    }
    let decimals = (1.0 - cost.log10().floor()).clamp(4.0, 9.0);
    format!("${cost:.*}", decimals as usize)
}

fn time(took: Duration) -> String {
    let seconds = took.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", took.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ended;
    use super::{dollars, grouped, line, time};
    use crate::telemetry::Totals;
    use std::time::Duration;

    #[test]
    fn the_line_says_calls_tokens_cost_and_time() {
        let ended =
            |totals| Ended { totals, took: Duration::from_millis(2_130), ..Ended::default() };
        assert_eq!(line(&ended(Totals::default())), "no calls, 2.1 s");
        let totals = Totals {
            calls: 3,
            input_tokens: 1204,
            output_tokens: 310,
            dollars: 0.0041,
            ..Totals::default()
        };
        assert_eq!(line(&ended(totals)), "3 calls, 1,204 tokens in, 310 out, $0.0041, 2.1 s");
        let one =
            Ended { only_echo: true, ..ended(Totals { calls: 1, failed: 1, ..Totals::default() }) };
        let told = line(&one);
        let why = told.strip_prefix("1 call (1 failed), 0 tokens in, 0 out, $0, 2.1 s; ");
        assert!(why.unwrap().contains("no provider has a key here"), "{told}");
    }

    #[test]
    fn numbers_are_as_people_write_them() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let costs = [0.0, 0.000_001_5, 0.000_25, 0.0041, 1.5, 12.345_67];
        let shown = ["$0", "$0.0000015", "$0.00025", "$0.0041", "$1.5000", "$12.3457"];
        assert_eq!(costs.map(dollars), shown);
        let times = [59, 61, 3661].map(Duration::from_secs);
        assert_eq!(times.map(time), ["59.0 s", "1 min 1 s", "1 h 1 min"]);
    }
}

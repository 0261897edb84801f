//! Families of metrics in the text form that LiteLLM's dashboards expect.
//!
//! The Python client, which LiteLLM uses, exposes a `_created` gauge beside each counter and
//! histogram; the `prometheus` crate's own encoder does not, so families are kept and written
//! here, around the crate's counters, gauges and histograms.
use super::live::{Live, escaped};
use prometheus::core::Metric;
use prometheus::{Counter, Gauge, Histogram, HistogramOpts};
use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Metrics of one name that differ in the values of their labels.
#[derive(Debug)]
pub(super) struct Family<M> {
    /// Without `_total`.
    name: &'static str,
    help: &'static str,
    /// In alphabetical order, as the Python client prints them.
    labels: Vec<&'static str>,
    buckets: &'static [f64],
    /// By their labels as text: `a="1",b="2"`.
    series: Mutex<BTreeMap<String, Series<M>>>,
}

#[derive(Debug)]
struct Series<M> {
    created: f64,
    /// So many bytes of its labels come before the label `le` of a bucket, in alphabetical order.
    before_le: usize,
    metric: M,
}

/// The label of a histogram's buckets.
const LE: &str = "le";

/// A kind of metric that a family can hold.
pub(super) trait Kind: Clone {
    /// As `# TYPE` says it.
    const NAME: &'static str;
    /// What its samples' names have behind the family's.
    const SUFFIX: &'static str;
    /// Whether it counts from a moment on, which `_created` tells.
    const SINCE: bool;

    fn new(buckets: &'static [f64]) -> Self;

    /// Appends its samples; of `labels` so many bytes come before one named `le`.
    fn write(&self, out: &mut String, name: &str, labels: &str, before_le: usize);
}

impl<M: Kind> Family<M> {
    pub(super) fn new(
        name: &'static str,
        help: &'static str,
        mut labels: Vec<&'static str>,
        buckets: &'static [f64],
    ) -> Self {
        labels.sort_unstable();
        Self { name, help, labels, buckets, series: Mutex::default() }
    }

    /// The metric whose labels have the values that `value` gives them, made when it is asked for
    /// the first time.
    pub(super) fn get<'a>(&self, value: impl Fn(&'static str) -> &'a str) -> M {
        let (mut text, mut before_le) = (String::new(), 0);
        for name in &self.labels {
            let comma = if text.is_empty() { "" } else { "," };
            append(&mut text, format_args!("{comma}{name}=\"{}\"", escaped(value(name))));
            if *name < LE {
                before_le = text.len();
            }
        }
        let new = || Series { created: unix_now(), before_le, metric: M::new(self.buckets) };
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        series.entry(text).or_insert_with(new).metric.clone()
    }

    /// Ends the series of what is not `live` any more.
    pub(super) fn retain(&self, live: &Live) {
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        series.retain(|labels, _| live.keeps(labels));
    }

    pub(super) fn write(&self, out: &mut String) {
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, help) = (self.name, self.help);
        let full = format!("{name}{}", M::SUFFIX);
        append(out, format_args!("# HELP {full} {help}\n# TYPE {full} {}\n", M::NAME));
        for (labels, one) in series.iter() {
            one.metric.write(out, &full, labels, one.before_le);
        }
        if M::SINCE && !series.is_empty() {
            append(
                out,
                format_args!("# HELP {name}_created {help}\n# TYPE {name}_created gauge\n"),
            );
            for (labels, one) in series.iter() {
                sample(out, &format!("{name}_created"), labels, one.created);
            }
        }
    }
}

impl Family<Counter> {
    /// What was counted under all labels together.
    pub(super) fn sum(&self) -> f64 {
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        series.values().map(|one| one.metric.get()).sum()
    }
}

impl Kind for Counter {
    const NAME: &'static str = "counter";
    const SUFFIX: &'static str = "_total";
    const SINCE: bool = true;

    fn new(_buckets: &'static [f64]) -> Self {
        Self::new("cell", "A cell of a family.").expect("the name is a valid one")
    }

    fn write(&self, out: &mut String, name: &str, labels: &str, _before_le: usize) {
        sample(out, name, labels, self.get());
    }
}

impl Kind for Gauge {
    const NAME: &'static str = "gauge";
    const SUFFIX: &'static str = "";
    const SINCE: bool = false;

    fn new(_buckets: &'static [f64]) -> Self {
        Self::new("cell", "A cell of a family.").expect("the name is a valid one")
    }

    fn write(&self, out: &mut String, name: &str, labels: &str, _before_le: usize) {
        sample(out, name, labels, self.get());
    }
}

impl Kind for Histogram {
    const NAME: &'static str = "histogram";
    const SUFFIX: &'static str = "";
    const SINCE: bool = true;

    fn new(buckets: &'static [f64]) -> Self {
        let options = HistogramOpts::new("cell", "A cell of a family.").buckets(buckets.to_vec());
        Self::with_opts(options).expect("the buckets are sorted")
    }

    fn write(&self, out: &mut String, name: &str, labels: &str, before_le: usize) {
        let metric = self.metric();
        let histogram = metric.get_histogram();
        let (before, after) = labels.split_at_checked(before_le).unwrap_or((labels, ""));
        let comma = if before.is_empty() { "" } else { "," };
        let behind = if before.is_empty() && !after.is_empty() { "," } else { "" };
        let mut bucket = |bound: &dyn Display, count: u64| {
            let labels = format!("{before}{comma}{LE}=\"{bound}\"{behind}{after}");
            sample(out, &format!("{name}_bucket"), &labels, count as f64);
        };
        for cell in histogram.get_bucket() {
            bucket(&Python(cell.upper_bound()), cell.cumulative_count());
        }
        bucket(&"+Inf", histogram.get_sample_count());
        sample(out, &format!("{name}_count"), labels, histogram.get_sample_count() as f64);
        sample(out, &format!("{name}_sum"), labels, histogram.get_sample_sum());
    }
}

/// A float as Python's `repr` has it, which is how the Python client writes samples: `1.0`.
struct Python(f64);

impl Display for Python {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Rust's `Debug` is the same but for exponents, which `1e-05` writes with two digits.
        write!(f, "{:?}", self.0)
    }
}

pub(super) fn sample(out: &mut String, name: &str, labels: &str, value: f64) {
    let value = Python(value);
    match labels {
        "" => append(out, format_args!("{name} {value}\n")),
        labels => append(out, format_args!("{name}{{{labels}}} {value}\n")),
    }
}

pub(super) fn append(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes any text");
}

/// Seconds of Unix time.
pub(super) fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

//! How words are chosen.
use super::model::Model;
use crate::providers::chat::{Lost, Sampling, Target};

/// Takes out of `sampling` what a newer model does not take, and one that thinks. What is so anyway
/// is not lost.
pub(in crate::providers) fn fit_sampling(
    sampling: &mut Sampling,
    model: Model,
    target: &Target<'_>,
    thinks: bool,
    lost: &mut Lost,
) {
    let free = model.takes_sampling();
    // Clients that always send both would never be answered.
    if sampling.temperature.is_some() && !model.takes_both() && sampling.top_p.take().is_some() {
        lost.hint("top_p");
    }
    let mut keep = |name: &'static str, value: &mut Option<f64>, is_usual: bool, takes: bool| {
        if value.is_some() && !takes {
            *value = None;
            if !is_usual {
                lost.part(name);
            }
        }
    };
    let temperature = &mut sampling.temperature;
    if target.modify {
        *temperature = temperature.map(|it| it.min(1.0));
    }
    let is_usual = temperature.is_some_and(|it| (it - 1.0).abs() < f64::EPSILON);
    keep("temperature", temperature, is_usual, free && (is_usual || !thinks));
    let top_p = sampling.top_p;
    let takes = free && (!thinks || top_p.is_some_and(|top_p| top_p >= 0.95));
    keep("top_p", &mut sampling.top_p, top_p.is_some_and(|top_p| top_p >= 1.0), takes);
    keep("top_k", &mut sampling.top_k, false, free && !thinks);
}

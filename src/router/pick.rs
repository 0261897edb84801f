//! Simple shuffle: the lowest order, then chance by weight (contract 5.1).
use super::deployment::Deployment;
use std::sync::Arc;

/// Picks one of `candidates`; `None` if there are none.
///
/// Only those of the lowest `order` count. If any of them has a `weight`, chance goes by weights
/// (none is 0); else by `rpm`, else by `tpm`, else all are alike.
pub(super) fn pick<'a>(
    candidates: impl Iterator<Item = &'a Arc<Deployment>> + Clone,
) -> Option<&'a Arc<Deployment>> {
    let order = |deployment: &Arc<Deployment>| deployment.config().order.unwrap_or(0);
    let lowest = candidates.clone().map(order).min()?;
    let among = candidates.filter(|deployment| order(deployment) == lowest);
    let mut few = among.clone();
    let (Some(first), None) = (few.next(), few.next()) else {
        return among_several(&among);
    };
    Some(first)
}

fn among_several<'a>(
    among: &(impl Iterator<Item = &'a Arc<Deployment>> + Clone),
) -> Option<&'a Arc<Deployment>> {
    let by: [fn(&Deployment) -> Option<f64>; 3] = [
        |deployment| deployment.config().weight,
        |deployment| deployment.config().rpm.map(|rpm| rpm as f64),
        |deployment| deployment.config().tpm.map(|tpm| tpm as f64),
    ];
    for weight in by {
        let weight = |deployment: &Arc<Deployment>| weight(deployment).unwrap_or(0.0).max(0.0);
        let total: f64 = among.clone().map(weight).sum();
        if total > 0.0 {
            let mut left = fastrand::f64() * total;
            let mut weighed = among.clone().filter(|deployment| weight(deployment) > 0.0);
            let chosen = weighed.find(|deployment| {
                left -= weight(deployment);
                left < 0.0
            });
            // Rounding may leave a rest after the last one.
            return chosen.or_else(|| among.clone().filter(|one| weight(one) > 0.0).last());
        }
    }
    let count = among.clone().count();
    among.clone().nth(fastrand::usize(..count.max(1)))
}

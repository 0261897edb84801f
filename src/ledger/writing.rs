//! How a finished call becomes the JSON of its record: straight from its trail, without a tree in
//! between.
use super::members::{is_json, maybe, number, text};
use super::record::{UNITS, call_type};
use super::told::{about, refused};
use super::words::cut;
use crate::alerts::{Alerts, Spent};
use crate::clock;
use crate::identity::{Caller, Directory, Level, Money};
use crate::telemetry::{DeploymentLabels, Outcome, Served, Told, Trail};
use bartizan_layers::cost::BudgetWindow;
use bartizan_layers::facts::{NanoUsd, Price, Principal, Rates, Scope, Unit};
use std::io::Write;
use std::ops::Add;
use std::time::Duration;

/// Appends the record of a call that ended at `now`, in milliseconds since 1970.
pub(super) fn write(
    out: &mut Vec<u8>,
    (instance, now): (&str, i64),
    payers: (&Directory, &Alerts),
    trail: &Trail,
    outcome: &Outcome<'_>,
) {
    let began = now - millis(outcome.took());
    out.extend_from_slice(b"{\"id\":\"");
    out.extend_from_slice(instance.as_bytes());
    out.push(b'-');
    out.extend_from_slice(itoa::Buffer::new().format(trail.number()).as_bytes());
    out.push(b'"');
    text(out, ",\"call\":", trail.id().as_str());
    maybe(out, ",\"response\":", outcome.response_id().as_deref());
    text(out, ",\"type\":", call_type(trail.route()));
    number(out, ",\"began\":", began);
    number(out, ",\"ended\":", now);
    if let Some(after) = outcome.first_content(trail) {
        number(out, ",\"first\":", began + millis(after));
    }
    number(out, ",\"status\":", outcome.status().into());
    if let Some(failure) = outcome.failure() {
        number(out, ",\"failure\":[", failure.status.into());
        text(out, ",", failure.class);
        out.push(b']');
        maybe(out, ",\"error\":", outcome.error());
    }
    if trail.streamed() {
        out.extend_from_slice(b",\"stream\":true");
    }
    if let Some(principal) = outcome.principal() {
        who(out, principal);
    }
    if let Some(told) = outcome.told() {
        said(out, told);
    }
    answered(out, outcome);
    match attempts(out, outcome) {
        Some(cost) => charges(out, (now / 1000, cost), payers, outcome),
        None => refused(now / 1000, payers, outcome),
    }
    if let Some(words) = outcome.words() {
        out.extend_from_slice(b",\"prompt\":");
        out.extend_from_slice(cut(words.request()).as_bytes());
        if outcome.failure().is_none() {
            out.extend_from_slice(b",\"answer\":");
            out.extend_from_slice(cut(words.answer().as_ref()).as_bytes());
        }
    }
    out.push(b'}');
}

fn who(out: &mut Vec<u8>, principal: &Principal) {
    text(out, ",\"key\":", &principal.key);
    text(out, ",\"user\":", &principal.user);
    maybe(out, ",\"team\":", principal.team.as_deref());
    let Some(caller) = principal.about.get::<Caller>() else { return };
    maybe(out, ",\"alias\":", caller.key.holder.alias.as_deref());
    maybe(out, ",\"team_alias\":", caller.team.as_ref().and_then(|team| team.alias.as_deref()));
    maybe(out, ",\"org\":", caller.organization.as_ref().map(|it| &*it.id));
}

fn said(out: &mut Vec<u8>, told: &Told) {
    maybe(out, ",\"end_user\":", told.end_user.as_deref());
    for (at, tag) in told.tags.iter().enumerate() {
        text(out, if at == 0 { ",\"tags\":[" } else { "," }, tag);
    }
    if !told.tags.is_empty() {
        out.push(b']');
    }
    maybe(out, ",\"session\":", told.session.as_deref());
    if let Some(ip) = told.ip {
        // An address has nothing to escape, and a vector takes all that is written.
        write!(out, ",\"ip\":\"{ip}\"").ok();
    }
    maybe(out, ",\"agent\":", told.user_agent.as_deref());
    if let Some(metadata) = told.metadata.as_deref().filter(|text| is_json(text)) {
        out.extend_from_slice(b",\"metadata\":");
        // A record is one line.
        out.extend(metadata.bytes().map(|byte| if byte < b' ' { b' ' } else { byte }));
    }
    if let Some(held) = told.held {
        number(out, ",\"held\":", held.0);
    }
}

fn answered(out: &mut Vec<u8>, outcome: &Outcome<'_>) {
    // A model that nobody has is called as the client did.
    let told = || outcome.told().and_then(|told| told.model.as_deref());
    let asked = outcome.requested().map(|name| &**name).or_else(told);
    let deployment = outcome.deployment();
    maybe(out, ",\"model\":", outcome.model().or(asked));
    let group = deployment.map(|deployment| &*deployment.model_group).filter(|it| !it.is_empty());
    maybe(out, ",\"group\":", group.or(asked));
    if let Some(deployment) = deployment {
        text(out, ",\"deployment\":", &deployment.model_id);
        text(out, ",\"provider\":", deployment.api_provider);
        text(out, ",\"base\":", &deployment.api_base);
    }
    if let Some(hit) = outcome.is_hit() {
        let word: &[u8] = if hit { b",\"hit\":true" } else { b",\"hit\":false" };
        out.extend_from_slice(word);
    }
    if let Some((_, saved)) = outcome.hit().and_then(|hit| hit.bill) {
        number(out, ",\"saved\":", saved.0);
    }
}

/// What all attempts cost together; `None` where nothing has to be paid for, at no price.
fn attempts(out: &mut Vec<u8>, outcome: &Outcome<'_>) -> Option<NanoUsd> {
    let (mut any, mut cost) = (false, None);
    let mut visit = |one: &Outcome<'_>| {
        let Some(served) = one.served() else { return };
        out.extend_from_slice(if any { b"," } else { b",\"attempts\":[" });
        any = true;
        cost = cost.into_iter().chain(attempt(out, outcome, one, served)).reduce(Add::add);
    };
    outcome.others(&mut visit);
    visit(outcome);
    if any {
        out.push(b']');
    }
    cost
}

/// An attempt of `call`: what stands there is not said again.
fn attempt(
    out: &mut Vec<u8>,
    call: &Outcome<'_>,
    outcome: &Outcome<'_>,
    served: &Served,
) -> Option<NanoUsd> {
    number(out, "{\"status\":", outcome.status().into());
    let labels = &*served.deployment;
    if call.deployment().is_none_or(|own| own.model_id != labels.model_id) {
        text(out, ",\"deployment\":", &labels.model_id);
        text(out, ",\"provider\":", labels.api_provider);
    }
    let model = served.model.as_deref().unwrap_or(&labels.model);
    if call.model() != Some(model) {
        text(out, ",\"model\":", model);
    }
    maybe(out, ",\"failure\":", outcome.failure().map(|failure| failure.class));
    let bill = served.usage.bill();
    if let Some((usage, NanoUsd(cost))) = bill {
        by_unit(out, ",\"usage\":{", |unit| Some(usage[unit]).filter(|count| *count != 0));
        number(out, ",\"cost\":", cost);
        if served.usage.is_estimated() {
            out.extend_from_slice(b",\"estimated\":true");
        }
        if let Some(price) = served.usage.price() {
            price_row(out, &price);
        }
    }
    out.push(b'}');
    bill.map(|(_, cost)| cost)
}

fn price_row(out: &mut Vec<u8>, price: &Price) {
    let rates = |out: &mut Vec<u8>, before: &str, rates: &Rates| {
        by_unit(out, before, |unit| rates.get(unit));
    };
    rates(out, ",\"price\":{\"base\":{", &price.base);
    for (at, (above, tier)) in price.tiers.iter().enumerate() {
        number(out, if at == 0 { ",\"tiers\":[[" } else { ",[" }, (*above).into());
        rates(out, ",{", tier);
        out.push(b']');
    }
    if !price.tiers.is_empty() {
        out.push(b']');
    }
    out.push(b'}');
}

fn by_unit(out: &mut Vec<u8>, before: &str, of: impl Fn(Unit) -> Option<i64>) {
    out.extend_from_slice(before.as_bytes());
    let told = Unit::ALL.into_iter().zip(UNITS);
    let told = told.filter_map(|(unit, name)| Some((name, of(unit)?)));
    for (at, (name, count)) in told.enumerate() {
        out.extend_from_slice(if at == 0 { b"\"" } else { b",\"" });
        out.extend_from_slice(name.as_bytes());
        number(out, "\":", count);
    }
    out.push(b'}');
}

/// The accounts that pay, each with the end of the window that is open at `now`, in seconds since
/// 1970. Their holders know at once what they have spent.
fn charges(
    out: &mut Vec<u8>,
    (now, cost): (i64, NanoUsd),
    (directory, alerts): (&Directory, &Alerts),
    outcome: &Outcome<'_>,
) {
    let own = own(outcome);
    let is_watched = alerts.are_on();
    let tell = |scope, subject: &str, money, amount, until| {
        let spent = Spent { scope, subject, money, amount, until };
        alerts.spent(&spent, || about(outcome));
    };
    let mut charge =
        |scope: Scope, subject: &str, money: Money, until: Option<i64>, first: bool| {
            directory.spent(scope.name(), subject, |holder| {
                holder.spent.add(cost, now, until);
                if is_watched {
                    tell(scope, subject, money, holder.spent.amount(now), until);
                }
            });
            text(out, if first { ",\"charges\":[[" } else { ",[" }, scope.name());
            if !own.contains(&(scope, Some(subject))) {
                text(out, ",", subject);
            } else if until.is_some() {
                out.extend_from_slice(b",null");
            }
            if let Some(until) = until {
                number(out, ",", until);
            }
            out.push(b']');
        };
    let end = |window: Option<BudgetWindow>| window.map(|window| clock::window_end(window, now));
    let proxy = directory.proxy_money();
    charge(Scope::Global, "", proxy, end(proxy.window), true);
    // Each attempt is paid for where it was made.
    let mut at_its_place = |outcome: &Outcome<'_>| {
        let Some(served) = outcome.served() else { return };
        let Some((_, cost)) = served.usage.bill() else { return };
        let DeploymentLabels { model_id, api_provider, .. } = &*served.deployment;
        for of in [(Scope::Deployment, &**model_id), (Scope::Provider, api_provider)] {
            charge(of.0, of.1, Money::default(), directory.pay(of, cost, now), false);
        }
    };
    outcome.others(&mut at_its_place);
    at_its_place(outcome);
    levels(directory, outcome, &mut |Level { scope, subject, money, .. }| {
        charge(scope, &subject, money, end(money.window), false);
    });
    out.push(b']');
}

/// Who of each kind the record says that the call is of.
fn own<'a>(outcome: &'a Outcome<'_>) -> [(Scope, Option<&'a str>); 6] {
    let (principal, deployment) = (outcome.principal(), outcome.deployment());
    [
        (Scope::Global, Some("")),
        (Scope::Key, principal.map(|it| &*it.key)),
        (Scope::User, principal.map(|it| &*it.user)),
        (Scope::Team, principal.and_then(|it| it.team.as_deref())),
        (Scope::Deployment, deployment.map(|it| &*it.model_id)),
        (Scope::Provider, deployment.map(|it| it.api_provider)),
    ]
}

/// Shows `visit` who pays for a call besides the proxy and its deployment.
pub(super) fn levels(
    directory: &Directory,
    outcome: &Outcome<'_>,
    visit: &mut dyn FnMut(Level<'_>),
) {
    let Some(principal) = outcome.principal() else { return };
    let told = outcome.told();
    let end_user = told.and_then(|told| told.end_user.as_ref());
    let tags = told.map_or(&[][..], |told| &told.tags);
    let group = outcome.requested().map(|name| &**name);
    directory.levels(principal, group, end_user, tags, visit);
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

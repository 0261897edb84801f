use super::{ENDLESS, Share, Window};
use proptest::collection::vec;
use proptest::prelude::*;

const LENGTH: u64 = 60;

#[test]
fn a_window_starts_at_its_first_hit_and_ends_after_its_length() {
    let mut window = Window::default();
    assert!(window.take(1, 1, 100, LENGTH).is_some());
    assert_eq!(window.take(1, 1, 159, LENGTH), None);
    assert_eq!(window.reset(159, LENGTH), 1);
    assert!(window.take(1, 1, 160, LENGTH).is_some());
    assert_eq!(window.reset(160, LENGTH), LENGTH);
}

#[test]
fn calls_that_stay_open_count_for_ever() {
    let mut window = Window::default();
    let (share, _) = window.take(1, 1, 5, ENDLESS).unwrap();
    assert_eq!(window.take(1, 1, u64::MAX - 1, ENDLESS), None);
    window.settle(share, 0, || u64::MAX - 1, ENDLESS);
    assert!(window.take(1, 1, u64::MAX - 1, ENDLESS).is_some());
}

#[test]
fn no_amount_is_too_large() {
    let mut window = Window::default();
    let (share, left) = window.take(u64::MAX, 1, 0, LENGTH).unwrap();
    assert_eq!((left, window.take(1, u64::MAX, 0, LENGTH)), (0, None));
    window.settle(share, u64::MAX, || 1, LENGTH);
    assert_eq!(window.used(1, LENGTH), u64::MAX);
}

#[test]
fn the_time_does_not_matter_unless_more_was_used_than_taken() {
    let mut window = Window::default();
    let (share, _) = window.take(5, 9, 0, LENGTH).unwrap();
    window.settle(share, 3, || unreachable!("nobody needs it"), LENGTH);
    assert_eq!(window.used(0, LENGTH), 3);
}

#[derive(Clone, Debug)]
enum Step {
    /// So much later,
    Wait(u64),
    /// a call takes so much,
    Take(u64),
    /// or one of those that are open has used so much.
    Settle(usize, u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u64..50).prop_map(Step::Wait),
        (0_u64..9).prop_map(Step::Take),
        (0_usize..9, 0_u64..20).prop_map(|(which, used)| Step::Settle(which, used)),
    ];
    vec(step, 0..60)
}

/// The same, written down call by call.
#[derive(Default)]
struct Book {
    start: u64,
    lines: Vec<(usize, u64)>,
}

impl Book {
    fn used(&self) -> u64 {
        self.lines.iter().map(|(_, amount)| amount).sum()
    }

    fn at(&mut self, now: u64) {
        if now >= self.start + LENGTH || self.used() == 0 {
            *self = Self { start: now, lines: Vec::new() };
        }
    }

    fn settle(&mut self, call: usize, taken: u64, used: u64) {
        match self.lines.iter_mut().find(|(of, _)| *of == call) {
            Some((_, amount)) => *amount = used,
            None => self.lines.push((usize::MAX, used.saturating_sub(taken))),
        }
    }
}

proptest! {
    #[test]
    fn no_window_admits_more_calls_than_its_limit(
        most in 0_usize..5,
        waits in vec(0_u64..40, 1..80),
    ) {
        let (mut window, mut now, mut admitted) = (Window::default(), 1000, Vec::new());
        for wait in waits {
            now += wait;
            if window.take(1, most as u64, now, LENGTH).is_some() {
                admitted.push(now);
            } else {
                let first = admitted.len().checked_sub(most).and_then(|at| admitted.get(at));
                prop_assert!(most == 0 || first.is_some_and(|first| now < first + LENGTH));
            }
        }
        let mut rest = &*admitted;
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|hit| **hit < first + LENGTH).count();
            prop_assert!(count <= most);
            rest = &rest[count..];
        }
    }

    #[test]
    fn every_call_counts_once_in_its_window_and_what_goes_beyond_in_the_present_one(steps in steps()) {
        let (mut window, mut book, mut now) = (Window::default(), Book::default(), 0);
        let mut open: Vec<(usize, Share)> = Vec::new();
        for (call, step) in steps.into_iter().enumerate() {
            match step {
                Step::Wait(time) => now += time,
                Step::Take(amount) => {
                    book.at(now);
                    let taken = window.take(amount, 30, now, LENGTH);
                    prop_assert_eq!(taken.is_some(), book.used() < 30);
                    if let Some((share, left)) = taken {
                        book.lines.push((call, amount));
                        open.push((call, share));
                        prop_assert_eq!(left, 30_u64.saturating_sub(book.used()));
                    }
                }
                Step::Settle(which, used) if !open.is_empty() => {
                    let (call, share) = open.swap_remove(which % open.len());
                    book.at(now);
                    window.settle(share, used, || now, LENGTH);
                    book.settle(call, share.amount, used);
                }
                Step::Settle(..) => {}
            }
            book.at(now);
            prop_assert_eq!(window.used(now, LENGTH), book.used());
        }
    }

    #[test]
    fn what_is_rolled_back_was_never_taken(
        before in vec(0_u64..9, 0..5),
        taken in 0_u64..9,
        later in 0_u64..200,
    ) {
        let mut window = Window::default();
        for amount in before {
            window.take(amount, u64::MAX, 0, LENGTH).unwrap();
        }
        let mut other = window;
        let (share, _) = other.take(taken, u64::MAX, 30, LENGTH).unwrap();
        other.settle(share, 0, || 30, LENGTH);
        prop_assert_eq!(other.used(later, LENGTH), window.used(later, LENGTH));
    }
}

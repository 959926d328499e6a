//! When the scheduled run is due: the windows of its runs follow one another, so nothing falls between two.

use std::time::Duration;

use crate::ports::{Progress, Run, Window};
use crate::timestamp::Timestamp;

/// What was committed this short a time ago may be on its way yet.
pub const SETTLING: Duration = Duration::from_secs(10 * 60);

/// A window may begin so long ago: the audit trail forgets after two weeks, a day before that is not relied on.
pub const REACH: Duration = Duration::from_secs(13 * 24 * 60 * 60);

const NAME: &str = "scheduled";

/// The run to work on now: one that is open, or a new one when the last one's window ended `every` ago. The first one, and
/// the first after a pause that is longer than the trail's memory, compares nothing: its window's end is where the next
/// begins.
#[must_use]
pub fn due_run(last: Option<Run>, every: Duration, now: Timestamp) -> Option<Run> {
    let to = now.minus(SETTLING);
    let Some(last) = last else { return Some(first(to, now, 0)) };
    if !last.is_done() {
        return Some(last);
    }
    if last.window.to < now.minus(REACH) {
        return Some(first(to, now, last.revision));
    }
    let window = Window { from: last.window.to, to };
    (last.window.to.plus(every) <= to).then(|| Run::new(NAME, window, true, now, last.revision))
}

/// A run whose window is empty.
fn first(to: Timestamp, now: Timestamp, revision: u64) -> Run {
    let mut run = Run::new(NAME, Window { from: to, to }, true, now, revision);
    run.segments.fill(Progress::Done);
    run
}

impl Run {
    /// The name of the scheduled run.
    pub const SCHEDULED: &'static str = NAME;

    /// The run that an operator asks for: the one of this window that is open, or a new one.
    #[must_use]
    pub fn asked_for(last: Option<Self>, window: Window, republish: bool, now: Timestamp) -> Self {
        let name = Self::name_of(window, republish);
        match last {
            Some(open) if !open.is_done() => open,
            Some(done) => Self::new(&name, window, republish, now, done.revision),
            None => Self::new(&name, window, republish, now, 0),
        }
    }

    /// What the run of a window is called.
    #[must_use]
    pub fn name_of(window: Window, republish: bool) -> String {
        let what = if republish { "republish" } else { "compare" };
        format!("{what}:{}:{}", window.from.as_millis(), window.to.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn at(hours: u32) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).plus(HOUR * hours)
    }

    fn done(mut run: Run) -> Run {
        run.segments.fill(Progress::Done);
        run
    }

    #[test]
    fn the_first_run_compares_nothing_and_is_where_the_next_begins() {
        let first = due_run(None, HOUR, at(0)).unwrap();
        assert!(first.is_done());
        let next = due_run(Some(first), HOUR, at(2)).unwrap();
        let window = Window { from: at(0).minus(SETTLING), to: at(2).minus(SETTLING) };
        assert_eq!((next.window, next.is_done(), next.republish), (window, false, true));
    }

    #[test]
    fn windows_follow_one_another_however_late_a_run_is() {
        let mut run = due_run(None, HOUR, at(0)).unwrap();
        for now in [1, 3, 4, 90].map(at) {
            let next = due_run(Some(done(run.clone())), HOUR, now).unwrap();
            assert_eq!(next.window.from, run.window.to);
            run = next;
        }
    }

    #[test]
    fn no_run_is_due_before_its_time_and_an_open_one_goes_on() {
        let first = due_run(None, HOUR, at(0)).unwrap();
        assert_eq!(due_run(Some(first.clone()), HOUR, at(1).minus(Duration::from_millis(1))), None);
        let open = due_run(Some(first), HOUR, at(1)).unwrap();
        assert_eq!(due_run(Some(open.clone()), HOUR, at(40)), Some(open));
    }

    #[test]
    fn a_pause_longer_than_the_trail_remembers_begins_anew() {
        let first = due_run(None, HOUR, at(0)).unwrap();
        let anew = due_run(Some(Run { revision: 7, ..first }), HOUR, at(14 * 24)).unwrap();
        assert_eq!((anew.window.from, anew.is_done(), anew.revision), (at(14 * 24).minus(SETTLING), true, 7));
    }

    #[test]
    fn the_same_wish_continues_its_run_and_begins_anew_when_that_is_done() {
        let window = Window { from: at(0), to: at(1) };
        let run = Run { revision: 3, ..Run::asked_for(None, window, false, at(2)) };
        assert_eq!(Run::asked_for(Some(run.clone()), window, false, at(3)), run);
        let anew = Run::asked_for(Some(done(run.clone())), window, false, at(3));
        assert_eq!((anew.is_done(), anew.revision, anew.began_at), (false, 3, at(3)));
        assert_ne!(Run::name_of(window, false), Run::name_of(window, true));
    }
}

//! When the scheduled run is due: the windows of its runs follow one another, so nothing falls between two.

use std::time::Duration;

use crate::ports::{Progress, Run, Window};
use crate::timestamp::Timestamp;

/// What is older has come out, or is in a dead-letter queue: the stream keeps a record for 24 hours, and the publisher
/// retries it as long.
pub const SETTLING: Duration = Duration::from_secs(25 * 60 * 60);

/// A window may begin so long ago: the audit trail forgets after two weeks, a day before that is not relied on.
pub const REACH: Duration = Duration::from_secs(13 * 24 * 60 * 60);

/// The schedule comes every five minutes. After a pause that is longer than this it was off, and so was the recording.
const PAUSE: Duration = Duration::from_secs(15 * 60);

/// What records events begins to work so soon after it is switched on: rule, subscription, mapping.
const WARM_UP: Duration = Duration::from_secs(10 * 60);

const NAME: &str = "scheduled";

/// The run of the schedule as it is to be saved now: one that is open; or a new one, when the last one's window can be
/// followed by one of `every`; or the last one, when it is done and none is due.
///
/// What was committed while the schedule was off was not recorded. So the first window, and the first after a pause, begins
/// when recording works again; a run that was open before a pause is finished first.
#[must_use]
pub fn scheduled_run(last: Option<Run>, every: Duration, now: Timestamp) -> Run {
    let Some(last) = last else { return begin(now, 0) };
    let was_off = last.scheduled_at.plus(PAUSE) < now;
    let oldest = if last.is_done() { last.next_from } else { last.window.from };
    match (last.is_done(), was_off) {
        _ if oldest < now.minus(REACH) => begin(now, last.revision),
        (true, true) => begin(now, last.revision),
        (true, false) => next_or(last, every, now),
        (false, true) => Run { next_from: now.plus(WARM_UP), scheduled_at: now, ..last },
        (false, false) => Run { scheduled_at: now, ..last },
    }
}

/// The run after the last one if it is due, or the last one.
fn next_or(last: Run, every: Duration, now: Timestamp) -> Run {
    let window = Window { from: last.next_from, to: now.minus(SETTLING) };
    if window.from.plus(every) <= window.to {
        Run::new(NAME, window, true, now, last.revision)
    } else {
        Run { scheduled_at: now, ..last }
    }
}

/// A run that compares nothing; its end is where the next begins.
fn begin(now: Timestamp, revision: u64) -> Run {
    let from = now.plus(WARM_UP);
    let mut run = Run::new(NAME, Window { from, to: from }, true, now, revision);
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

    /// The run after the schedule came every five minutes, and each run was done at once.
    fn keep_on(mut run: Run, from: u32, to: u32) -> Run {
        let mut now = at(from);
        while now < at(to) {
            now = now.plus(Duration::from_secs(5 * 60));
            run = done(scheduled_run(Some(run), HOUR, now));
        }
        run
    }

    #[test]
    fn what_was_committed_before_recording_works_is_never_compared() {
        let first = scheduled_run(None, HOUR, at(0));
        assert!(first.is_done());
        let next = keep_on(first, 0, 27);
        let from = at(0).plus(WARM_UP);
        assert_eq!((next.window.from, next.republish), (from, true));
        assert!(next.window.to >= from.plus(HOUR));
    }

    #[test]
    fn what_the_publisher_may_still_be_retrying_is_not_compared() {
        let mut run = scheduled_run(None, HOUR, at(0));
        for hour in 0..60 {
            run = keep_on(run, hour, hour + 1);
            assert!(hour < 26 || run.window.to <= at(hour + 1).minus(Duration::from_secs(24 * 3_600)), "{hour}");
        }
        assert!(run.window.to > at(60).minus(SETTLING + HOUR * 2), "and it keeps up");
    }

    #[test]
    fn windows_follow_one_another_however_long_a_run_takes() {
        let mut run = keep_on(scheduled_run(None, HOUR, at(0)), 0, 30);
        run.segments.fill(Progress::NotBegun);
        let end = run.window.to;
        let mut now = at(30);
        while now < at(90) {
            now = now.plus(Duration::from_secs(10 * 60));
            run = scheduled_run(Some(run), HOUR, now);
            assert!(!run.is_done());
        }
        let next = scheduled_run(Some(done(run)), HOUR, at(90).plus(Duration::from_secs(300)));
        assert_eq!((next.window.from, next.is_done()), (end, false));
    }

    #[test]
    fn a_pause_begins_anew_for_nothing_was_recorded_meanwhile() {
        let run = keep_on(scheduled_run(None, HOUR, at(0)), 0, 30);
        let anew = scheduled_run(Some(run.clone()), HOUR, at(31));
        assert_eq!((anew.window.from, anew.is_done(), anew.revision), (at(31).plus(WARM_UP), true, run.revision));
        assert_eq!(keep_on(anew, 31, 58).window.from, at(31).plus(WARM_UP));
    }

    #[test]
    fn a_pause_before_the_first_comparison_begins_anew_as_well() {
        let run = keep_on(scheduled_run(None, HOUR, at(0)), 0, 2);
        assert_eq!(scheduled_run(Some(run), HOUR, at(20)).next_from, at(20).plus(WARM_UP));
    }

    #[test]
    fn a_run_that_was_open_before_a_pause_is_finished_and_the_pause_is_not_compared() {
        let mut run = keep_on(scheduled_run(None, HOUR, at(0)), 0, 30);
        run.segments.fill(Progress::NotBegun);
        let open = scheduled_run(Some(run.clone()), HOUR, at(40));
        assert_eq!((open.window, open.is_done()), (run.window, false));
        assert!(keep_on(done(open), 40, 70).window.from >= at(40).plus(WARM_UP));
    }

    #[test]
    fn a_window_that_the_trail_has_forgotten_is_not_compared() {
        let mut run = keep_on(scheduled_run(None, HOUR, at(0)), 0, 30);
        run.segments.fill(Progress::NotBegun);
        let anew = scheduled_run(Some(run), HOUR, at(15 * 24));
        assert_eq!((anew.next_from, anew.is_done()), (at(15 * 24).plus(WARM_UP), true));
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

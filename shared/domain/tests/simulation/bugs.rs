//! Rules broken on purpose, one at a time: the simulation must notice each.

use crate::run::run;

/// A rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A replay is not compared with the first request.
    FingerprintUnchecked,
    /// A new order replaces one of the same id.
    InsertOverwrites,
    /// A change is written whatever revision is stored.
    UpdateOverwrites,
    /// A put that was throttled counts as done.
    ThrottledIsStored,
    /// Every attempt of a request makes an id of its own.
    KeyIgnored,
    /// `FailedEntryCount` is not read.
    FailedEntriesIgnored,
    /// The stream resumes at the last failure instead of the first.
    LastFailureIsCheckpoint,
    /// A batch counts as done although its function died.
    CrashedBatchIsDone,
    /// After an event that failed the order's next is sent.
    OrderGoesOnAfterFailure,
    /// The feed's deduplication id is that of the version, not of the event.
    FeedDeduplicatesByVersion,
    /// An event is sent before its change is committed.
    PublishedBeforeCommit,
    /// A canceled order is released before the change is committed.
    ReleasedBeforeCommit,
    /// What was released is not released again later.
    ReleasedOnce,
    /// A request that is throttled gives the hold back, which may be that of an earlier one.
    ThrottledIsGivenBack,
    /// A hold that is confirmed a second time is taken a second time.
    ConfirmTakesAgain,
    /// A confirmation without an answer counts as done.
    UnansweredIsConfirmed,
    /// A message is deleted although its order is not settled, and nobody sweeps.
    FailedMessageIsDeleted,
}

/// The first seed whose run notices the bug.
fn noticed_at(bug: Bug) -> Option<u64> {
    (0..crate::DEFAULT_SEEDS).find(|seed| run(*seed, Some(bug), false).violation.is_some())
}

macro_rules! noticed {
    ($($name:ident: $bug:ident,)*) => { $(
        #[test]
        fn $name() {
            let seed = noticed_at(Bug::$bug).expect("the simulation does not notice it");
            let violation = run(seed, Some(Bug::$bug), false).violation;
            println!("noticed after {} seeds: {}", seed + 1, violation.unwrap_or_default());
        }
    )* };
}

noticed! {
    a_fingerprint_that_is_not_checked_is_noticed: FingerprintUnchecked,
    an_insert_that_overwrites_is_noticed: InsertOverwrites,
    an_update_that_overwrites_is_noticed: UpdateOverwrites,
    a_throttled_put_that_counts_as_done_is_noticed: ThrottledIsStored,
    an_idempotency_key_that_is_ignored_is_noticed: KeyIgnored,
    failed_entries_that_are_not_read_are_noticed: FailedEntriesIgnored,
    a_checkpoint_at_the_last_failure_is_noticed: LastFailureIsCheckpoint,
    a_batch_that_counts_as_done_after_a_crash_is_noticed: CrashedBatchIsDone,
    an_order_that_goes_on_after_a_failed_event_is_noticed: OrderGoesOnAfterFailure,
    a_deduplication_id_that_is_too_broad_is_noticed: FeedDeduplicatesByVersion,
    an_event_before_its_commit_is_noticed: PublishedBeforeCommit,
    a_release_before_the_commit_is_noticed: ReleasedBeforeCommit,
    a_release_that_is_not_repeated_is_noticed: ReleasedOnce,
    a_hold_given_back_by_a_throttled_replay_is_noticed: ThrottledIsGivenBack,
    a_hold_confirmed_twice_is_noticed: ConfirmTakesAgain,
    a_confirmation_without_an_answer_is_noticed: UnansweredIsConfirmed,
    a_failed_message_that_is_deleted_is_noticed: FailedMessageIsDeleted,
}

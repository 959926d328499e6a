//! Deliver events through a channel: in batches that it takes, every entry's result read, refused entries sent again.

use futures_util::future::join;
use futures_util::stream::{self, StreamExt};

use crate::event::Event;
use crate::ports::{BatchLimits, ChannelEntry, EventChannel, EventForm, EventPublisher, PublishError};

/// How often an event is sent again before it counts as failed; then the stream retries it.
const RETRIES: u32 = 2;

/// The most batches that are on their way at a time: what a whole batch of the table's stream needs.
const AT_ONCE: usize = 10;

/// Publishes through one channel.
#[derive(Debug, Clone)]
pub struct Delivery<C>(pub C);

/// Publishes through two that carry the same form; an event is out when both have it.
#[derive(Debug, Clone)]
pub struct Both<A, B>(pub Delivery<A>, pub Delivery<B>);

/// An entry on its way, with its place among the events given.
#[derive(Debug, Clone)]
struct Outgoing<C> {
    index: usize,
    entry: ChannelEntry<C>,
}

type Outcome = Result<(), PublishError>;

/// An event beside its form, or why it can never be sent.
type Written<'a, F> = Result<(&'a Event<'a>, F), PublishError>;

fn write<'a, F: EventForm>(events: &'a [Event<'a>]) -> Vec<Written<'a, F>> {
    events.iter().map(|event| Ok((event, F::write(event)?))).collect()
}

impl<C: EventChannel> EventPublisher for Delivery<C> {
    async fn publish(&self, events: &[Event<'_>]) -> Vec<Outcome> {
        self.deliver(&write(events)).await
    }
}

impl<A: EventChannel, B: EventChannel<Form = A::Form>> EventPublisher for Both<A, B> {
    async fn publish(&self, events: &[Event<'_>]) -> Vec<Outcome> {
        let written = write(events);
        let (first, second) = join(self.0.deliver(&written), self.1.deliver(&written)).await;
        first.into_iter().zip(second).map(|(first, second)| first.and(second)).collect()
    }
}

impl<C: EventChannel> Delivery<C> {
    /// Answers for each event, in the order given.
    async fn deliver(&self, events: &[Written<'_, C::Form>]) -> Vec<Outcome> {
        let mut results = Vec::with_capacity(events.len());
        let mut ready = Vec::with_capacity(events.len());
        for (index, written) in events.iter().enumerate() {
            let entry = written.as_ref().map_err(Clone::clone).and_then(|(event, form)| self.0.entry(event, form));
            results.push(match entry {
                Ok(entry) => {
                    ready.push(Outgoing { index, entry });
                    Err(PublishError("not sent".to_owned()))
                }
                Err(error) => Err(error),
            });
        }
        let batches = batches(ready, C::LIMITS).into_iter().map(|batch| self.send(batch));
        let sent: Vec<_> = stream::iter(batches).buffer_unordered(AT_ONCE).collect().await;
        for (index, result) in sent.into_iter().flatten() {
            if let Some(slot) = results.get_mut(index) {
                *slot = result;
            }
        }
        results
    }

    /// Sends one batch, then again what was refused of it.
    async fn send(&self, batch: Vec<Outgoing<C::Content>>) -> Vec<(usize, Outcome)> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut waiting = batch;
        for retry in 0..=RETRIES {
            if retry > 0 {
                self.0.pause(retry).await;
            }
            let is_last = retry == RETRIES;
            let contents = waiting.iter().map(|outgoing| outgoing.entry.content.clone()).collect();
            let mut answers = self.0.put(contents).await.into_iter();
            let mut refused = Vec::new();
            for outgoing in waiting {
                match answers.next() {
                    Some(Ok(())) => outcomes.push((outgoing.index, Ok(()))),
                    Some(Err(error)) if is_last => outcomes.push((outgoing.index, Err(error))),
                    Some(Err(_)) | None => refused.push(outgoing),
                }
            }
            waiting = refused;
            if waiting.is_empty() {
                break;
            }
        }
        outcomes
    }
}

/// Groups entries by what one call takes, in order.
fn batches<C>(entries: Vec<Outgoing<C>>, limits: BatchLimits) -> Vec<Vec<Outgoing<C>>> {
    let mut batches: Vec<Vec<Outgoing<C>>> = Vec::new();
    let mut bytes = 0;
    for outgoing in entries {
        let size = outgoing.entry.bytes;
        let fits = |batch: &&mut Vec<Outgoing<C>>| batch.len() < limits.entries && bytes + size <= limits.bytes;
        match batches.last_mut().filter(fits) {
            Some(batch) => {
                bytes += size;
                batch.push(outgoing);
            }
            None => {
                bytes = size;
                batches.push(vec![outgoing]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::event::new_events;
    use crate::memory::sample;

    thread_local! {
        /// How many events a test has written; each runs on a thread of its own.
        static WRITTEN: Cell<usize> = const { Cell::new(0) };
    }

    /// A form that notes how often it is made.
    struct Counted;

    impl EventForm for Counted {
        fn write(_: &Event<'_>) -> Result<Self, PublishError> {
            WRITTEN.set(WRITTEN.get() + 1);
            Ok(Self)
        }
    }

    /// Takes one event a call, and notes how many calls are open at a time.
    #[derive(Default)]
    struct Counting {
        open: AtomicUsize,
        most: AtomicUsize,
    }

    impl EventChannel for Counting {
        type Form = Counted;
        type Content = ();
        const LIMITS: BatchLimits = BatchLimits { entries: 1, bytes: 1_000 };

        fn entry(&self, _: &Event<'_>, _: &Counted) -> Result<ChannelEntry<()>, PublishError> {
            Ok(ChannelEntry { content: (), bytes: 1 })
        }

        async fn put(&self, batch: Vec<()>) -> Vec<Outcome> {
            let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
            self.most.fetch_max(open, Ordering::Relaxed);
            tokio::task::yield_now().await;
            self.open.fetch_sub(1, Ordering::Relaxed);
            batch.into_iter().map(Ok).collect()
        }

        async fn pause(&self, _: u32) {}
    }

    #[tokio::test]
    async fn an_event_is_written_once_for_both_channels() {
        let order = sample::order();
        let events = new_events(0, &order);
        let both = Both(Delivery(Counting::default()), Delivery(Counting::default()));
        assert!(both.publish(&events).await.iter().all(Result::is_ok));
        assert_eq!(WRITTEN.get(), events.len());
    }

    #[tokio::test]
    async fn however_many_events_there_are_only_some_batches_are_on_their_way_at_a_time() {
        let order = sample::order();
        let events: Vec<Event<'_>> = (0..30).flat_map(|_| new_events(0, &order)).collect();
        let delivery = Delivery(Counting::default());
        let results = delivery.publish(&events).await;
        assert_eq!((results.len(), results.iter().all(Result::is_ok)), (events.len(), true));
        assert_eq!(delivery.0.most.into_inner(), AT_ONCE);
    }
}

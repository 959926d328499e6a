//! A process: one invocation of a function, which runs until its next effect, and may die before or after any.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::table::Consumer;

/// Between two effects: others may run, or the process may die.
#[derive(Debug, Default)]
pub struct Point {
    is_past: bool,
}

impl Future for Point {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.is_past {
            return Poll::Ready(());
        }
        self.is_past = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// What a process works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A request of a client.
    Request,
    /// A batch of this shard of the stream, which the consumer is given again when the process dies.
    Stream(Consumer, usize),
    /// A sweep, a redrive, a reconciliation.
    Schedule,
}

impl Work {
    /// The function's timeout in template.yaml, in milliseconds.
    const fn timeout(self) -> i64 {
        match self {
            Self::Request => 5_000,
            Self::Stream(..) => 30_000,
            Self::Schedule => 60_000,
        }
    }
}

/// One invocation.
pub struct Process {
    /// Its name in the trace.
    pub name: String,
    /// What it works on.
    pub work: Work,
    dies_at: i64,
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Process {
    /// A process that begins now and does this.
    pub fn new(name: String, work: Work, now: i64, future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { name, work, dies_at: now + work.timeout(), future: Box::pin(future) }
    }

    /// Whether Lambda ends it because it has taken too long.
    pub const fn is_over(&self, now: i64) -> bool {
        now >= self.dies_at
    }

    /// Runs to the next point; whether the process has ended.
    pub fn step(&mut self) -> bool {
        self.future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// Runs to the end.
    pub fn finish(mut self) {
        while !self.step() {}
    }
}

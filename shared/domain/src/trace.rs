//! Trace contexts (<https://www.w3.org/TR/trace-context/>): which trace a change belongs to. No rule depends on them.

use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A `traceparent`: the trace, the span within it that did the work, and whether the trace is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace: u128,
    span: u64,
    is_sampled: bool,
}

/// `version-trace-span-flags` of version 00.
const LENGTH: usize = 55;

impl TraceParent {
    /// The form in which it is stored: trace, span, flags.
    pub const BYTES: usize = 25;

    /// A context; `None` for a trace or a span that is 0, which the standard forbids.
    #[must_use]
    pub const fn new(trace: u128, span: u64, is_sampled: bool) -> Option<Self> {
        if trace == 0 || span == 0 { None } else { Some(Self { trace, span, is_sampled }) }
    }

    /// Parses the header. Of a version to come, what version 00 knows is read; of the flags, only that the trace is recorded.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (known, rest) = text.split_at_checked(LENGTH)?;
        let mut parts = known.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (version, flags) = (hex(version, 2)?, hex(flags, 2)?);
        let fits = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        let context = Self::new(hex(trace, 32)?, u64::try_from(hex(span, 16)?).ok()?, flags & 1 == 1)?;
        (fits && parts.next().is_none()).then_some(context)
    }

    /// The same trace, continued by another span.
    #[must_use]
    pub const fn continued_by(self, other: Self) -> Self {
        Self { span: other.span, ..self }
    }

    /// The id of the trace, 32 hex digits.
    #[must_use]
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The form in which it is stored.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let parts = self.trace.to_be_bytes().into_iter().chain(self.span.to_be_bytes());
        for (byte, part) in bytes.iter_mut().zip(parts.chain([u8::from(self.is_sampled)])) {
            *byte = part;
        }
        bytes
    }

    /// Reads what [`TraceParent::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (trace, rest) = bytes.split_first_chunk()?;
        let (span, flags) = rest.split_first_chunk()?;
        let [flags] = flags else { return None };
        Self::new(u128::from_be_bytes(*trace), u64::from_be_bytes(*span), flags & 1 == 1)
    }
}

/// `00-<trace>-<span>-<flags>`
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.is_sampled))
    }
}

fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_well_formed = text.len() == digits && text.bytes().all(is_hex);
    if is_well_formed { u128::from_str_radix(text, 16).ok() } else { None }
}

thread_local! {
    static CURRENT: Cell<Option<TraceParent>> = const { Cell::new(None) };
}

/// The trace of the work that is being done, for those who make calls on its behalf.
#[must_use]
pub fn current() -> Option<TraceParent> {
    CURRENT.get()
}

/// Does the work as part of this trace; with `None`, as part of the one it is in already.
pub fn within<F: Future>(trace: Option<TraceParent>, work: F) -> Within<F> {
    Within { trace, work: Box::pin(work) }
}

/// Work that is part of a trace, whatever thread it is polled on and whatever else is polled in between.
#[derive(Debug)]
pub struct Within<F> {
    trace: Option<TraceParent>,
    work: Pin<Box<F>>,
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let outer = current();
        let _restored = Restored(outer);
        CURRENT.set(self.trace.or(outer));
        self.work.as_mut().poll(context)
    }
}

/// Puts the outer trace back, also when the work panics.
struct Restored(Option<TraceParent>);

impl Drop for Restored {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join;
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn sample(span: u64) -> TraceParent {
        TraceParent::new(7, span, true).unwrap()
    }

    #[test]
    fn the_sample_of_the_standard_is_read_and_written_unchanged() {
        let context = TraceParent::parse(SAMPLE).unwrap();
        assert_eq!((context.to_string().as_str(), context.trace_id().as_str()), (SAMPLE, &SAMPLE[3..35]));
        assert_eq!(TraceParent::from_bytes(&context.to_bytes()), Some(context));
    }

    #[test]
    fn what_the_standard_forbids_is_no_context() {
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-001",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ü",
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_version_to_come_is_read_as_far_as_it_is_known() {
        for later in ["cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-09", &format!("cc{}-more", &SAMPLE[2..])] {
            assert_eq!(TraceParent::parse(later).unwrap().to_string(), SAMPLE, "{later}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_it_reads_it_writes(text in "\\PC{0,60}", trace: u128, span: u64, on: bool) {
            let _ = TraceParent::parse(&text);
            let context = TraceParent::new(trace, span, on);
            prop_assert_eq!(context.and_then(|context| TraceParent::parse(&context.to_string())), context);
            prop_assert_eq!(context.and_then(|context| TraceParent::from_bytes(&context.to_bytes())), context);
        }
    }

    #[tokio::test]
    async fn work_side_by_side_stays_in_its_own_trace() {
        let work = async |context: TraceParent| {
            for _ in 0..3 {
                assert_eq!(current(), Some(context));
                tokio::task::yield_now().await;
            }
            within(None, async { assert_eq!(current(), Some(context)) }).await;
        };
        join(within(Some(sample(1)), work(sample(1))), within(Some(sample(2)), work(sample(2)))).await;
        assert_eq!(current(), None);
    }

    #[test]
    fn work_that_panics_leaves_no_trace_behind() {
        let panicking =
            || futures_util::FutureExt::now_or_never(within(Some(sample(1)), async { panic!("on purpose") }));
        assert!(std::panic::catch_unwind(panicking).is_err());
        assert_eq!(current(), None);
    }
}

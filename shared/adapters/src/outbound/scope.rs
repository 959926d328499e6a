//! What every call of a partner within one request or message shares: the time that is left, and the trace.

use std::time::{Duration, Instant, SystemTime};

tokio::task_local! {
    static SCOPE: CallScope;
}

/// What a function keeps for its own work before Lambda's deadline.
const OWN_WORK: Duration = Duration::from_millis(700);

/// The bounds of the partner calls of one invocation.
#[derive(Debug, Clone)]
pub struct CallScope {
    /// When Lambda ends the invocation, or the caller wants it to be over.
    deadline: Option<Instant>,
    /// When the request began whose calls share the patience with a partner; `None`: each call has its own.
    request_began: Option<Instant>,
    trace: Option<String>,
}

impl CallScope {
    /// For an HTTP request: what a partner is given for a whole request, or less when Lambda gives the function less.
    #[must_use]
    pub fn of_request(context: Option<&lambda_http::Context>) -> Self {
        Self { request_began: Some(Instant::now()), ..Self::within(Duration::MAX, context) }
    }

    /// For a message or a sweep: this much time, or less when Lambda gives the function less.
    #[must_use]
    pub fn within(budget: Duration, context: Option<&lambda_http::Context>) -> Self {
        let left = context.and_then(|context| left_until(context.deadline())).unwrap_or(Duration::MAX);
        let trace = context.and_then(|context| context.xray_trace_id.clone());
        Self { deadline: Instant::now().checked_add(budget.min(left)), request_began: None, trace }
    }

    /// The present scope, with at least this much time left for a partner that is given `whole`.
    pub(crate) fn at_least(time: Duration, whole: Duration) -> Self {
        let left = Self::deadline(whole).saturating_duration_since(Instant::now());
        Self { deadline: Some(Instant::now() + left.max(time)), request_began: None, trace: Self::trace() }
    }

    /// Runs the work within these bounds.
    pub async fn run<F: Future>(self, work: F) -> F::Output {
        SCOPE.scope(self, work).await
    }

    /// When a call that begins now must be over, of a partner that is given `whole`.
    pub(super) fn deadline(whole: Duration) -> Instant {
        let bounds = SCOPE.try_with(|scope| (scope.deadline, scope.request_began)).unwrap_or_default();
        let own = bounds.1.unwrap_or_else(Instant::now) + whole;
        bounds.0.map_or(own, |deadline| deadline.min(own))
    }

    /// The trace header to pass on.
    pub(super) fn trace() -> Option<String> {
        SCOPE.try_with(|scope| scope.trace.clone()).ok().flatten()
    }
}

/// The time for partner calls before Lambda's deadline. A deadline already past is none: `cargo lambda watch` sends one
/// in 1970.
fn left_until(deadline: SystemTime) -> Option<Duration> {
    let left = deadline.duration_since(SystemTime::now()).ok()?;
    Some(left.saturating_sub(OWN_WORK))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use lambda_http::Context;

    use super::*;

    const WHOLE: Duration = Duration::from_millis(2_500);

    /// What is left for partner calls with this deadline.
    async fn remaining(deadline: SystemTime) -> Duration {
        let mut context = Context::default();
        let since_1970 = deadline.duration_since(UNIX_EPOCH).unwrap();
        context.deadline = u64::try_from(since_1970.as_millis()).unwrap();
        let scope = CallScope::of_request(Some(&context));
        scope.run(async { CallScope::deadline(WHOLE).saturating_duration_since(Instant::now()) }).await
    }

    #[tokio::test]
    async fn a_near_deadline_shortens_the_budget_and_keeps_time_for_the_functions_own_work() {
        let left = remaining(SystemTime::now() + OWN_WORK + Duration::from_millis(300)).await;
        assert!(left <= Duration::from_millis(300) && left > Duration::from_millis(100), "{left:?}");
        assert_eq!(remaining(SystemTime::now() + OWN_WORK / 2).await, Duration::ZERO);
    }

    #[tokio::test]
    async fn a_deadline_already_past_counts_as_none() {
        let left = remaining(UNIX_EPOCH + Duration::from_millis(600_000)).await;
        assert!(left > WHOLE / 2, "{left:?}");
    }
}

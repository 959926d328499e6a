//! What every call of a partner within one request or message shares: the time that is left, and the trace.

use std::time::{Duration, Instant, SystemTime};

tokio::task_local! {
    static SCOPE: CallScope;
}

/// All partner work of one HTTP request must fit into this.
const REQUEST_BUDGET: Duration = Duration::from_millis(800);

/// What a function keeps for its own work before Lambda's deadline.
const OWN_WORK: Duration = Duration::from_millis(700);

/// The bounds of the partner calls of one invocation.
#[derive(Debug, Clone)]
pub struct CallScope {
    deadline: Instant,
    trace: Option<String>,
}

impl CallScope {
    /// For an HTTP request: 800 ms, or less when Lambda gives the function less.
    #[must_use]
    pub fn of_request(context: Option<&lambda_http::Context>) -> Self {
        Self::within(REQUEST_BUDGET, context)
    }

    /// For a message or a sweep: this much time, or less when Lambda gives the function less.
    #[must_use]
    pub fn within(budget: Duration, context: Option<&lambda_http::Context>) -> Self {
        let left = context.and_then(|context| left_until(context.deadline())).unwrap_or(Duration::MAX);
        let trace = context.and_then(|context| context.xray_trace_id.clone());
        Self { deadline: Instant::now() + budget.min(left), trace }
    }

    /// The present scope, with at least this much time left.
    pub(crate) fn at_least(time: Duration) -> Self {
        Self { deadline: Instant::now() + Self::remaining().max(time), trace: Self::trace() }
    }

    /// Runs the work within these bounds.
    pub async fn run<F: Future>(self, work: F) -> F::Output {
        SCOPE.scope(self, work).await
    }

    /// The time that is left for partner calls.
    pub(super) fn remaining() -> Duration {
        let deadline = SCOPE.try_with(|scope| scope.deadline);
        deadline.map_or(REQUEST_BUDGET, |deadline| deadline.saturating_duration_since(Instant::now()))
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

    /// What is left for partner calls with this deadline.
    async fn remaining(deadline: SystemTime) -> Duration {
        let mut context = Context::default();
        let since_1970 = deadline.duration_since(UNIX_EPOCH).unwrap();
        context.deadline = u64::try_from(since_1970.as_millis()).unwrap();
        CallScope::of_request(Some(&context)).run(async { CallScope::remaining() }).await
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
        assert!(left > REQUEST_BUDGET / 2, "{left:?}");
    }
}

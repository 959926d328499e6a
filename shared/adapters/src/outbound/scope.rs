//! What every call of a partner within one request or message shares: the time that is left, and the trace.

use std::time::{Duration, Instant};

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
        let left = context.map_or(Duration::MAX, |context| {
            context.deadline().duration_since(std::time::SystemTime::now()).unwrap_or_default().saturating_sub(OWN_WORK)
        });
        let trace = context.and_then(|context| context.xray_trace_id.clone());
        Self { deadline: Instant::now() + budget.min(left), trace }
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

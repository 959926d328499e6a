//! The trace of an invocation: the caller's, or X-Ray's, or one of its own.

use domain::trace::TraceParent;
use uuid::Uuid;

/// The trace context under which an invocation works. Its span is the beginning of Lambda's request id, so that the line
/// of the invocation can be found from a span, and the other way round; a fresh trace is the whole request id.
#[must_use]
pub fn trace_of(caller: Option<&str>, xray: Option<&str>, request_id: &str) -> Option<TraceParent> {
    let own = Uuid::parse_str(request_id).ok().and_then(of_uuid).or_else(|| of_uuid(Uuid::now_v7()))?;
    let earlier = caller.and_then(TraceParent::parse).or_else(|| xray.and_then(of_xray));
    Some(earlier.map_or(own, |earlier| earlier.continued_by(own)))
}

fn of_uuid(id: Uuid) -> Option<TraceParent> {
    TraceParent::new(id.as_u128(), id.as_u64_pair().0, false)
}

/// `Root=1-<8 hex digits>-<24 hex digits>;Parent=<16 hex digits>;Sampled=<0 or 1>`
fn of_xray(header: &str) -> Option<TraceParent> {
    let part = |name| header.split(';').find_map(|part| part.trim().strip_prefix(name));
    let (epoch, rest) = part("Root=1-")?.split_once('-')?;
    let flags = if part("Sampled=") == Some("1") { "01" } else { "00" };
    let parent = part("Parent=").unwrap_or("0000000000000001");
    TraceParent::parse(&format!("00-{epoch}{rest}-{parent}-{flags}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = "6f1c9a52-0d4e-4c1b-9a51-000000000001";
    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const XRAY: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0";

    fn traced(caller: Option<&str>, xray: Option<&str>) -> String {
        trace_of(caller, xray, REQUEST).unwrap().to_string()
    }

    #[test]
    fn the_caller_comes_before_xray_and_xray_before_a_fresh_trace() {
        let span = "6f1c9a520d4e4c1b";
        assert_eq!(traced(Some(CALLER), Some(XRAY)), format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{span}-01"));
        for unusable in [None, Some(""), Some("00-nonsense")] {
            assert_eq!(traced(unusable, Some(XRAY)), format!("00-5759e988bd862e3fe1be46a994272793-{span}-01"));
            let fresh = format!("00-6f1c9a520d4e4c1b9a51000000000001-{span}-00");
            for xray in [None, Some("Root=1-x-y"), Some("Sampled=1")] {
                assert_eq!(traced(unusable, xray), fresh);
            }
        }
    }

    #[test]
    fn without_a_request_id_every_trace_is_another() {
        let traces = [(); 2].map(|()| trace_of(None, None, "").unwrap().trace_id());
        assert_ne!(traces[0], traces[1]);
    }
}

//! The processes that the emulator runs functions in.

use std::collections::BTreeMap;
use std::process::Command;

use crate::{http, routes, setting};

/// How often each function behind a route that needs a token was started, by its logical name.
pub async fn started_behind_tokens() -> BTreeMap<String, u64> {
    let url = format!("{}/_local/started", setting("AWS_ENDPOINT_URL"));
    let answer = http().get(url).send().await.expect("the emulator answers").bytes().await.expect("a whole body");
    let started: BTreeMap<String, u64> = serde_json::from_slice(&answer).expect("counts");
    let count = |function: &str| {
        let name = format!("{}-{function}", setting("STACK_NAME"));
        started.iter().filter(|(physical, _)| physical.starts_with(&name)).map(|(_, count)| count).sum()
    };
    let behind = routes().into_iter().filter(|route| !route.is_open);
    behind.map(|route| (route.function.clone(), count(&route.function))).collect()
}

/// The processes of one function of the stack under test.
#[derive(Debug, Clone)]
pub struct Functions {
    function: String,
    endpoint: String,
}

impl Functions {
    /// Those of the function whose name in the template begins so.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            function: format!("AWS_LAMBDA_FUNCTION_NAME={}-{name}", setting("STACK_NAME")),
            endpoint: format!("AWS_ENDPOINT_URL={}", setting("AWS_ENDPOINT_URL")),
        }
    }

    /// Kills them without a warning; how many there were.
    #[must_use]
    pub fn kill(&self) -> usize {
        let processes = std::fs::read_dir("/proc").expect("Linux");
        let ids = processes.filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.parse::<u32>().ok());
        ids.filter(|id| self.is_one(*id)).filter(|id| kill(*id)).count()
    }

    /// A process that ends meanwhile is none.
    fn is_one(&self, process: u32) -> bool {
        let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        let has = |wanted: &str| {
            let mut variables = environment.split(|byte| *byte == 0);
            variables.any(|variable| variable.starts_with(wanted.as_bytes()))
        };
        has(&self.function) && has(&self.endpoint)
    }
}

fn kill(process: u32) -> bool {
    Command::new("kill").args(["-9", &process.to_string()]).status().is_ok_and(|status| status.success())
}

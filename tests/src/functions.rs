//! The processes that the emulator runs functions in.

use std::process::Command;

use crate::setting;

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

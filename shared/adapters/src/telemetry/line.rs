//! One line of the log that is a metric as well, in CloudWatch's embedded metric format
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).

use std::sync::OnceLock;

use domain::ports::Clock;
use domain::timestamp::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tracing_subscriber::filter::LevelFilter;

use super::level;
use super::metrics::{self, Metric};
use crate::system::SystemClock;

/// A line on its way. Members that are metrics or dimensions are written in `CamelCase`.
#[derive(Debug)]
pub struct Line {
    at: Timestamp,
    level: LevelFilter,
    members: Map<String, Value>,
    metrics: Vec<(String, &'static Metric)>,
}

/// Metrics that share their dimensions.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    dimensions: [&'static [&'static str]; 1],
    metrics: Vec<Definition<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition<'a> {
    name: &'a str,
    unit: &'static str,
}

impl Line {
    /// A line that says this, of the usual.
    #[must_use]
    pub fn info(message: &'static str) -> Self {
        Self::new(LevelFilter::INFO, message)
    }

    /// A line that says this, of what somebody should know.
    #[must_use]
    pub fn warn(message: &'static str) -> Self {
        Self::new(LevelFilter::WARN, message)
    }

    /// A line that says this, of what somebody must look into.
    #[must_use]
    pub fn error(message: &'static str) -> Self {
        Self::new(LevelFilter::ERROR, message)
    }

    fn new(level: LevelFilter, message: &'static str) -> Self {
        let line = Self { at: SystemClock.now(), level, members: Map::new(), metrics: Vec::new() };
        line.with("message", message)
    }

    /// The same line, at least as severe as a warning.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.level = self.level.min(LevelFilter::WARN);
        self
    }

    /// Adds a member; for a dimension, by its name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a member that is there.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a metric: one value, or a list of at most 100.
    #[must_use]
    pub fn measured(self, metric: &'static Metric, value: impl Into<Value>) -> Self {
        self.measured_as(metric, metric.name.to_owned(), value)
    }

    /// Adds a metric under a name of its family.
    #[must_use]
    pub(super) fn measured_as(mut self, metric: &'static Metric, name: String, value: impl Into<Value>) -> Self {
        if metric.dimensions.contains(&metrics::RELEASE) {
            self.members.insert(metrics::RELEASE.to_owned(), metrics::release().into());
        }
        self.members.insert(name.clone(), value.into());
        self.metrics.push((name, metric));
        self
    }

    /// The JSON object. It claims the level from which lines are kept when its own is less severe: with the line, Lambda
    /// would drop its metrics. Lambda believes the level of a line with a timestamp only.
    #[must_use]
    pub fn into_json(mut self) -> Value {
        let claimed = self.level.min(level_kept()).to_string().to_uppercase();
        let directives = self.directives();
        if !directives.is_empty() {
            let about = json!({"Timestamp": self.at.as_millis(), "CloudWatchMetrics": directives});
            self.members.insert("_aws".to_owned(), about);
        }
        self.with("level", claimed).stamped()
    }

    fn stamped(self) -> Value {
        let at = self.at.to_string();
        Value::Object(self.with("timestamp", at).members)
    }

    fn directives(&self) -> Vec<Directive<'_>> {
        let mut directives: Vec<Directive<'_>> = Vec::new();
        for (name, metric) in &self.metrics {
            let definition = Definition { name, unit: metric.unit.as_str() };
            match directives.iter_mut().find(|directive| directive.dimensions == [metric.dimensions]) {
                Some(directive) => directive.metrics.push(definition),
                None => directives.push(Directive {
                    namespace: metrics::namespace(),
                    dimensions: [metric.dimensions],
                    metrics: vec![definition],
                }),
            }
        }
        directives
    }

    /// Writes the line, in one piece.
    pub fn write(self) {
        let mut text = self.into_json().to_string();
        text.push('\n');
        print!("{text}");
    }
}

/// The level from which lines are kept. It does not change while the process lives.
fn level_kept() -> LevelFilter {
    static LEVEL: OnceLock<LevelFilter> = OnceLock::new();
    *LEVEL.get_or_init(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_the_same_dimensions_share_a_directive() {
        let line = Line::info("request")
            .with("Route", "GET /orders")
            .with("Code", "ok")
            .measured(&metrics::LATENCY, 3)
            .measured(&metrics::INVENTORY_LATENCY, json!([1, 2]))
            .measured(&metrics::REPLAYED_KEYS, 1);
        let json = line.into_json();
        assert_eq!(
            (&json["Latency"], &json["InventoryLatency"], &json["ReplayedKeys"]),
            (&json!(3), &json!([1, 2]), &json!(1))
        );
        let expected = json!([
            {"Namespace": "Orders", "Dimensions": [["Route", "Code"]], "Metrics": [{"Name": "Latency", "Unit": "Milliseconds"}]},
            {"Namespace": "Orders", "Dimensions": [[]], "Metrics": [
                {"Name": "InventoryLatency", "Unit": "Milliseconds"}, {"Name": "ReplayedKeys", "Unit": "Count"},
            ]},
        ]);
        assert_eq!(json["_aws"]["CloudWatchMetrics"], expected);
        let at = Timestamp::parse(json["timestamp"].as_str().unwrap()).unwrap();
        assert_eq!(Some(at.as_millis()), json["_aws"]["Timestamp"].as_i64());
    }

    #[test]
    fn a_metric_of_a_release_names_it() {
        let json = Line::info("a token was accepted").measured(&metrics::TOKENS_REFUSED, 0).into_json();
        assert_eq!((&json["Release"], &json["TokensRefused"]), (&json!("local"), &json!(0)));
        assert_eq!(json["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["Release"]]));
    }

    #[test]
    fn a_line_without_metrics_is_no_metric() {
        let json = Line::warn("odd").into_json();
        assert_eq!(
            (json.get("_aws"), json["level"].as_str(), json["message"].as_str()),
            (None, Some("WARN"), Some("odd"))
        );
    }
}

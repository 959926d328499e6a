//! What API Gateway and the firewall answer by themselves, from template.yaml.

use std::collections::BTreeMap;

use adapters::http::API_VERSION;
use adapters::testing;
use serde_json::Value;

use crate::problems::{ORDER, REQUEST};
use crate::{text_of, yaml};

/// An answer that no function gives.
#[derive(Debug)]
pub struct GatewayAnswer {
    /// The name of the gateway response.
    pub kind: String,
    /// `None` for `DEFAULT_4XX`, which stands for several.
    pub status: Option<u16>,
    pub headers: BTreeMap<String, String>,
    /// The body, filled in.
    pub body: Value,
}

/// The gateway responses.
pub fn gateway() -> Vec<GatewayAnswer> {
    let responses = resources()["Api"]["Properties"]["GatewayResponses"].take();
    let answers = responses.as_object().unwrap().iter().map(|(kind, response)| {
        let body = text(&response["ResponseTemplates"]["application/json"]);
        let body = body.replace("$context.path", ORDER).replace("$context.requestId", REQUEST);
        let body = body.replace("$context.error.responseType", "BAD_REQUEST_BODY");
        let status = |status: u64| u16::try_from(status).unwrap();
        GatewayAnswer {
            kind: kind.clone(),
            status: response["StatusCode"].as_u64().map(status),
            headers: headers(&response["ResponseParameters"]["Headers"]),
            body: serde_json::from_str(&body).unwrap(),
        }
    });
    answers.collect()
}

/// What the firewall answers to too many requests of one IP address.
pub fn firewall() -> GatewayAnswer {
    let properties = resources()["Firewall"]["Properties"].take();
    let mut answers = properties["Rules"].as_array().unwrap().iter();
    let answer = answers.find_map(|rule| rule["Action"]["Block"].get("CustomResponse")).unwrap();
    let body = &properties["CustomResponseBodies"][text(&answer["CustomResponseBodyKey"])]["Content"];
    let pairs = answer["ResponseHeaders"].as_array().unwrap().iter();
    GatewayAnswer {
        kind: "firewall".to_owned(),
        status: Some(answer["ResponseCode"].as_u64().unwrap().try_into().unwrap()),
        headers: pairs.map(|header| (text(&header["Name"]).to_owned(), text(&header["Value"]).to_owned())).collect(),
        body: serde_json::from_str(text(body)).unwrap(),
    }
}

impl GatewayAnswer {
    /// All of it, as text.
    pub fn shape(&self) -> String {
        let status = self.status.map_or_else(|| "4xx".to_owned(), |status| status.to_string());
        let header =
            |(name, value): (&String, &String)| format!("{name}: {}\n", value.replace(API_VERSION, "<version>"));
        let headers: String = self.headers.iter().map(header).collect();
        format!("{} {status}\n{headers}\n{}", self.kind, testing::pretty(&self.body))
    }
}

fn resources() -> Value {
    yaml::read(&text_of("template.yaml"))["Resources"].take()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The values without their quotes; what only a condition gives (`!If [condition, value, none]`) with its name.
fn headers(values: &Value) -> BTreeMap<String, String> {
    let value = |value: &Value| match value {
        Value::Array(parts) => format!("{} (if {})", text(&parts[1]).trim_matches('\''), text(&parts[0])),
        value => text(value).trim_matches('\'').to_owned(),
    };
    values.as_object().unwrap().iter().map(|(name, header)| (name.clone(), value(header))).collect()
}

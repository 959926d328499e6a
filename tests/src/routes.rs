//! The routes of template.yaml.

/// A route of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The logical name of the function behind it.
    pub function: String,
    /// The HTTP method.
    pub method: String,
    /// The path, with `{id}` in the place of an order's id and `{export_id}` in that of an export's.
    pub path: String,
    /// Whether it needs no token.
    pub is_open: bool,
}

const TEMPLATE: &str = include_str!("../../template.yaml");

/// Every route of the template.
#[must_use]
pub fn routes() -> Vec<Route> {
    let mut function = "";
    let mut routes = Vec::new();
    for line in TEMPLATE.lines() {
        if let Some(name) = line.strip_prefix("  ").filter(|name| !name.starts_with(' ')) {
            function = name.trim_end_matches(':');
        }
        if line.contains("RestApiId: !Ref Api, Method:") {
            routes.push(Route {
                function: function.to_owned(),
                method: member(line, "Method"),
                path: member(line, "Path"),
                is_open: line.contains("Authorizer: NONE"),
            });
        }
    }
    let events = TEMPLATE.matches("Type: Api,").count() + TEMPLATE.matches("Type: Api\n").count();
    assert_eq!(routes.len(), events, "a route is written in a form that is not read here");
    routes
}

/// The value of a member in a mapping on one line.
fn member(line: &str, name: &str) -> String {
    let (_, rest) = line.split_once(&format!("{name}: ")).expect("the member");
    let value = rest.trim_start_matches('"').split(['"', ',', ' ']).next();
    value.unwrap_or_default().to_owned()
}

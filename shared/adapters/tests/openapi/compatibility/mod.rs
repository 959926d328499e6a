//! What a client that was built against one document would notice of another: removed routes, answers and members, and
//! requests that are no longer accepted.

#[cfg(test)]
mod sample;
mod schema;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use schema::{Direction, Schemas};

/// Every change from `old` to `new` that breaks a client, as `where: what`.
pub fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let mut comparison = Comparison { schemas: Schemas { old, new }, found: Vec::new() };
    for (path, old_item) in members(&old["paths"]) {
        for (method, old_operation) in members(old_item) {
            let at = format!("{} {path}", method.to_uppercase());
            match new["paths"][path].get(method) {
                None => comparison.note(&at, "is gone"),
                Some(new_operation) => comparison.operation(&at, old_operation, new_operation),
            }
        }
    }
    comparison.found
}

struct Comparison<'a> {
    schemas: Schemas<'a>,
    found: Vec<String>,
}

impl Comparison<'_> {
    fn note(&mut self, at: &str, what: &str) {
        self.found.push(format!("{at}: {what}"));
    }

    fn operation(&mut self, at: &str, old: &Value, new: &Value) {
        if old["operationId"] != new["operationId"] {
            self.note(at, "has another operationId");
        }
        if scopes(new).iter().any(|scope| !scopes(old).contains(scope)) {
            self.note(at, "needs another scope");
        }
        self.parameters(at, old, new);
        self.request(at, &old["requestBody"], &new["requestBody"]);
        for (status, old_answer) in members(&old["responses"]) {
            let at = format!("{at} {status}");
            match new["responses"].get(status) {
                None => self.note(&at, "is gone"),
                Some(new_answer) => self.answer(&at, old_answer, new_answer),
            }
        }
    }

    fn parameters(&mut self, at: &str, old: &Value, new: &Value) {
        let (old, new) = (self.parameters_of(self.schemas.old, old), self.parameters_of(self.schemas.new, new));
        for (name, parameter) in &new {
            let was_required = old.get(name).is_some_and(|old| old["required"] == true);
            if parameter["required"] == true && !was_required {
                self.note(&format!("{at} {name}"), "is required now");
            }
        }
        for (name, parameter) in &old {
            let at = format!("{at} {name}");
            match new.get(name) {
                None => self.note(&at, "is gone"),
                Some(new) => self.schema(&at, Direction::Request, &parameter["schema"], &new["schema"]),
            }
        }
    }

    fn parameters_of(&self, document: &Value, operation: &Value) -> Map<String, Value> {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| schema::resolved(document, parameter));
        let name = |parameter: &Value| {
            format!("{} {}", parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap())
        };
        parameters.map(|parameter| (name(parameter), parameter.clone())).collect()
    }

    fn request(&mut self, at: &str, old: &Value, new: &Value) {
        if new["required"] == true && old["required"] != true {
            self.note(at, "needs a body now");
        }
        self.content(&format!("{at} body"), Direction::Request, old, new);
    }

    fn answer(&mut self, at: &str, old: &Value, new: &Value) {
        for (name, old_header) in members(&old["headers"]) {
            let at = format!("{at} header {name}");
            let old_header = schema::resolved(self.schemas.old, old_header);
            match new["headers"].get(name).map(|header| schema::resolved(self.schemas.new, header)) {
                None => self.note(&at, "is gone"),
                Some(new) if old_header["required"] == true && new["required"] != true => {
                    self.note(&at, "is optional now");
                }
                Some(new) => self.schema(&at, Direction::Answer, &old_header["schema"], &new["schema"]),
            }
        }
        self.content(at, Direction::Answer, old, new);
    }

    fn content(&mut self, at: &str, direction: Direction, old: &Value, new: &Value) {
        for (media_type, old) in members(&old["content"]) {
            match new["content"].get(media_type) {
                None => self.note(&format!("{at} {media_type}"), "is gone"),
                Some(new) => self.schema(at, direction, &old["schema"], &new["schema"]),
            }
        }
    }

    fn schema(&mut self, at: &str, direction: Direction, old: &Value, new: &Value) {
        self.schemas.compare(at, direction, old, new, &mut self.found);
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The scopes that an operation needs.
fn scopes(operation: &Value) -> Vec<Value> {
    let schemes = operation["security"].as_array().into_iter().flatten();
    schemes.flat_map(|scheme| members(scheme).map(|(name, scopes)| json!([name, scopes])).collect::<Vec<_>>()).collect()
}

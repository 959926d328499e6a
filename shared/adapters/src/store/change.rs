//! What an update writes: the attributes that differ, and nothing else.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

type Item = HashMap<String, AttributeValue>;

/// The update expression that turns `before` into `after`. Attributes that neither holds stay as they are, so that an
/// older version of the service does not remove what a newer one added.
pub(super) fn update(mut request: UpdateItemFluentBuilder, before: &Item, after: Item) -> UpdateItemFluentBuilder {
    let mut removed: Vec<&String> = before.keys().filter(|name| !after.contains_key(*name)).collect();
    removed.sort_unstable();
    let mut changed: Vec<_> = after.into_iter().filter(|(name, value)| before.get(name) != Some(value)).collect();
    changed.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let mut sets = Vec::new();
    for (name, value) in changed {
        sets.push(format!("#{name} = :{name}"));
        request = request
            .expression_attribute_names(format!("#{name}"), &name)
            .expression_attribute_values(format!(":{name}"), value);
    }
    let mut removes = Vec::new();
    for name in removed {
        removes.push(format!("#{name}"));
        request = request.expression_attribute_names(format!("#{name}"), name);
    }
    let clause = |verb: &str, parts: &[String]| match parts {
        [] => String::new(),
        parts => format!("{verb} {} ", parts.join(", ")),
    };
    request.update_expression(format!("{}{}", clause("SET", &sets), clause("REMOVE", &removes)).trim_end())
}

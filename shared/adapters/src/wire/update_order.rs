//! The body of `PUT /orders/{id}`.

use domain::details::{Edit, Patch};
use domain::line::RequestedLines;
use domain::metadata::Metadata;
use domain::text::Text;
use serde::{Deserialize, Deserializer};

use super::create_order::{AddressBody, LineBody, address, lines};
use super::pairs::Pairs;
use crate::problem::{Fields, Problem};

/// What a client sends to edit an order: a field that is absent stays, `null` empties it.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateOrder {
    /// The new lines, in place of all present ones. Lines of one product are reserved as one, of at most 10,000 units.
    /// An order always has lines, so `null` is refused.
    #[cfg_attr(feature = "schemas", schemars(with = "Vec<LineBody>", length(min = 1, max = 100)))]
    #[serde(default, deserialize_with = "present")]
    lines: Option<Vec<LineBody>>,
    #[cfg_attr(feature = "schemas", schemars(with = "Option<AddressBody>"))]
    #[serde(default, deserialize_with = "given")]
    shipping_address: Option<Option<AddressBody>>,
    /// All pairs: those that are missing here are removed.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::MetadataPairs>"))]
    #[serde(default, deserialize_with = "given")]
    metadata: Option<Option<Pairs>>,
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::Text<255>>"))]
    #[serde(default, deserialize_with = "given")]
    external_reference: Option<Option<String>>,
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::Text<2000>>"))]
    #[serde(default, deserialize_with = "given")]
    notes: Option<Option<String>>,
}

/// Tells `null` from absent: serde calls this for present fields only.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A field that may be absent and not `null`.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl UpdateOrder {
    /// The edit and the new lines, when every field keeps its rule.
    ///
    /// # Errors
    /// [`crate::problem::Code::ValidationFailed`] naming every field that does not.
    pub fn into_edit(self) -> Result<(Edit, Option<RequestedLines>), Problem> {
        let mut fields = Fields::default();
        let lines = self.lines.and_then(|bodies| lines(&mut fields, bodies));
        let shipping_address = patch(self.shipping_address, |body| address(&mut fields, body));
        let metadata = self.metadata.map(Option::unwrap_or_default);
        let metadata = metadata.and_then(|pairs| fields.check("/metadata", Metadata::parse(pairs.0)));
        let reference = patch(self.external_reference, |text| fields.check("/external_reference", Text::parse(text)));
        let notes = patch(self.notes, |text| fields.check("/notes", Text::parse(text)));
        let metadata = metadata.map_or(Patch::Keep, Patch::Set);
        fields.finish(Some((Edit { shipping_address, metadata, external_reference: reference, notes }, lines)))
    }
}

fn patch<R, T>(field: Option<Option<R>>, parse: impl FnOnce(R) -> Option<T>) -> Patch<T> {
    match field {
        None => Patch::Keep,
        Some(None) => Patch::Clear,
        Some(Some(raw)) => parse(raw).map_or(Patch::Keep, Patch::Set),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<(Edit, Option<RequestedLines>), Problem> {
        serde_json::from_str::<UpdateOrder>(json).unwrap().into_edit()
    }

    #[test]
    fn an_absent_field_stays_and_null_empties_it() {
        let (edit, lines) = parse(r#"{"notes":null,"external_reference":"PO"}"#).unwrap();
        assert_eq!((edit.notes, edit.shipping_address, lines), (Patch::Clear, Patch::Keep, None));
        assert_eq!(edit.external_reference, Patch::Set(Text::parse("PO").unwrap()));
        assert_eq!(parse(r#"{"metadata":null}"#).unwrap().0.metadata, Patch::Set(Metadata::default()));
    }

    #[test]
    fn a_wrong_field_is_named() {
        let problem = parse(r#"{"notes":"","lines":[]}"#).unwrap_err();
        let pointers: Vec<_> = problem.field_errors().iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/lines", "/notes"]);
    }
}

//! The body of `POST /orders`.

use domain::address::{Address, Country};
use domain::details::Details;
use domain::draft::OrderDraft;
use domain::id::{CustomerId, ProductId};
use domain::line::RequestedLines;
use domain::metadata::Metadata;
use domain::quantity::Quantity;
use domain::text::Text;
use serde::Deserialize;

use super::pairs::Pairs;
use crate::problem::{Fields, Problem};

/// What a client sends to place an order.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateOrder {
    /// The customer, as the customer service knows it.
    #[cfg_attr(feature = "schemas", schemars(with = "super::input_schema::IdentifierText"))]
    customer_id: String,
    /// What is ordered. Lines of one product are reserved as one, of at most 10,000 units.
    #[cfg_attr(feature = "schemas", schemars(length(min = 1, max = 100)))]
    lines: Vec<LineBody>,
    #[serde(default)]
    shipping_address: Option<AddressBody>,
    /// Pairs of your own: keys of up to 40 characters, values of up to 500.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::MetadataPairs>"))]
    #[serde(default)]
    metadata: Option<Pairs>,
    /// Your own reference, for instance a purchase order number.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::Text<255>>"))]
    #[serde(default)]
    external_reference: Option<String>,
    /// Free text.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::Text<2000>>"))]
    #[serde(default)]
    notes: Option<String>,
}

/// A product and how many units of it.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "NewLine"))]
#[serde(deny_unknown_fields)]
pub(super) struct LineBody {
    /// The product, as the inventory service knows it.
    #[cfg_attr(feature = "schemas", schemars(with = "super::input_schema::IdentifierText"))]
    product_id: String,
    #[cfg_attr(feature = "schemas", schemars(with = "super::input_schema::QuantityNumber"))]
    #[serde(deserialize_with = "super::whole::number")]
    quantity: u32,
}

/// A postal address.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "NewAddress"))]
#[serde(deny_unknown_fields)]
pub(super) struct AddressBody {
    /// Who receives the order.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::Text<255>>"))]
    #[serde(default)]
    name: Option<String>,
    /// Street and number.
    #[cfg_attr(feature = "schemas", schemars(with = "super::input_schema::Text<255>"))]
    line1: String,
    /// Apartment, suite, floor.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::Text<255>>"))]
    #[serde(default)]
    line2: Option<String>,
    #[cfg_attr(feature = "schemas", schemars(with = "super::input_schema::Text<255>"))]
    city: String,
    /// State, county or province.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::Text<255>>"))]
    #[serde(default)]
    state: Option<String>,
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::Text<32>>"))]
    #[serde(default)]
    postal_code: Option<String>,
    /// ISO 3166-1 alpha-2 code.
    #[cfg_attr(feature = "schemas", schemars(with = "super::input_schema::CountryText"))]
    country: String,
    /// Telephone number of the receiver.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::Text<32>>"))]
    #[serde(default)]
    phone: Option<String>,
}

impl CreateOrder {
    /// The draft, when every field keeps its rule.
    ///
    /// # Errors
    /// [`crate::problem::Code::ValidationFailed`] naming every field that does not.
    pub fn into_draft(self) -> Result<OrderDraft, Problem> {
        let mut fields = Fields::default();
        let customer = fields.check("/customer_id", CustomerId::parse(self.customer_id));
        let lines = lines(&mut fields, self.lines);
        let shipping_address = self.shipping_address.and_then(|body| address(&mut fields, body));
        let metadata = fields.check("/metadata", Metadata::parse(self.metadata.unwrap_or_default().0));
        let external_reference = fields.optional("/external_reference", self.external_reference, Text::parse);
        let notes = fields.optional("/notes", self.notes, Text::parse);
        let draft = customer.zip(lines).zip(metadata).map(|((customer, lines), metadata)| OrderDraft {
            customer,
            lines,
            details: Details { shipping_address, metadata, external_reference, notes },
        });
        fields.finish(draft)
    }
}

/// Parses `/lines`; `None` after an error.
pub(super) fn lines(fields: &mut Fields, bodies: Vec<LineBody>) -> Option<RequestedLines> {
    let parsed: Vec<Option<_>> = bodies
        .into_iter()
        .take(RequestedLines::MAX + 1)
        .enumerate()
        .map(|(index, body)| {
            let product = fields.check(format!("/lines/{index}/product_id"), ProductId::parse(body.product_id));
            let quantity = fields.check(format!("/lines/{index}/quantity"), Quantity::new(body.quantity));
            product.zip(quantity)
        })
        .collect();
    let lines: Option<Vec<_>> = parsed.into_iter().collect();
    lines.and_then(|lines| fields.check("/lines", RequestedLines::parse(lines)))
}

/// Parses `/shipping_address`; `None` after an error.
pub(super) fn address(fields: &mut Fields, body: AddressBody) -> Option<Address> {
    let name = fields.optional("/shipping_address/name", body.name, Text::parse);
    let line1 = fields.check("/shipping_address/line1", Text::parse(body.line1));
    let line2 = fields.optional("/shipping_address/line2", body.line2, Text::parse);
    let city = fields.check("/shipping_address/city", Text::parse(body.city));
    let state = fields.optional("/shipping_address/state", body.state, Text::parse);
    let postal_code = fields.optional("/shipping_address/postal_code", body.postal_code, Text::parse);
    let country = fields.check("/shipping_address/country", Country::parse(body.country));
    let phone = fields.optional("/shipping_address/phone", body.phone, Text::parse);
    let (line1, city, country) = (line1?, city?, country?);
    Some(Address { name, line1, line2, city, state, postal_code, country, phone })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<OrderDraft, Problem> {
        serde_json::from_str::<CreateOrder>(json).unwrap().into_draft()
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let body = r##"{"customer_id":"a#b","lines":[{"product_id":"sku-1","quantity":0},{"product_id":"","quantity":1}],
            "notes":"","shipping_address":{"line1":"x","city":"y","country":"gb"}}"##;
        let problem = parse(body).unwrap_err();
        let pointers: Vec<_> = problem.field_errors().iter().map(|error| error.pointer.as_str()).collect();
        let expected =
            ["/customer_id", "/lines/0/quantity", "/lines/1/product_id", "/shipping_address/country", "/notes"];
        assert_eq!(pointers, expected);
    }

    #[test]
    fn absent_and_null_optional_fields_mean_the_same() {
        let bare = r#"{"customer_id":"c","lines":[{"product_id":"p","quantity":1}]}"#;
        let nulls = r#"{"customer_id":"c","lines":[{"product_id":"p","quantity":1}],"shipping_address":null,
            "metadata":null,"external_reference":null,"notes":null}"#;
        assert_eq!(parse(bare).unwrap(), parse(nulls).unwrap());
    }

    #[test]
    fn a_hundred_and_one_lines_are_too_many() {
        let line = r#"{"product_id":"p","quantity":1}"#;
        let body = format!(r#"{{"customer_id":"c","lines":[{}]}}"#, vec![line; 101].join(","));
        let problem = parse(&body).unwrap_err();
        assert_eq!(
            (problem.field_errors()[0].pointer.as_str(), problem.field_errors()[0].code),
            ("/lines", "too_many")
        );
    }
}

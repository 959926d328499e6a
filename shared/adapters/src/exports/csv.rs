//! Orders as a table (RFC 4180), safe to open in a spreadsheet: what would be a formula there is made text
//! (<https://owasp.org/www-community/attacks/CSV_Injection>), also where a spreadsheet separates cells by `;` or tabs.

use std::borrow::Cow;

use csv::{QuoteStyle, Terminator, WriterBuilder};
use domain::ports::StoreError;
use serde_json::Value;

use super::rows::unwritten;
use crate::wire::OrderView;

/// The columns: each a name and a pointer into the order's JSON. What is no text or number there is JSON in its cell.
/// Columns may be added at the end.
pub(super) const COLUMNS: [(&str, &str); 29] = [
    ("id", "/id"),
    ("created_at", "/created_at"),
    ("updated_at", "/updated_at"),
    ("version", "/version"),
    ("status", "/status"),
    ("inventory", "/inventory"),
    ("customer_id", "/customer/id"),
    ("customer_name", "/customer/name"),
    ("customer_email", "/customer/email"),
    ("total_amount", "/total/amount"),
    ("total_currency", "/total/currency"),
    ("lines", "/lines"),
    ("external_reference", "/external_reference"),
    ("notes", "/notes"),
    ("metadata", "/metadata"),
    ("address_name", "/shipping_address/name"),
    ("address_line1", "/shipping_address/line1"),
    ("address_line2", "/shipping_address/line2"),
    ("address_city", "/shipping_address/city"),
    ("address_state", "/shipping_address/state"),
    ("address_postal_code", "/shipping_address/postal_code"),
    ("address_country", "/shipping_address/country"),
    ("address_phone", "/shipping_address/phone"),
    ("carrier", "/shipping/carrier"),
    ("tracking_number", "/shipping/tracking_number"),
    ("tracking_url", "/shipping/tracking_url"),
    ("service", "/shipping/service"),
    ("shipped_at", "/shipping/shipped_at"),
    ("estimated_delivery", "/shipping/estimated_delivery"),
];

/// By this (a byte order mark) spreadsheets know the file for UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Adds the mark and the names of the columns.
pub(super) fn head(into: &mut Vec<u8>) -> Result<(), StoreError> {
    into.extend_from_slice(MARK);
    record(COLUMNS.iter().map(|(name, _)| Cow::from(*name)), into)
}

/// Adds the row of an order.
pub(super) fn row(order: &OrderView<'_>, into: &mut Vec<u8>) -> Result<(), StoreError> {
    let order = serde_json::to_value(order).map_err(unwritten)?;
    record(COLUMNS.iter().map(|(_, pointer)| cell(order.pointer(pointer))), into)
}

/// Every cell is quoted.
fn record<'a>(cells: impl Iterator<Item = Cow<'a, str>>, into: &mut Vec<u8>) -> Result<(), StoreError> {
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Always)
        .terminator(Terminator::CRLF)
        .buffer_capacity(2 * 1024)
        .from_writer(into);
    writer.write_record(cells.map(|cell| guarded(&cell))).map_err(unwritten)?;
    writer.flush().map_err(unwritten)
}

fn cell(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        None | Some(Value::Null) => Cow::from(""),
        Some(Value::String(text)) => Cow::from(text),
        Some(other) => Cow::from(other.to_string()),
    }
}

/// The cell with an apostrophe before whatever may begin a formula. A spreadsheet whose separator is another than the comma
/// cuts the cell, whatever its quotes: a formula may begin after each `;`, tab and line break. Apostrophes in these places
/// get one too, so that one is taken away from each place to read what was written.
fn guarded(cell: &str) -> String {
    let mut guarded = String::with_capacity(cell.len() + 1);
    if cell.starts_with(['\t', '\r', '\n']) {
        guarded.push('\'');
    }
    let mut is_start = true;
    for character in cell.chars() {
        if is_start && matches!(character, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\'') {
            guarded.push('\'');
        }
        is_start = match character {
            ';' | '\t' | '\r' | '\n' => true,
            // Two of them are an empty cell to which what follows belongs.
            '"' => is_start,
            _ => false,
        };
        guarded.push(character);
    }
    guarded
}

#[cfg(test)]
mod tests {
    use domain::details::Details;
    use domain::export::Format;
    use domain::memory::sample;
    use domain::order::{Order, OrderData};
    use domain::ports::ExportRows;
    use domain::text::Text;

    use super::*;
    use crate::exports::FileRows;

    fn table(order: &Order) -> Vec<Vec<String>> {
        let mut bytes = Vec::new();
        FileRows.begin(Format::Csv, &mut bytes).unwrap();
        FileRows.add(Format::Csv, order, &mut bytes).unwrap();
        assert!(bytes.ends_with(b"\"\r\n"));
        records(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap(), b',')
    }

    fn records(table: &[u8], separator: u8) -> Vec<Vec<String>> {
        let mut builder = csv::ReaderBuilder::new();
        let mut reader = builder.has_headers(false).flexible(true).delimiter(separator).from_reader(table);
        let records = reader.records().map(|record| record.unwrap().iter().map(ToOwned::to_owned).collect());
        records.collect()
    }

    /// The cell as it was before it was guarded, as docs/api.md describes it.
    fn unguarded(cell: &str) -> String {
        let (mut text, mut is_place) = (String::new(), true);
        for character in cell.chars() {
            if is_place && character == '\'' {
                is_place = false;
                continue;
            }
            is_place = matches!(character, ';' | '\t' | '\r' | '\n') || (is_place && character == '"');
            text.push(character);
        }
        text
    }

    fn with_notes(notes: &str) -> Order {
        let data = (*sample::order()).clone();
        let details = Details { notes: Some(Text::restore(notes.to_owned())), ..data.details.clone() };
        Order::restore(OrderData { details, ..data })
    }

    #[test]
    fn an_order_is_a_row_of_its_json() {
        let table = table(&sample::order().ship(sample::shipment(), sample::stamp(3)).unwrap().unwrap());
        let shown: String = table[0].iter().zip(&table[1]).map(|(name, cell)| format!("{name}: {cell}\n")).collect();
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn what_a_spreadsheet_would_take_for_a_formula_is_text() {
        let notes = COLUMNS.iter().position(|(name, _)| *name == "notes").unwrap();
        for (text, cell) in [
            ("=HYPERLINK(\"https://evil.example\",\"open\")", "'=HYPERLINK(\"https://evil.example\",\"open\")"),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("@SUM(1+1)", "'@SUM(1+1)"),
            ("\t=1", "'\t'=1"),
            ("\r=1", "'\r'=1"),
            ("\n=1", "'\n'=1"),
            ("'=1", "''=1"),
            ("it's", "it's"),
            ("＝1＋1", "'＝1＋1"),
            ("a;=1", "a;'=1"),
            ("a;\"=1", "a;\"'=1"),
            ("a\t@b\r\n-c\n＋d", "a\t'@b\r\n'-c\n'＋d"),
            ("\t", "'\t"),
            ("a,b;c", "a,b;c"),
            ("\",\"=1", "\",\"=1"),
            ("two\r\nlines", "two\r\nlines"),
            ("1 = 1", "1 = 1"),
            ("Zoë 🛒", "Zoë 🛒"),
        ] {
            let table = table(&with_notes(text));
            assert_eq!((table.len(), table[1].len(), table[1][notes].as_str()), (2, COLUMNS.len(), cell), "{text:?}");
        }
    }

    #[test]
    fn no_cell_is_a_formula_whatever_separates_the_cells_and_each_can_be_read_again() {
        fastrand::seed(0);
        let alphabet: Vec<char> = "a=+-@＝＋－＠'\"\";;\t\r\n, ".chars().collect();
        for _ in 0..2_000 {
            let cells: Vec<String> = (0..3)
                .map(|_| (0..fastrand::usize(0..9)).filter_map(|_| fastrand::choice(&alphabet)).collect())
                .collect();
            let mut bytes = Vec::new();
            record(cells.iter().map(|cell| Cow::from(cell.as_str())), &mut bytes).unwrap();
            for separator in *b",;\t" {
                for cell in records(&bytes, separator).concat() {
                    let is_formula = cell.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
                    assert!(!is_formula, "{cell:?} of {cells:?} separated by {:?}", char::from(separator));
                }
            }
            let read: Vec<String> = records(&bytes, b',').concat().iter().map(|cell| unguarded(cell)).collect();
            assert_eq!(read, cells);
        }
    }
}

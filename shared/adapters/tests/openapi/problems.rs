//! The problems of every code, as a client gets them: from the service's own conversions, and from the gateway responses
//! of template.yaml.

use std::collections::BTreeMap;

use adapters::problem::{Code, FieldError, Problem};
use domain::caller::{Forbidden, Scope};
use domain::id::ProductId;
use domain::line::PricingError;
use domain::money::MoneyError;
use domain::order::Refused;
use domain::ports::StoreError;
use domain::reservation::Shortage;
use domain::status::{IllegalTransition, Status};
use domain::use_cases::{
    ChangeError, CreateExportError, GetOrderError, LinesError, ListError, PlaceOrderError, ReadExportError,
    ReportError, SubscribeError,
};
use serde_json::Value;

use crate::template::{GatewayAnswer, gateway};
use crate::text_of;

pub const ORDER: &str = "/v1/orders/0192f0c1-7a3e-7cc0-8000-000000000001";
/// The log says this, a client never hears it.
pub const INSIDE: &str = "what only the log says";
/// The path of a batch.
pub const BATCH: &str = "/v1/orders/batch";
pub const REQUEST: &str = "6f1c9a52-0d4e-4c1b-9a51-000000000001";

/// A problem and where it comes with.
#[derive(Debug, Clone)]
pub struct Case {
    pub status: u16,
    pub code: String,
    pub title: String,
    /// What the client does about it, from docs/errors.md.
    pub cure: String,
    pub body: Value,
    pub retry_after: bool,
}

impl Case {
    /// The name of its example: the code, and for a further status of the code also the status.
    pub fn example(&self, problems: &Problems) -> String {
        let is_first = problems.of(&self.code).next().is_some_and(|first| first.status == self.status);
        if is_first { self.code.clone() } else { format!("{}_{}", self.code, self.status) }
    }
}

/// Every problem by its code and status.
pub struct Problems(BTreeMap<(String, u16), Case>);

impl Problems {
    /// What the service answers by itself stands for what the gateway answers in its place.
    pub fn all() -> Self {
        let all = gateway().into_iter().map(Case::from).chain(Code::ALL.map(own));
        Self(all.map(|case| ((case.code.clone(), case.status), case)).collect())
    }

    pub fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<&str> = self.0.keys().map(|(code, _)| code.as_str()).collect();
        codes.dedup();
        codes
    }

    /// The problems of a code, one for each status that it comes with.
    pub fn of<'a>(&'a self, code: &'a str) -> impl Iterator<Item = &'a Case> {
        let mut cases = self.iter().filter(move |case| case.code == code).peekable();
        assert!(cases.peek().is_some(), "no problem has the code {code}");
        cases
    }

    pub fn iter(&self) -> impl Iterator<Item = &Case> {
        self.0.values()
    }
}

fn own(code: Code) -> Case {
    let response = problem(code).into_response(REQUEST, ORDER);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    Case {
        status: response.status().as_u16(),
        code: code.as_str().to_owned(),
        title: code.title().to_owned(),
        cure: cure(code.as_str()),
        retry_after: response.headers().contains_key("retry-after"),
        body: serde_json::from_slice(response.body()).unwrap(),
    }
}

impl From<GatewayAnswer> for Case {
    fn from(answer: GatewayAnswer) -> Self {
        let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        Self {
            // DEFAULT_4XX has none.
            status: answer.status.unwrap_or(400),
            code: text("code"),
            title: text("title"),
            cure: cure(&text("code")),
            retry_after: answer.headers.contains_key("Retry-After"),
            body: answer.body,
        }
    }
}

/// A problem of this code, made as the service makes it.
pub fn problem(code: Code) -> Problem {
    let fields = |pointer: &str, code, detail: &str| {
        vec![FieldError { pointer: pointer.to_owned(), code, detail: detail.to_owned() }]
    };
    let product = |id: &str| ProductId::parse(id).unwrap();
    match code {
        Code::InvalidJson => Problem::new(code).detail("the body is not JSON: it breaks off at line 1 column 12"),
        Code::InvalidIdempotencyKey => Problem::new(code).detail("may hold only visible ASCII characters"),
        Code::InvalidIfMatch => Problem::new(code).detail("must be given once"),
        Code::InvalidParameter => {
            Problem::new(code).errors(fields("?limit", "out_of_range", "must be a number from 1 to 100"))
        }
        Code::ValidationFailed => {
            Problem::new(code).errors(fields("/lines/0/quantity", "out_of_range", "must be from 1 to 10000"))
        }
        Code::UnsupportedFilter => ListError::NoIndex.into(),
        Code::InsufficientScope => Forbidden::MissingScope(Scope::Write).into(),
        Code::OtherCustomer => Forbidden::OtherCustomer.into(),
        Code::ConfinedToken => Forbidden::Confined.into(),
        Code::OrderNotFound => GetOrderError::NotFound.into(),
        Code::ExportNotFound => ReadExportError::NotFound.into(),
        Code::OutOfStock => {
            LinesError::OutOfStock(vec![Shortage { product: product("sku-2"), requested: 3, available: 1 }]).into()
        }
        Code::IllegalTransition => {
            Refused::Illegal(IllegalTransition { from: Status::Confirmed, to: Status::Delivered }).into()
        }
        Code::AwaitingConfirmation => Refused::AwaitingConfirmation.into(),
        Code::ReservationUnconfirmed => Refused::ReservationUnconfirmed.into(),
        Code::LinesClosed => Refused::LinesClosed(Status::Processing).into(),
        Code::OrderCanceled => Refused::Canceled.into(),
        Code::OrderShipped => Refused::OnItsWay.into(),
        Code::Conflict => ChangeError::Conflict.into(),
        Code::OrderDeleted => PlaceOrderError::Gone.into(),
        Code::PreconditionFailed => ChangeError::Stale { current: 4 }.into(),
        Code::OrderTooLarge => StoreError::TooLarge.into(),
        Code::UnknownCustomer => PlaceOrderError::UnknownCustomer.into(),
        Code::UnknownProduct => LinesError::from(PricingError::UnknownProducts(vec![product("sku-404")])).into(),
        Code::InvalidTotal => LinesError::from(PricingError::Money(MoneyError::CurrencyMismatch)).into(),
        Code::ReservationRefused => LinesError::ReservationRefused.into(),
        Code::IdempotencyKeyReused => PlaceOrderError::KeyReused.into(),
        Code::ReportTooLarge => ReportError::TooLarge.into(),
        Code::TooManySubscriptions => SubscribeError::TooMany.into(),
        Code::TooManyExports => CreateExportError::TooMany.into(),
        Code::TooManyConnections => SubscribeError::TooManyConnections.into(),
        Code::TooManyReplays => SubscribeError::TooManyReplays.into(),
        Code::Internal => StoreError::Rejected(INSIDE.to_owned()).into(),
        Code::Unavailable => StoreError::Unavailable(INSIDE.to_owned()).into(),
        Code::MethodNotAllowed => Problem::new(code).allow("GET, HEAD, POST"),
        Code::InvalidCursor | Code::Unauthenticated | Code::BodyTooLarge | Code::UnsupportedMediaType => {
            Problem::new(code)
        }
    }
}

/// The last column of the code's row in docs/errors.md.
fn cure(code: &str) -> String {
    let errors = text_of("docs/errors.md");
    let row = errors.lines().find(|line| line.contains(&format!("| `{code}` |")));
    let row = row.unwrap_or_else(|| panic!("docs/errors.md lacks {code}"));
    row.trim_end_matches('|').rsplit('|').next().unwrap().trim().to_owned()
}

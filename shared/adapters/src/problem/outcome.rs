//! Domain errors as problems: one exhaustive match each, no wildcard, so that a new error cannot be forgotten.

use domain::caller::Forbidden;
use domain::id::ProductId;
use domain::line::PricingError;
use domain::order::Refused;
use domain::ports::{FileError, PostError, StoreError, Unavailable};
use domain::reservation::Shortage;
use domain::status::IllegalTransition;
use domain::use_cases::{
    ChangeError, CreateExportError, EditError, GetOrderError, LinesError, ListError, PlaceOrderError, ReadExportError,
    ReportError, SubscribeError,
};
use serde_json::json;

use super::{Code, Problem};

impl From<Forbidden> for Problem {
    fn from(error: Forbidden) -> Self {
        match error {
            Forbidden::MissingScope(scope) => Self::new(Code::InsufficientScope).member("scope", scope.as_str()),
            Forbidden::OtherCustomer => Self::new(Code::OtherCustomer),
            Forbidden::Confined => Self::new(Code::ConfinedToken),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Throttled(_) | StoreError::Unavailable(_) => Code::Unavailable,
            StoreError::TooLarge => Code::OrderTooLarge,
            StoreError::Rejected(_) | StoreError::Corrupt(_) => Code::Internal,
        };
        Self::new(code).because(error)
    }
}

impl From<Unavailable> for Problem {
    fn from(error: Unavailable) -> Self {
        Self::new(Code::Unavailable).because(error)
    }
}

impl From<GetOrderError> for Problem {
    fn from(error: GetOrderError) -> Self {
        match error {
            GetOrderError::NotFound => Self::new(Code::OrderNotFound),
            GetOrderError::Store(error) => error.into(),
        }
    }
}

impl From<PlaceOrderError> for Problem {
    fn from(error: PlaceOrderError) -> Self {
        match error {
            PlaceOrderError::Forbidden(error) => error.into(),
            PlaceOrderError::UnknownCustomer => Self::new(Code::UnknownCustomer),
            PlaceOrderError::Lines(error) => error.into(),
            PlaceOrderError::KeyReused => Self::new(Code::IdempotencyKeyReused),
            PlaceOrderError::Gone => Self::new(Code::OrderDeleted),
            PlaceOrderError::Store(error) => error.into(),
        }
    }
}

impl From<LinesError> for Problem {
    fn from(error: LinesError) -> Self {
        match error {
            LinesError::Pricing(PricingError::UnknownProducts(products)) => {
                let products: Vec<_> = products.iter().map(ProductId::as_str).collect();
                Self::new(Code::UnknownProduct).member("products", products)
            }
            LinesError::Pricing(PricingError::Money(error)) => Self::new(Code::InvalidTotal).detail(error.to_string()),
            LinesError::OutOfStock(shortages) => out_of_stock(&shortages),
            LinesError::ReservationRefused => Self::new(Code::ReservationRefused),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Illegal(IllegalTransition { from, to }) => {
                let allowed: Vec<_> = from.allowed().iter().map(|status| status.as_str()).collect();
                Self::new(Code::IllegalTransition)
                    .member("from", from.as_str())
                    .member("to", to.as_str())
                    .member("allowed", allowed)
            }
            Refused::AwaitingConfirmation => Self::new(Code::AwaitingConfirmation),
            Refused::ReservationUnconfirmed => Self::new(Code::ReservationUnconfirmed),
            Refused::LinesClosed(status) => Self::new(Code::LinesClosed).member("order_status", status.as_str()),
            Refused::Canceled => Self::new(Code::OrderCanceled),
            Refused::OnItsWay => Self::new(Code::OrderShipped),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound => Self::new(Code::OrderNotFound),
            ChangeError::Stale { current } => Self::new(Code::PreconditionFailed).member("current_version", current),
            ChangeError::Refused(refused) => refused.into(),
            ChangeError::Conflict => Self::new(Code::Conflict),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Change(error) => error.into(),
            EditError::Lines(error) => error.into(),
            EditError::Unavailable(error) => error.into(),
        }
    }
}

impl From<ListError> for Problem {
    fn from(error: ListError) -> Self {
        match error {
            ListError::NoIndex => Self::new(Code::UnsupportedFilter)
                .detail("status and customer_id cannot be combined; each goes with created_after and created_before"),
            ListError::Confined => Self::new(Code::UnsupportedFilter)
                .detail("a token that is confined to a customer lists that customer's orders without status"),
            ListError::Forbidden(error) => error.into(),
        }
    }
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Forbidden(error) => error.into(),
            ReportError::TooLarge => Self::new(Code::ReportTooLarge),
            ReportError::Store(error) => error.into(),
        }
    }
}

impl From<SubscribeError> for Problem {
    fn from(error: SubscribeError) -> Self {
        match error {
            SubscribeError::Forbidden(error) => error.into(),
            SubscribeError::Order(error) => error.into(),
            SubscribeError::TooMany => Self::new(Code::TooManySubscriptions),
            SubscribeError::TooManyConnections => Self::new(Code::TooManyConnections),
            SubscribeError::TooManyReplays => Self::new(Code::TooManyReplays),
            SubscribeError::Post(error) => error.into(),
            SubscribeError::Store(error) => error.into(),
        }
    }
}

impl From<CreateExportError> for Problem {
    fn from(error: CreateExportError) -> Self {
        match error {
            CreateExportError::List(error) => error.into(),
            CreateExportError::KeyReused => Self::new(Code::IdempotencyKeyReused),
            CreateExportError::TooMany => Self::new(Code::TooManyExports),
            CreateExportError::Store(error) => error.into(),
        }
    }
}

impl From<PostError> for Problem {
    fn from(error: PostError) -> Self {
        Self::new(Code::Unavailable).because(error)
    }
}

impl From<ReadExportError> for Problem {
    fn from(error: ReadExportError) -> Self {
        match error {
            ReadExportError::Forbidden(error) => error.into(),
            ReadExportError::NotFound => Self::new(Code::ExportNotFound),
            ReadExportError::Store(error) => error.into(),
            ReadExportError::File(error) => error.into(),
        }
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        Self::new(Code::Unavailable).because(error)
    }
}

fn out_of_stock(shortages: &[Shortage]) -> Problem {
    let unavailable: Vec<_> = shortages
        .iter()
        .map(|line| {
            json!({
                "product_id": line.product.as_str(),
                "requested": line.requested,
                "available": line.available,
            })
        })
        .collect();
    Problem::new(Code::OutOfStock).member("unavailable", unavailable)
}

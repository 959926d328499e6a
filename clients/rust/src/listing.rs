//! Which orders are listed, and how a list is walked.

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::client::Client;
use crate::error::Error;
use crate::model::{OrderSummary, Status};

/// Which orders are listed, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ListQuery {
    /// All orders, those of a customer or those with a status.
    pub filter: Filter,
    /// Only orders placed after this moment.
    pub created_after: Option<OffsetDateTime>,
    /// Only orders placed before this moment.
    pub created_before: Option<OffsetDateTime>,
    /// Rows per page, 1 to 100; the service's default is 25.
    pub limit: Option<u32>,
}

/// The filters that the service has an index for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub enum Filter {
    #[default]
    All,
    Status(Status),
    Customer(String),
}

impl From<Filter> for ListQuery {
    fn from(filter: Filter) -> Self {
        Self { filter, ..Self::default() }
    }
}

impl ListQuery {
    /// Sets the number of rows per page.
    #[must_use]
    pub fn limit(self, limit: u32) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Only orders placed after this moment.
    #[must_use]
    pub fn created_after(self, moment: OffsetDateTime) -> Self {
        Self { created_after: Some(moment), ..self }
    }

    /// Only orders placed before this moment.
    #[must_use]
    pub fn created_before(self, moment: OffsetDateTime) -> Self {
        Self { created_before: Some(moment), ..self }
    }

    pub(crate) fn pairs(&self, cursor: Option<&str>) -> Result<Vec<(&'static str, String)>, Error> {
        let filter = match &self.filter {
            Filter::All => None,
            Filter::Status(status) => Some(("status", status.as_str().to_owned())),
            Filter::Customer(id) => Some(("customer_id", id.clone())),
        };
        let pairs = [
            filter,
            self.created_after.map(moment).transpose()?.map(|text| ("created_after", text)),
            self.created_before.map(moment).transpose()?.map(|text| ("created_before", text)),
            self.limit.map(|limit| ("limit", limit.to_string())),
            cursor.map(|cursor| ("cursor", cursor.to_owned())),
        ];
        Ok(pairs.into_iter().flatten().collect())
    }
}

fn moment(moment: OffsetDateTime) -> Result<String, Error> {
    moment.format(&Rfc3339).map_err(|error| Error::invalid(format!("a moment: {error}")))
}

/// Where the walk through a list stands.
enum Position {
    Start,
    At(String),
    End,
}

/// All rows of a list, page after page as they are asked for.
pub(crate) fn walk(client: Client, query: ListQuery) -> impl Stream<Item = Result<OrderSummary, Error>> + Send + Unpin {
    let pages = stream::try_unfold(Position::Start, move |position| {
        let (client, query) = (client.clone(), query.clone());
        async move {
            let cursor = match position {
                Position::Start => None,
                Position::At(cursor) => Some(cursor),
                Position::End => return Ok(None),
            };
            let page = client.page(&query, cursor.as_deref()).await?;
            let next = page.page.next_cursor.map_or(Position::End, Position::At);
            Ok(Some((stream::iter(page.data.into_iter().map(Ok)), next)))
        }
    });
    pages.try_flatten().boxed()
}

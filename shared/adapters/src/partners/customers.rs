//! `GET {CUSTOMER_SERVICE_URL}/customers/{id}`

use std::time::Duration;

use domain::id::{CustomerId, TenantId};
use domain::order::Contact;
use domain::ports::{CustomerService, Unavailable};
use domain::text::Text;
use serde::Deserialize;

use super::cache::Cache;
use crate::connections::Connection;
use crate::outbound::Partner;

/// The customer service over HTTP.
#[derive(Debug)]
pub struct HttpCustomers {
    partner: Partner,
    known: Cache<CustomerId, Contact>,
}

#[derive(Deserialize)]
struct CustomerBody {
    id: String,
    name: String,
    email: String,
}

impl HttpCustomers {
    /// The service, whose answers are kept for a while.
    #[must_use]
    pub fn new(partner: Partner, kept_for: Duration) -> Self {
        Self { partner, known: Cache::new(kept_for) }
    }

    /// Makes a connection before it is needed.
    pub fn connection(&self) -> Connection {
        self.partner.connection()
    }

    fn contact(&self, asked: &CustomerId, body: CustomerBody) -> Result<Contact, Unavailable> {
        let bad = |what: &str| self.partner.unavailable(format_args!("a customer's {what} is not valid"));
        if body.id != asked.as_str() {
            return Err(self.partner.unavailable("it answered with another customer"));
        }
        Ok(Contact {
            name: one_line(body.name).ok_or_else(|| bad("name"))?,
            email: one_line(body.email).ok_or_else(|| bad("e-mail"))?,
        })
    }
}

/// Text without a line break, which would end a header of an e-mail, or a line on a label.
fn one_line<const MAX: usize>(value: String) -> Option<Text<MAX>> {
    if value.contains(char::is_control) { None } else { Text::parse(value).ok() }
}

impl CustomerService for HttpCustomers {
    async fn find(&self, tenant: &TenantId, id: &CustomerId) -> Result<Option<Contact>, Unavailable> {
        if let Some(contact) = self.known.get(tenant, id) {
            return Ok(Some(contact));
        }
        let url = self.partner.url(&["customers", id.as_str()]);
        let answer = self.partner.call(tenant, |client| client.get(url.clone())).await?;
        match answer.status.as_u16() {
            200 => {
                let contact = self.contact(id, self.partner.read(&answer)?)?;
                self.known.put(tenant, id, contact.clone());
                Ok(Some(contact))
            }
            404 => Ok(None),
            _ => Err(self.partner.unlisted(&answer)),
        }
    }
}

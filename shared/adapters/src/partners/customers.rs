//! `GET {CUSTOMER_SERVICE_URL}/customers/{id}`

use std::time::Duration;

use domain::id::CustomerId;
use domain::order::Contact;
use domain::ports::{CustomerService, Unavailable};
use domain::text::Text;
use serde::Deserialize;

use super::cache::Cache;
use crate::outbound::Partner;

/// The customer service over HTTP.
#[derive(Debug)]
pub struct HttpCustomers {
    partner: Partner,
    known: Cache<CustomerId, Contact>,
}

#[derive(Deserialize)]
struct CustomerBody {
    name: String,
    email: String,
}

impl HttpCustomers {
    /// The service, whose answers are kept for a while.
    #[must_use]
    pub fn new(partner: Partner, kept_for: Duration) -> Self {
        Self { partner, known: Cache::new(kept_for) }
    }

    fn contact(&self, body: CustomerBody) -> Result<Contact, Unavailable> {
        let bad = |what: &str| self.partner.unavailable(format_args!("a customer's {what} is not valid"));
        let name = Text::parse(body.name).map_err(|_| bad("name"))?;
        let email = Text::parse(body.email).map_err(|_| bad("e-mail"))?;
        Ok(Contact { name, email })
    }
}

impl CustomerService for HttpCustomers {
    async fn find(&self, id: &CustomerId) -> Result<Option<Contact>, Unavailable> {
        if let Some(contact) = self.known.get(id) {
            return Ok(Some(contact));
        }
        let url = self.partner.url(&["customers", id.as_str()]);
        let answer = self.partner.call(|client| client.get(url.clone())).await?;
        match answer.status.as_u16() {
            200 => {
                let contact = self.contact(self.partner.read(&answer)?)?;
                self.known.put(id.clone(), contact.clone());
                Ok(Some(contact))
            }
            404 => Ok(None),
            _ => Err(self.partner.unlisted(&answer)),
        }
    }
}

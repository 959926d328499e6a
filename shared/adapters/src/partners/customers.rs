//! `GET {CUSTOMER_SERVICE_URL}/customers/{id}`

use domain::id::CustomerId;
use domain::order::Contact;
use domain::ports::{CustomerService, Unavailable};
use domain::text::Text;
use reqwest::StatusCode;
use serde::Deserialize;

use super::client::{PartnerClient, read, send, unavailable, unexpected};
use crate::config::{self, ConfigError};

const SERVICE: &str = "customer service";

/// The customer service over HTTP.
#[derive(Debug, Clone)]
pub struct HttpCustomers {
    client: PartnerClient,
    url: String,
}

#[derive(Deserialize)]
struct CustomerBody {
    name: String,
    email: String,
}

impl HttpCustomers {
    /// The service at `CUSTOMER_SERVICE_URL`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(client: PartnerClient) -> Result<Self, ConfigError> {
        Ok(Self { client, url: config::required("CUSTOMER_SERVICE_URL")?.trim_end_matches('/').to_owned() })
    }
}

impl CustomerService for HttpCustomers {
    async fn find(&self, id: &CustomerId) -> Result<Option<Contact>, Unavailable> {
        let request = self.client.http().get(format!("{}/customers/{id}", self.url));
        let answer = send(SERVICE, request).await?;
        match answer.status() {
            StatusCode::OK => Ok(Some(contact(read(SERVICE, answer).await?)?)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(unexpected(SERVICE, &answer)),
        }
    }
}

fn contact(body: CustomerBody) -> Result<Contact, Unavailable> {
    let name = Text::parse(body.name).map_err(|error| unavailable(SERVICE, &format_args!("name: {error}")))?;
    let email = Text::parse(body.email).map_err(|error| unavailable(SERVICE, &format_args!("email: {error}")))?;
    Ok(Contact { name, email })
}

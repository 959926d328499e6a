//! What nobody else notices: these tests run side by side.

mod poison;
mod publisher;
mod rush;
mod unconfirmed;

//! What bounds times: nothing else should run on the machine, nor beside these tests.

mod circuit;
mod patience;
mod slow;

//! The targets under libFuzzer: `FUZZ_TARGET` names the one that runs (scripts/fuzz.py).

#![no_main]
#![allow(clippy::expect_used, reason = "without a target there is nothing to run")]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<fuzz::Target> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
    let target = TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
        fuzz::target(&name).expect("FUZZ_TARGET names a target")
    });
    target(data);
});

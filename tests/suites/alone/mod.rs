//! What counts how often functions are started, so that nothing else may run beside it.

mod hostile_tokens;

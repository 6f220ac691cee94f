//! The tests of the whole server: `tests/it` in Rust, `python` with outside clients. There is no library in it.

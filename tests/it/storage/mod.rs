//! What storage promises, on both databases.

mod consents;
mod nul;
mod statements;
mod writes;

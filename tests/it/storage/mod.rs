//! What storage promises, on both databases.

mod consents;
mod statements;
mod writes;

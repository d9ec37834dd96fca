//! What storage promises, on both databases.

mod statements;
mod writes;

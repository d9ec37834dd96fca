//! What storage promises, on both databases.

mod nul;
mod statements;
mod writes;

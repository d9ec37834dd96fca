//! Whole stories, across portal, console and protocol.

mod disable_bites;

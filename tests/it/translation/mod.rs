//! Chats are translated rightly: what is said in one dialect is what is heard in another.
//!
//! Recorded traffic of providers is the judge, read here by readers that know nothing of the
//! program's own. A folder of such recordings is not part of this repository; without it the tests
//! that need it say so and pass.
mod able;
mod answers;
mod coding_tools;
mod cuts;
mod errors;
mod frames;
mod golden;
mod grid;
mod mended;
mod of_chat;
mod of_cohere;
mod of_converse;
mod of_gemini;
mod of_messages;
mod of_ollama;
mod of_responses;
mod plain;
mod prompt;
mod recording;
mod requests;
mod said;
mod setup;
mod soup;

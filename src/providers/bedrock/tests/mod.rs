//! What is sent to Bedrock, and read from it.

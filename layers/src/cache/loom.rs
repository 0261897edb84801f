//! Flights under every order of events.

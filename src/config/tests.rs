use super::parse_str;

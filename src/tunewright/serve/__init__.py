"""HTTP services: routes parse, call a verb, and encode what it returns."""

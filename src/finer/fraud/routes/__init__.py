"""HTTP of fraud: rules and lists."""

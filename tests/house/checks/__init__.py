"""The rules of the house, each a function from a source tree to sentences; none means that the rule holds."""

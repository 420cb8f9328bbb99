"""Pure rules of identity: grants, and the checks on what people type."""

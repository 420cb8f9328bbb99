"""Load as people make it: they come whether or not earlier ones were answered, sign in, read, write, decide and watch."""

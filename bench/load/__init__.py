"""Load as people make it: they come whether or not earlier ones were answered, and sign in, read, write and watch."""

"""Scripts of the house: setting up, checking, and writing the reference pages."""

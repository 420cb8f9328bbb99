"""Rules of privacy: terms of the laws, steps of a request, the catalogue of personal data, and its pages."""

"""Stories across domains, told by people in a browser and by machines through the public API."""

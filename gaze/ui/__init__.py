"""The page, its routes and the API."""

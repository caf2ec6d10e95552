"""How Google's Pub/Sub is spoken to: helper of the google engine."""

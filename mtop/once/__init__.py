"""mtop without a screen: one look at the fleet, as a table, JSON or CSV. Imports neither Textual nor asyncio."""

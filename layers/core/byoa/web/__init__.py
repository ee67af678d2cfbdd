"""The dashboard: pages by resource, made on the server of what the API answers, and the little that moves in them."""

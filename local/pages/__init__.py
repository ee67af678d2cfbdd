"""The pages of the documentation that are made from the code: what they say of a field or an option, the code says."""

"""Who somebody is: tokens that others sign."""

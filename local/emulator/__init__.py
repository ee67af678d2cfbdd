"""MiniStack, corrected where AWS does otherwise."""

"""Everything that knows Keras."""

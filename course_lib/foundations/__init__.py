"""NumPy references of every formula that the lessons derive, one module per lesson."""

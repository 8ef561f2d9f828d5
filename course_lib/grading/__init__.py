"""Grading: submissions in, verdicts and reports out, by values only."""

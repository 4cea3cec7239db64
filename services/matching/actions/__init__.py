"""Verbs: every action writes rows and tells facts in the given transaction, and never commits."""

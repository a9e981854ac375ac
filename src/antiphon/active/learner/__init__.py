"""The loop of BioDCASE 2026 Task 4: choose, reveal, train a fixed head, judge, repeat."""

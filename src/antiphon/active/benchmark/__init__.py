"""Compare strategies on data sets: resumable runs, and a report of what they show."""

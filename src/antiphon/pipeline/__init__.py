"""What the verbs of a project do: embed, search, label, train, detect, report."""

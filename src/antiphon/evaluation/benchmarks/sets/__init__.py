"""Published data sets as recipes, own folders, and how both become labelled items."""

"""What pages and requests rest on: computed once, kept while it is current, shared by all."""

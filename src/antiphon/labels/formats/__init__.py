"""Outside file formats of annotations, one file each, found through the registry."""

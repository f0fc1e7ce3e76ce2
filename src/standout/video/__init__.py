"""Video files: reading, compositing in their own colors, writing."""

"""What would be if policies said something else: asked of a site as it was read, before anything is written."""

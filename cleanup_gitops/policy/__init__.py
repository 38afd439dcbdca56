"""What the YAML says: documents, loader with positions, three-valued matching, JSON Schema."""

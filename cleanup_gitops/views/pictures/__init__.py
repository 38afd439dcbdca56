"""Pictures of a few numbers: as charts for a terminal, and as specifications of which static SVG is made."""

"""Values to text: plan, run, errors. Pure; the only place where names join what was planned."""

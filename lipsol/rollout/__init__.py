"""A new bundle or release, let in step by step: what a step asks for, what speaks for and against it, what follows."""

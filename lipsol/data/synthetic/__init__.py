"""Made-up speakers: drawn mouths that say what nobody said, for a language without a corpus. Labelled as such."""

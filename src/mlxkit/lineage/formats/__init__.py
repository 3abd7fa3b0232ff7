"""One answer about lineage, drawn in the formats of other programs."""

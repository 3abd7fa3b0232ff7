"""What a stage really reads and writes, beside what it declares."""

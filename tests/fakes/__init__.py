"""Named fakes that several tests share."""

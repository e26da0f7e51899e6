"""Files that people hand in: photos of spaces, answers to questions. One port, a folder or an S3-compatible store behind."""

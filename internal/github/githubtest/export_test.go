package githubtest

// Owned lets a test compare two readings of CODEOWNERS.
func Owned(pattern, path string) bool { return ownersPattern(pattern).MatchString(path) }

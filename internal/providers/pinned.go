package providers

// Pinned returns the versions that a lock file pins, by the providers' full
// addresses. What is wrong with the file Terraform tells; here only what is
// right counts.
func Pinned(lock []byte) map[string]string {
	out := map[string]string{}
	for a, p := range parseLock(lock) {
		if p.version != "" {
			out[a.String()] = p.version
		}
	}
	return out
}

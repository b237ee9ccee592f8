package policy

// CompileBundled compiles the bundled packs anew, as a process does once.
func CompileBundled() error {
	_, err := compileBundled()
	return err
}

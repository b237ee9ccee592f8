package policyset

// EnvironmentOf returns the name of the target's environment by the blocks of
// this file alone, "" for none: the one that scopes and rules see where the
// admin repository says nothing else.
func (c Config) EnvironmentOf(t Target) string {
	name, _ := environmentOf(c.Environments, t)
	return name
}

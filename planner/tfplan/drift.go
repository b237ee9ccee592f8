package tfplan

// Drift returns what the world has and the state has not: the objects that
// were changed or deleted outside of Terraform since it last looked, in
// Terraform's order. Before is what the state says, After what is there. Diff
// renders them. A plan shows only the drift that its changes have to do with;
// one with Options.RefreshOnly shows all of it.
func (p *Plan) Drift() []Change {
	var out []Change
	for _, c := range p.drift {
		// An object that only the code moved stands in Terraform's list, too.
		if c.Action != ActionNoop && c.Action != ActionMove {
			out = append(out, c)
		}
	}
	return out
}

// DriftSummary counts the drift: Update is what changed, Delete what is gone,
// Outputs the outputs that have other values because of it.
func (p *Plan) DriftSummary() Summary {
	s := Summary{Outputs: p.Summary().Outputs}
	for _, c := range p.Drift() {
		if c.Action == ActionDelete {
			s.Delete++
		} else {
			s.Update++
		}
	}
	return s
}

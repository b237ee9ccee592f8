package planner

// With returns the options of a project with those of a command over them:
// both lists of addresses and variables, of which Terraform takes the last
// one, and the command's word where there can be one only.
func (o Options) With(c Options) Options {
	out := Options{
		Destroy:     o.Destroy || c.Destroy,
		RefreshOnly: o.RefreshOnly || c.RefreshOnly,
		NoRefresh:   o.NoRefresh || c.NoRefresh,
		Targets:     append(append([]string(nil), o.Targets...), c.Targets...),
		Replace:     append(append([]string(nil), o.Replace...), c.Replace...),
		Vars:        append(append([]string(nil), o.Vars...), c.Vars...),
		Parallelism: o.Parallelism,
	}
	if c.Parallelism > 0 {
		out.Parallelism = c.Parallelism
	}
	return out
}

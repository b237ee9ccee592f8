package github

// Allowance is what is left of the hourly requests of a kind, where least is
// left: of all installations, and of the App itself.
type Allowance struct {
	Resource  string // core | graphql | …, as GitHub calls it
	Limit     int    // of the one that has least left
	Remaining int    // requests, until the reset
}

// Allowances returns what is left of the hourly requests, as GitHub told last,
// a row for each kind. An installation that has sent nothing in its present
// hour, and so has all of it, is not among them.
func (a *App) Allowances() []Allowance {
	least := map[string]Allowance{}
	now := a.opts.Clock.Now()
	for _, c := range a.conns() {
		c.mu.Lock()
		for resource, b := range c.budgets {
			if !now.Before(b.reset) {
				continue
			}
			if had, ok := least[resource]; !ok || b.remaining < had.Remaining {
				least[resource] = Allowance{resource, b.limit, b.remaining}
			}
		}
		c.mu.Unlock()
	}
	var all []Allowance
	for _, l := range least {
		all = append(all, l)
	}
	return all
}

// Halted returns how many installations, the App itself counted as one, may
// send nothing now because GitHub said that there was too much at once.
func (a *App) Halted() (n int) {
	now := a.opts.Clock.Now()
	for _, c := range a.conns() {
		c.mu.Lock()
		if now.Before(c.closed) {
			n++
		}
		c.mu.Unlock()
	}
	return n
}

func (a *App) conns() []*conn {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := []*conn{a.conn}
	for _, c := range a.clients {
		all = append(all, c.conn)
	}
	return all
}

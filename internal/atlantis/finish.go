package atlantis

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/planner"
)

// finish gives the projects their names, their workflows and what they say of
// each other, and checks it as planner does a tidelock.hcl.
func (r *reader) finish() {
	r.names()
	names, keys := map[string]int{}, map[string]int{}
	var all []string
	for i := range r.projects {
		p := &r.projects[i]
		if first, ok := names[p.Name]; ok {
			r.say(p.Line, "There is a project %q on line %d already.", p.Name, first)
		}
		key := planner.Project{Dir: p.Dir, Workspace: p.Workspace}.Key()
		if first, ok := keys[key]; ok {
			r.say(p.Line, "The project on line %d has the same directory and workspace. They would share one state here: a project's backend is what its code says. "+
				"Give each a directory or a workspace of its own.", first)
		}
		names[p.Name], keys[key] = p.Line, p.Line
		all = append(all, p.Name)
		if p.workflow != "" {
			r.apply(p)
		}
	}
	for i := range r.projects {
		p := &r.projects[i]
		for _, name := range p.DependsOn {
			switch _, ok := names[name]; {
			case name == p.Name:
				r.say(p.DependsLine, "The project %s depends on itself.", p.Name)
			case !ok && !r.cfg.Autodiscover:
				r.say(p.DependsLine, "The project %s depends on %q, and there is no such project.%s", p.Name, short(name), r.guess(name, all))
			}
		}
		if len(p.DependsOn) == 0 {
			p.DependsOn = nil
		}
	}
	for _, p := range r.projects {
		r.cfg.Projects = append(r.cfg.Projects, p.ProjectConfig)
	}
	circles := planner.Circles(r.cfg.Projects)
	for _, c := range circles {
		line := 0
		for _, p := range r.cfg.Projects {
			if p.Name == c[0] {
				line = p.DependsLine
			}
		}
		r.say(line, "The projects depend on each other in a circle: %s.", planner.CircleText(c))
	}
	if len(circles) == 0 {
		r.raiseOrders()
	}
	r.gates()
}

// raiseOrders gives a project at least the order of what it depends on:
// Atlantis would begin it and then wait for the other for ever.
func (r *reader) raiseOrders() {
	byName := map[string]*planner.ProjectConfig{}
	for i := range r.cfg.Projects {
		byName[r.cfg.Projects[i].Name] = &r.cfg.Projects[i]
	}
	done := map[string]bool{}
	var raise func(p *planner.ProjectConfig)
	raise = func(p *planner.ProjectConfig) {
		if done[p.Name] {
			return
		}
		done[p.Name] = true
		for _, name := range p.DependsOn {
			on := byName[name]
			if on == nil || on == p {
				continue
			}
			if raise(on); on.Order > p.Order {
				r.note(cmp.Or(p.DependsLine, p.Line), "execution_order_group: %s depends on %s, which is in the later group %d, and so belongs to that group too.", p.Name, on.Name, on.Order)
				p.Order = on.Order
			}
		}
	}
	for i := range r.cfg.Projects {
		raise(&r.cfg.Projects[i])
	}
}

// names gives every project a name that can stand in a command: its own, as
// far as it can, else that of its directory and workspace.
func (r *reader) names() {
	renamed := map[string]string{}
	taken := map[string]bool{}
	next := map[string]int{} // the number behind a name that is taken
	for i := range r.projects {
		p := &r.projects[i]
		want := p.givenName
		if want == "" {
			want = p.Dir
			if want == "." {
				want = "root"
			}
			if p.Workspace != planner.DefaultWorkspace {
				want += ":" + p.Workspace
			}
		}
		base := plain(want)
		name := base
		for name != p.givenName && taken[name] { // two of one given name are a problem
			next[base]++
			name = fmt.Sprintf("%s-%d", base, next[base]+1)
		}
		taken[name] = true
		if p.givenName != "" && name != p.givenName {
			r.note(p.Line, "name: %s has characters that no name has here, and became %s.", short(p.givenName), name)
			renamed[p.givenName] = name
		}
		p.Name = name
	}
	for i := range r.projects {
		for j, on := range r.projects[i].DependsOn {
			if name, ok := renamed[on]; ok {
				r.projects[i].DependsOn[j] = name
			}
		}
	}
}

// plain makes a valid name of any text.
func plain(s string) string {
	if planner.ValidProjectName(s) {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', b.Len() > 0 && strings.ContainsRune("._/-:", c):
			b.WriteRune(c)
		case b.Len() > 0:
			b.WriteByte('-')
		}
		if b.Len() == 90 {
			break
		}
	}
	if name := b.String(); planner.ValidProjectName(name) {
		return name
	}
	return "project"
}

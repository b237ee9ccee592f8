package tfrun

import (
	"fmt"
	"strings"
	"time"
)

// tracker follows an apply by what Terraform says of it.
type tracker struct {
	expected int    // steps, from the plan's JSON; 0 where it is not at hand
	planned  []part // objects in the order that Terraform lists them
	index    map[string]int
	running  []moment // in the order they began
	steps    int      // that are done
	last     string   // the address of the last of them
	complete bool     // Terraform said that it was done
}

// part is one object of an apply.
type part struct {
	address              string
	steps, done, started int
}

// moment is what happens to one object now.
type moment struct {
	address, doing string
	elapsed        time.Duration
}

// doings are Terraform's actions as they go on.
var doings = map[string]string{"create": "creating", "update": "updating", "delete": "destroying", "read": "reading"}

// take takes an event and reports whether there is anything new to tell.
func (t *tracker) take(ev event) bool {
	address := ev.address()
	// An event that lacks what it should have tells nothing.
	switch {
	case strings.HasPrefix(ev.Type, "apply_") && ev.Hook == nil, ev.Type == "planned_change" && ev.Change == nil:
		return false
	}
	switch ev.Type {
	case "planned_change":
		switch ev.Change.Action {
		case "create", "update", "delete", "read":
			t.part(address).steps++
		case "replace":
			t.part(address).steps += 2
		}
	case "apply_start":
		doing := doings[ev.Hook.Action]
		if doing == "" {
			doing = "changing"
		}
		t.part(address).started++
		t.running = append(t.running, moment{address: address, doing: doing})
		return true
	case "apply_progress":
		for i := range t.running {
			if t.running[i].address == address {
				t.running[i].elapsed = time.Duration(ev.Hook.Elapsed * float64(time.Second))
			}
		}
		return true
	case "apply_complete":
		t.part(address).done++
		t.steps++
		t.last = address
		t.end(address)
		return true
	case "apply_errored":
		t.end(address)
		return true
	case "change_summary":
		t.complete = t.complete || ev.Changes != nil && ev.Changes.Operation == "apply"
	}
	return false
}

func (t *tracker) part(address string) *part {
	i, ok := t.index[address]
	if !ok {
		if t.index == nil {
			t.index = map[string]int{}
		}
		i = len(t.planned)
		t.index[address] = i
		t.planned = append(t.planned, part{address: address})
	}
	return &t.planned[i]
}

func (t *tracker) end(address string) {
	for i := range t.running {
		if t.running[i].address == address {
			t.running = append(t.running[:i], t.running[i+1:]...)
			return
		}
	}
}

// progress is how far the apply is.
func (t *tracker) progress() Progress {
	p := Progress{Done: t.steps, Total: t.expected, Address: t.last}
	if p.Total == 0 {
		for _, part := range t.planned {
			p.Total += part.steps
		}
	}
	if p.Total > 0 {
		p.Total = max(p.Total, p.Done)
	}
	if len(t.running) > 0 {
		now := t.running[0]
		p.Address, p.Doing, p.Elapsed = now.address, now.doing, now.elapsed
	}
	return p
}

// account tells in sentences what an apply that did not go through has done
// and what not. It begins with a space.
func (t *tracker) account() string {
	var done, begun, rest []string
	for _, p := range t.planned {
		switch {
		case p.done > 0 && p.done >= p.steps:
			done = append(done, p.address)
		case p.started > 0:
			begun = append(begun, p.address)
		case p.steps > 0:
			rest = append(rest, p.address)
		}
	}
	var b strings.Builder
	for _, l := range []struct {
		what string
		list []string
	}{{"Done", done}, {"Begun but not finished", begun}, {"Not begun", rest}} {
		if len(l.list) > 0 {
			b.WriteString(" " + l.what + ": " + some(l.list) + ".")
		}
	}
	return b.String()
}

// some names the first few of a list.
func some(list []string) string {
	const most = 10
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
}

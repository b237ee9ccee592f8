package tfrun

import (
	"fmt"
	"strings"
	"time"
)

// tracker follows an apply or a plan by what Terraform says of it.
type tracker struct {
	planning bool             // what is said is said of a plan
	expected int              // steps, from the plan's JSON; 0 where it is not at hand
	guess    int              // steps that an earlier plan of the project took; 0 for none
	now      func() time.Time // nil for time.Now
	planned  []part           // objects in the order that Terraform lists them
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
	began          time.Time
	elapsed        time.Duration // as Terraform says
}

// doings are Terraform's actions as they go on.
var doings = map[string]string{
	"create": "creating", "update": "updating", "delete": "destroying", "read": "reading",
	"open": "opening", "renew": "renewing", "close": "closing",
}

// take takes an event and reports whether there is anything new to tell.
func (t *tracker) take(ev event) bool {
	address := ev.address()
	// An event that lacks what it should have tells nothing.
	switch {
	case strings.HasPrefix(ev.Type, "apply_") && ev.Hook == nil, ev.Type == "planned_change" && ev.Change == nil:
		return false
	case t.planning:
		return t.takePlan(ev)
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
		t.begin(address, doing)
		return true
	case "apply_progress":
		t.goOn(address, ev.Hook.Elapsed)
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

// takePlan takes an event of a plan. A step is an object that was read, or one
// whose change is known: how many there will be, nobody knows before the end.
func (t *tracker) takePlan(ev event) bool {
	address := ev.address()
	if address == "" || ev.Hook == nil && ev.Type != "planned_change" {
		return false
	}
	switch ev.Type {
	case "refresh_start":
		t.begin(address, "refreshing")
	case "apply_start", "ephemeral_op_start": // of a data source, of an ephemeral resource
		doing := doings[ev.Hook.Action]
		if doing == "" {
			doing = "reading"
		}
		t.begin(address, doing)
	case "apply_progress", "ephemeral_op_progress":
		t.goOn(address, ev.Hook.Elapsed)
	case "refresh_complete", "apply_complete", "planned_change":
		t.end(address)
		t.steps++
		t.last = address
	case "apply_errored", "refresh_errored", "ephemeral_op_complete", "ephemeral_op_errored":
		t.end(address)
	default:
		return false
	}
	return true
}

func (t *tracker) clock() time.Time {
	if t.now == nil {
		return time.Now()
	}
	return t.now()
}

func (t *tracker) begin(address, doing string) {
	t.running = append(t.running, moment{address: address, doing: doing, began: t.clock()})
}

func (t *tracker) goOn(address string, elapsed float64) {
	for i := range t.running {
		if t.running[i].address == address {
			t.running[i].elapsed = time.Duration(elapsed * float64(time.Second))
		}
	}
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

// progress is how far the run is.
func (t *tracker) progress() Progress {
	p := Progress{Done: t.steps, Total: t.expected, Address: t.last}
	if p.Total == 0 {
		for _, part := range t.planned {
			p.Total += part.steps
		}
	}
	if p.Total == 0 && t.guess > t.steps { // more than that was wrong
		p.Total, p.Guess = t.guess, true
	}
	if p.Total > 0 {
		p.Total = max(p.Total, p.Done)
	}
	if len(t.running) > 0 {
		now := t.running[0]
		p.Address, p.Doing, p.Others = now.address, now.doing, len(t.running)-1
		p.Elapsed = max(now.elapsed, t.clock().Sub(now.began))
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

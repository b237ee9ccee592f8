package tfplan

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"unicode"
)

// Deferred is a change that Terraform has put off: what it will do can only
// be planned once this plan has been applied.
type Deferred struct {
	Change Change // as far as it is known
	Reason string // Terraform's word, "instance_count_unknown"
}

// Why is the reason in words.
func (d Deferred) Why() string { return deferralReason(d.Reason) }

func deferralReason(reason string) string {
	switch reason {
	case "instance_count_unknown":
		return "how many there will be is not known yet"
	case "resource_config_unknown":
		return "its configuration is not known yet"
	case "provider_config_unknown":
		return "its provider's configuration is not known yet"
	case "absent_prereq":
		return "something that it needs does not exist yet"
	case "deferred_prereq":
		return "something that it needs is deferred itself"
	case "", "unknown":
		return "Terraform does not say why"
	}
	return reason
}

// Invocation is an action that the apply will invoke: something a provider
// does beside creating, changing and destroying objects.
type Invocation struct {
	Address  string // action.aws_lambda_invoke.notify
	Type     string
	Name     string
	Provider string
	Config   map[string]any
	// Unknown and Sensitive are masks of Config, as in Change.
	Unknown, Sensitive any
	Resource           string // the object whose change triggers it, "" when it was asked for by itself
	Event              string // "after_create"
	Deferred           bool   // not now, but once this plan has been applied
	Reason             string // why it is deferred, Terraform's word

	order string // among those of one object and event
}

// Unread names the sections of the plan's JSON that this version of Tidelock
// does not know, and which are not empty: what they would do is not shown.
func (p *Plan) Unread() []string {
	names := make([]string, 0, len(p.unread))
	for name := range p.unread {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func deferredOf(in []wireDeferred) ([]Deferred, error) {
	var out []Deferred
	for _, w := range in {
		cs, err := changesOf([]wireChange{w.Change})
		if err != nil {
			return nil, err
		}
		out = append(out, Deferred{cs[0], w.Reason})
	}
	sort.SliceStable(out, func(i, j int) bool { return before(&out[i].Change, &out[j].Change) })
	return out, nil
}

func invocationsOf(w *wirePlan) []Invocation {
	var out []Invocation
	add := func(i wireInvocation, deferred bool, reason string) {
		one := Invocation{
			Address: i.Address, Type: i.Type, Name: i.Name, Provider: i.Provider,
			Unknown: i.Unknown, Sensitive: i.Sensitive, Deferred: deferred, Reason: reason,
		}
		one.Config, _ = i.Config.(map[string]any)
		if t := i.Trigger; t != nil {
			one.Resource, one.Event = t.Resource, t.Event
			one.order = fmt.Sprintf("%9s %9s", numberOr0(t.Block), numberOr0(t.Place))
		}
		out = append(out, one)
	}
	for _, i := range w.invocations {
		add(i, false, "")
	}
	for _, d := range w.deferredInvocations {
		add(d.Invocation, true, d.Reason)
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := &out[i], &out[j]
		if a.Resource != b.Resource {
			return a.Resource < b.Resource
		}
		if a.Event != b.Event {
			return a.Event < b.Event
		}
		if a.order != b.order {
			return a.order < b.order
		}
		return a.Address < b.Address
	})
	return out
}

func numberOr0(n json.Number) string {
	if n == "" {
		return "0"
	}
	return n.String()
}

// heading says when the action is invoked.
func (i Invocation) heading() string {
	text := i.Address + " will be invoked"
	if i.Resource != "" {
		text += " " + eventWords(i.Event) + " of " + i.Resource
	}
	if i.Deferred {
		text += ", later: " + deferralReason(i.Reason)
	}
	return text
}

// eventWords turns "AfterCreate", and "after_create", into "after create".
func eventWords(event string) string {
	var b strings.Builder
	for i, r := range event {
		switch {
		case r == '_':
			b.WriteByte(' ')
		case i > 0 && unicode.IsUpper(r):
			b.WriteByte(' ')
			fallthrough
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// invocation renders an action as Diff renders a change, or its heading alone.
func (d *differ) invocation(i Invocation, whole bool) string {
	d.heading(i.heading())
	if whole {
		d.dynamic = true
		d.line("", 4, fmt.Sprintf("action %q %q {", i.Type, i.Name))
		d.body(body{before: i.Config, after: i.Config, unknown: i.Unknown, beforeSens: i.Sensitive, afterSens: i.Sensitive, col: 8, root: true, show: true})
		d.line("", 4, "}")
	}
	return d.b.String()
}

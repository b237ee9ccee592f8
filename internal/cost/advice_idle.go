package cost

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// unattached finds what is paid for and used by nothing: addresses and disks
// that the provider itself says nothing is attached to, and volumes whose only
// attachment the plan takes away. What anything in the configuration refers to
// is left alone, since it may be about to be used.
func (x *estimation) unattached() []Advice {
	detached := x.detached()
	var out []Advice
	for i := range x.changes {
		c := &x.changes[i]
		if c.Mode != "managed" || c.Before == nil || c.After == nil || c.Action == tfplan.ActionForget || c.Action == tfplan.ActionReplace {
			continue
		}
		v := sideView(c, true)
		why := ""
		switch c.Type {
		case "aws_eip":
			if v.none("association_id") && v.none("instance") && v.none("network_interface") {
				why = "AWS says that it is associated with nothing"
			}
		case "google_compute_address", "google_compute_disk":
			if users, known := v.value["users"].([]any); known && len(users) == 0 && !tfplan.MaskCovers(tfplan.MaskMember(v.unknown, "users")) {
				why = "Google says that nothing uses it"
			}
		case "aws_ebs_volume", "azurerm_managed_disk":
			if id := v.plain("id"); id != "" && detached[id] {
				why = "the plan takes its only attachment away"
			}
		default:
			continue
		}
		if why == "" || x.referredTo(c) {
			continue
		}
		b := x.price(c, true)
		if !b.whole() || b.total().LessThan(leastSaving) {
			continue
		}
		what, id := "The address", "address"
		if c.Type != "aws_eip" && c.Type != "google_compute_address" {
			what, id = "The disk", "disk"
		}
		out = append(out, Advice{
			ID: cloudOf(c.Type) + "." + id + ".unattached", Address: c.Address, Text: what + " is paid for and not used: let it go, if what it holds is not needed.",
			Why: strings.ToUpper(why[:1]) + why[1:] + ", and nothing in the configuration refers to it.", Saving: b.total(),
		})
	}
	return out
}

// none reports whether the plan knows that a text is not set.
func (v view) none(key string) bool {
	if mask := tfplan.MaskMember(v.unknown, key); mask != nil && tfplan.MaskCovers(mask) {
		return false
	}
	x, there := v.value[key]
	s, text := x.(string)
	return there && (x == nil || text && s == "")
}

// detached has the IDs of what attachments were of and no longer are.
func (x *estimation) detached() map[string]bool {
	keys := map[string]string{"aws_volume_attachment": "volume_id", "azurerm_virtual_machine_data_disk_attachment": "managed_disk_id"}
	out := map[string]bool{}
	var kept []string
	for i := range x.changes {
		c := &x.changes[i]
		key := keys[c.Type]
		if key == "" || c.Mode != "managed" {
			continue
		}
		if c.After == nil && c.Action == tfplan.ActionDelete {
			if id, _ := c.Before[key].(string); id != "" {
				out[id] = true
			}
			continue
		}
		if sideView(c, true).plain(key) == "" {
			return nil // of what it is an attachment is not known: of any
		}
		kept = append(kept, sideView(c, true).plain(key))
	}
	for _, id := range kept {
		delete(out, id)
	}
	return out
}

// referredTo reports whether any expression of the configuration names the
// resource, an output's too.
func (x *estimation) referredTo(c *tfplan.Change) bool {
	r, m := x.cfg.resource(c)
	if r == nil {
		return true // nothing is known of what refers to it
	}
	if x.named == nil {
		x.named = map[*module]map[string]bool{}
	}
	names := x.named[m]
	if names == nil {
		names = map[string]bool{}
		for _, other := range m.Resources {
			for _, raw := range other.Expressions {
				noteReferences(raw, names)
			}
		}
		for _, call := range m.Calls {
			for _, raw := range call.Expressions {
				noteReferences(raw, names)
			}
		}
		for _, o := range m.Outputs {
			noteReferences(o.Expression, names)
		}
		x.named[m] = names
	}
	return names[r.Type+"."+r.Name]
}

// noteReferences collects the resources that an expression or a block of them
// names.
func noteReferences(raw json.RawMessage, names map[string]bool) {
	var value any
	if len(raw) == 0 || json.Unmarshal(raw, &value) != nil {
		return
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				refs, list := inner.([]any)
				if key != "references" || !list {
					walk(inner)
					continue
				}
				for _, ref := range refs {
					text, _ := ref.(string)
					if st := steps(text); len(st) >= 2 {
						names[st[0].name+"."+st[1].name] = true
					}
				}
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(value)
}

// notProduction are the words of a tag that say that nothing depends on a
// network being there in every zone.
var notProduction = []string{"dev", "develop", "development", "test", "testing", "qa", "sandbox", "staging", "stage", "preview", "demo", "nonprod", "non-prod"}

// gateways finds networks that say of themselves that they are not for
// production and have several NAT gateways, where one does.
func (x *estimation) gateways() []Advice {
	type network struct {
		name     string
		gateways []*tfplan.Change
	}
	byVPC := map[string]*network{}
	var order []*network
	for i := range x.changes {
		c := &x.changes[i]
		if c.Type != "aws_nat_gateway" || c.Mode != "managed" || c.After == nil || c.Action == tfplan.ActionForget || c.After["connectivity_type"] == "private" {
			continue
		}
		key, stage := x.networkOf(c)
		if key == "" || !slices.Contains(notProduction, strings.ToLower(stage)) {
			continue
		}
		n := byVPC[key]
		if n == nil {
			n = &network{name: stage}
			byVPC[key], order = n, append(order, n)
		}
		n.gateways = append(n.gateways, c)
	}
	var out []Advice
	for _, n := range order {
		for i, c := range n.gateways {
			if i == 0 {
				continue
			}
			b := x.price(c, true)
			if !b.whole() {
				continue
			}
			saving := b.total().Sub(b.usedTotal())
			if saving.LessThan(leastSaving) {
				continue
			}
			out = append(out, Advice{
				ID: "aws.nat.single", Address: c.Address, Saving: saving,
				Text: "Let " + n.gateways[0].Address + " serve this network alone: it is the first of " + fmt.Sprint(len(n.gateways)) + " NAT gateways here.",
				Why:  "The network's tag says " + n.name + ", where the loss of one zone may be borne. What the other zones send is then charged as data between zones.",
			})
		}
	}
	return out
}

// networkOf names the network that a gateway is in, and what its tags say of
// what it is for: those of the gateway, its subnet or the network.
func (x *estimation) networkOf(c *tfplan.Change) (key, stage string) {
	b := &bill{exists: true}
	v := sideView(c, true)
	s := &side{view: v, x: x, ch: c, after: true, bill: b}
	v.side, s.view = s, v
	id := v.plain("subnet_id")
	subnets := x.everything()
	subnet := subnets.holding("aws_subnet", "id", id, true)
	if id == "" || subnet == nil {
		r, m := x.cfg.resource(c)
		if r == nil {
			return "", ""
		}
		subnet = x.followIn(subnets, references(r, "subnet_id"), m, c.ModuleAddress, c, "aws_subnet")
	}
	if subnet == nil {
		return "", ""
	}
	key = sideView(subnet, true).plain("vpc_id")
	vpc := subnets.holding("aws_vpc", "id", key, true)
	if key == "" || vpc == nil {
		if r, m := x.cfg.resource(subnet); r != nil {
			if vpc = x.followIn(subnets, references(r, "vpc_id"), m, subnet.ModuleAddress, subnet, "aws_vpc"); vpc != nil && key == "" {
				key = vpc.Address
			}
		}
	}
	for _, of := range []*tfplan.Change{c, subnet, vpc} {
		if of == nil {
			continue
		}
		if stage = stageOf(sideView(of, true)); stage != "" {
			return key, stage
		}
	}
	return key, ""
}

// followIn is follow with an index of all resources.
func (x *estimation) followIn(all *changeIndex, refs []string, m *module, at string, ch *tfplan.Change, typ string) *tfplan.Change {
	usual := x.index
	x.index = all
	defer func() { x.index = usual }()
	return x.follow(refs, m, at, ch, []string{typ}, 0)
}

// stageOf is what a resource's tags say that it is for.
func stageOf(v view) string {
	if mask := tfplan.MaskMember(v.sensitive, "tags"); mask != nil && tfplan.MaskCovers(mask) {
		return ""
	}
	for _, key := range []string{"tags_all", "tags"} {
		tags, _ := v.value[key].(map[string]any)
		for _, name := range []string{"environment", "Environment", "env", "Env", "stage", "Stage"} {
			if s, ok := tags[name].(string); ok && s != "" {
				return s
			}
		}
	}
	return ""
}

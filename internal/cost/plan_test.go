package cost

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// The plans of these tests are made by hand, in the form in which `terraform
// show -json` writes them; real_test.go has plans that a real Terraform made.

type object = map[string]any

// change is one entry of resource_changes; the configuration's entry is made
// from it where conf is not nil.
type change struct {
	address string
	typ     string
	actions string // "create", "delete,create"
	before  object
	after   object
	unknown object
	hidden  object // after_sensitive
	conf    object // expressions; nil leaves the resource out of the configuration
}

// planOf makes a plan out of changes of the root module, with the providers'
// configurations.
func planOf(t testing.TB, providers object, changes ...change) *tfplan.Plan {
	t.Helper()
	var rc, res []any
	for _, c := range changes {
		typ := c.typ
		if typ == "" {
			typ, _, _ = strings.Cut(c.address, ".")
		}
		name := strings.TrimPrefix(c.address, typ+".")
		name, key, indexed := strings.Cut(name, "[")
		provider, _, _ := strings.Cut(typ, "_")
		entry := object{
			"address": c.address, "mode": "managed", "type": typ, "name": name,
			"provider_name": "registry.terraform.io/hashicorp/" + provider,
			"change": object{
				"actions": strings.Split(c.actions, ","), "before": orNull(c.before), "after": orNull(c.after),
				"after_unknown": orEmpty(c.unknown), "before_sensitive": false, "after_sensitive": orEmpty(c.hidden),
			},
		}
		if indexed {
			entry["index"] = json.RawMessage(strings.TrimSuffix(key, "]"))
		}
		rc = append(rc, entry)
		if c.conf != nil {
			res = append(res, object{
				"address": typ + "." + name, "mode": "managed", "type": typ, "name": name,
				"provider_config_key": provider, "expressions": c.conf, "schema_version": 0,
			})
		}
	}
	return parse(t, object{
		"format_version": "1.2", "terraform_version": "1.9.8", "resource_changes": rc,
		"configuration": object{"provider_config": providers, "root_module": object{"resources": res}},
	})
}

func orNull(o object) any {
	if o == nil {
		return nil
	}
	return o
}

func orEmpty(o object) any {
	if o == nil {
		return object{}
	}
	return o
}

func parse(t testing.TB, plan object) *tfplan.Plan {
	t.Helper()
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	p, err := tfplan.ParsePlan(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func constantly(v any) object { return object{"constant_value": v} }

func refs(r ...string) object { return object{"references": r} }

// in returns provider configurations with AWS and Google in a region.
func in(aws, google string) object {
	return object{
		"aws":     object{"name": "aws", "full_name": "registry.terraform.io/hashicorp/aws", "expressions": object{"region": constantly(aws)}},
		"azurerm": object{"name": "azurerm", "full_name": "registry.terraform.io/hashicorp/azurerm"},
		"google":  object{"name": "google", "full_name": "registry.terraform.io/hashicorp/google", "expressions": object{"region": constantly(google)}},
	}
}

var virginia = in("us-east-1", "us-central1")

var shared = sync.OnceValues(NewCatalog)

func catalog(t testing.TB) *Catalog {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func estimate(t testing.TB, p *tfplan.Plan) Estimate {
	t.Helper()
	e, err := catalog(t).Estimate(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, e)
	return e
}

// check holds what is true of every estimate.
func check(t testing.TB, e Estimate) {
	t.Helper()
	if !e.Delta.Equal(e.After.Sub(e.Before)) {
		t.Errorf("delta %s is not %s - %s", e.Delta, e.After, e.Before)
	}
	if c := e.Counts; c.Priced+c.Free+c.Usage+c.NotPriced != c.Total {
		t.Errorf("counts don't add up: %+v", c)
	}
	var before, after decimal.Decimal
	for _, r := range e.Resources {
		if r.Status == StatusNoPrice || r.Status == StatusUnknown || r.Status == StatusUnsupported {
			if r.Note == "" {
				t.Errorf("%s: %s without a reason", r.Address, r.Status)
			}
			if r.Before != nil && r.Before.IsPositive() && r.After != nil && r.After.IsPositive() {
				t.Errorf("%s: %s with both sides priced", r.Address, r.Status)
			}
		}
		was := r.Was
		if was == nil {
			was = r.Components
		}
		if r.Before != nil && r.Before.IsPositive() && !sum(was).Equal(*r.Before) {
			t.Errorf("%s: before %s, components %s", r.Address, r.Before, sum(was))
		}
		if r.After != nil && r.After.IsPositive() && !sum(r.Components).Equal(*r.After) {
			t.Errorf("%s: after %s, components %s", r.Address, r.After, sum(r.Components))
		}
		for _, c := range r.Components {
			if !c.Price.IsPositive() || !c.Quantity.IsPositive() || c.Unit == "" || c.Source == "" || c.AsOf == "" {
				t.Errorf("%s: bad component %+v", r.Address, c)
			}
			if !c.Monthly.Equal(c.Quantity.Mul(c.Price)) {
				t.Errorf("%s: %s is not %s × %s", r.Address, c.Monthly, c.Quantity, c.Price)
			}
		}
		if r.Delta == nil && r.Action != tfplan.ActionCreate && r.Action != tfplan.ActionDelete {
			continue // left out of the totals
		}
		if r.Before != nil {
			before = before.Add(*r.Before)
		}
		if r.After != nil {
			after = after.Add(*r.After)
		}
	}
	if !before.Equal(e.Before) || !after.Equal(e.After) {
		t.Errorf("totals %s, %s; resources add up to %s, %s", e.Before, e.After, before, after)
	}
}

func sum(cs []Component) decimal.Decimal {
	var t decimal.Decimal
	for _, c := range cs {
		t = t.Add(c.Monthly)
	}
	return t
}

// only returns the estimate's one resource.
func only(t testing.TB, e Estimate) ResourceCost {
	t.Helper()
	if len(e.Resources) != 1 {
		t.Fatalf("%d resources, want 1: %+v", len(e.Resources), e.Resources)
	}
	return e.Resources[0]
}

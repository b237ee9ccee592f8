package cost

import (
	"sort"
	"strings"
	"sync"

	"github.com/shopspring/decimal"
)

// ServiceAmount is the part of an estimate that one service of a vendor is.
type ServiceAmount struct {
	Cloud   string          `json:"cloud"`   // aws, azure, gcp; "" where the type tells no cloud
	Service string          `json:"service"` // as the vendor's billing export writes it: FOCUS's ServiceName
	Label   string          `json:"label"`   // the same in short, for people
	Before  decimal.Decimal `json:"before"`
	After   decimal.Decimal `json:"after"`
	Delta   decimal.Decimal `json:"delta"`
}

// OtherService is the service of what no table of ours places: a type that
// another estimator priced.
const OtherService = "Other"

// ByService splits the totals by the service that will stand on the vendor's
// bill: each of the sums of Before, After and Delta is the estimate's own. The
// dearest after the change stands first. An estimate without resources, such
// as Plus makes, has none: MergeServices adds those of several projects.
func (e Estimate) ByService() []ServiceAmount {
	sums := map[serviceName]*ServiceAmount{}
	add := func(typ string, components []Component, side func(*ServiceAmount) *decimal.Decimal) {
		for _, c := range components {
			n := serviceOf(typ, c.Service)
			a := sums[n]
			if a == nil {
				a = &ServiceAmount{Cloud: n.cloud, Service: n.name, Label: n.label}
				sums[n] = a
			}
			sum := side(a)
			*sum = sum.Add(c.Monthly)
		}
	}
	for i := range e.Resources {
		r := &e.Resources[i]
		if r.Apart {
			continue
		}
		before, after := r.Sides()
		add(r.Type, before, func(a *ServiceAmount) *decimal.Decimal { return &a.Before })
		add(r.Type, after, func(a *ServiceAmount) *decimal.Decimal { return &a.After })
	}
	out := make([]ServiceAmount, 0, len(sums))
	for _, a := range sums {
		out = append(out, *a)
	}
	return inOrder(out)
}

// MergeServices adds up what several estimates say by service.
func MergeServices(lists ...[]ServiceAmount) []ServiceAmount {
	at := map[[2]string]int{}
	var out []ServiceAmount
	for _, list := range lists {
		for _, a := range list {
			k := [2]string{a.Cloud, a.Service}
			i, ok := at[k]
			if !ok {
				at[k] = len(out)
				out = append(out, a)
				continue
			}
			out[i].Before, out[i].After = out[i].Before.Add(a.Before), out[i].After.Add(a.After)
		}
	}
	return inOrder(out)
}

func inOrder(list []ServiceAmount) []ServiceAmount {
	for i := range list {
		list[i].Delta = list[i].After.Sub(list[i].Before)
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		if c := a.After.Cmp(b.After); c != 0 {
			return c > 0
		}
		if c := a.Before.Cmp(b.Before); c != 0 {
			return c > 0
		}
		if a.Cloud != b.Cloud {
			return a.Cloud < b.Cloud
		}
		return a.Service < b.Service
	})
	return list
}

// Sides returns the lines that make up Before and After.
func (r ResourceCost) Sides() (before, after []Component) {
	// A side that is absent or has no price adds nothing; that its components
	// are not listed twice where they are the same tells the rest.
	if r.After != nil && !r.After.IsZero() {
		after = r.Components
	}
	switch {
	case len(r.Was) > 0:
		before = r.Was
	case r.Before != nil && !r.Before.IsZero():
		before = r.Components
	}
	return before, after
}

// ServiceOf names the service that a line of a bill belongs to: by the type of
// the resource and, where the line has it, the catalogue's service. A type that
// no table knows has OtherService.
func ServiceOf(typ, catalogue string) (cloud, name, label string) {
	n := serviceOf(typ, catalogue)
	return n.cloud, n.name, n.label
}

func serviceOf(typ, catalogue string) serviceName {
	t := placed()
	if n, ok := t.fixed[typ]; ok {
		return n
	}
	cloud := cloudOf(typ)
	if n, ok := t.sheets[cloud+"/"+catalogue]; ok {
		return n
	}
	if n, ok := t.types[typ]; ok {
		return n
	}
	return serviceName{cloud, OtherService, "other"}
}

func cloudOf(typ string) string {
	switch {
	case strings.HasPrefix(typ, "aws_"):
		return "aws"
	case strings.HasPrefix(typ, "azurerm_"):
		return "azure"
	case strings.HasPrefix(typ, "google_"):
		return "gcp"
	}
	return ""
}

type serviceName struct{ cloud, name, label string }

type placement struct {
	fixed, types map[string]serviceName // by type of resource; fixed whatever the line says
	sheets       map[string]serviceName // by cloud and catalogue's service
}

var placed = sync.OnceValue(func() placement {
	p := placement{map[string]serviceName{}, map[string]serviceName{}, map[string]serviceName{}}
	for _, s := range services {
		n := serviceName{s.cloud, s.name, s.label}
		for _, sheet := range strings.Fields(s.sheets) {
			p.sheets[s.cloud+"/"+sheet] = n
		}
		prefix := map[string]string{"aws": "aws_", "azure": "azurerm_", "gcp": "google_"}[s.cloud]
		for _, typ := range strings.Fields(s.types) {
			if whole, ok := strings.CutSuffix(typ, "!"); ok {
				p.fixed[prefix+whole] = n
				continue
			}
			p.types[prefix+typ] = n
			if s.cloud == "azure" && typ != "kubernetes_cluster" {
				p.fixed[prefix+typ] = n // Azure bills everything under the resource's own type; a cluster's nodes are others
			}
		}
	}
	return p
})

package cost

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

// Everything that is priced has a name on somebody's bill.
func TestEveryPricedTypeHasAService(t *testing.T) {
	priced, _, _ := Types()
	for _, typ := range priced {
		if cloud, name, label := ServiceOf(typ, ""); name == OtherService || cloud == "" || label == "" {
			t.Errorf("%s belongs to %q of %q, in short %q", typ, name, cloud, label)
		}
	}
}

// Every service of the catalogue that isn't Azure's, where the type tells, is
// placed; and no type or sheet is placed twice.
func TestEverySheetHasAService(t *testing.T) {
	for _, c := range catalog(t).Coverage(ByService) {
		if _, ok := placed().sheets[c.Cloud+"/"+c.Service]; !ok && c.Cloud != "azure" {
			t.Errorf("nothing says whose %s/%s is", c.Cloud, c.Service)
		}
	}
	seen := map[string]string{}
	names := map[string]bool{}
	for _, s := range services {
		if names[s.cloud+s.name] {
			t.Errorf("%s stands twice", s.name)
		}
		names[s.cloud+s.name] = true
		for _, w := range append(strings.Fields(s.sheets), strings.Fields(s.types)...) {
			sheet := "type "
			if strings.Contains(" "+s.sheets+" ", " "+w+" ") && !strings.Contains(" "+s.types+" ", " "+w+" ") {
				sheet = "sheet "
			}
			k := s.cloud + " " + sheet + strings.TrimSuffix(w, "!")
			if seen[k] != "" && seen[k] != s.name {
				t.Errorf("%s is of %s and of %s", k, seen[k], s.name)
			}
			seen[k] = s.name
		}
	}
}

// A line belongs to the service that bills it, not to that of its resource.
func TestServiceOfALine(t *testing.T) {
	for _, tt := range []struct{ typ, sheet, want string }{
		{"aws_instance", "ec2-linux", "Amazon Elastic Compute Cloud"},
		{"aws_instance", "ebs", "Amazon Elastic Compute Cloud"},
		{"aws_instance", "cloudwatch", "AmazonCloudWatch"},
		{"aws_instance", "vpc", "Amazon Virtual Private Cloud"}, // a public address
		{"aws_instance", "", "Amazon Elastic Compute Cloud"},
		{"aws_nat_gateway", "vpc", "Amazon Elastic Compute Cloud"},
		{"aws_networkfirewall_firewall", "vpc", "AWS Network Firewall"},
		{"aws_eks_node_group", "ec2-linux", "Amazon Elastic Compute Cloud"},
		{"aws_ecs_service", "fargate", "Amazon Elastic Container Service"},
		{"azurerm_linux_virtual_machine", "disk", "Virtual Machines"},
		{"azurerm_kubernetes_cluster", "aks", "Azure Kubernetes Service"},
		{"azurerm_kubernetes_cluster", "vm-linux", "Virtual Machine Scale Sets"},
		{"google_container_cluster", "compute", "Compute Engine"},
		{"google_container_cluster", "gke", "Kubernetes Engine"},
		{"google_compute_address", "network", "Compute Engine"},
		{"google_compute_router_nat", "network", "Networking"},
		{"aws_of_another_day", "", OtherService},
		{"hcloud_server", "", OtherService},
	} {
		if _, got, _ := ServiceOf(tt.typ, tt.sheet); got != tt.want {
			t.Errorf("%s of %s is %q, and %q is wanted", tt.sheet, tt.typ, got, tt.want)
		}
	}
}

// The services make up the totals, whatever happens to whichever resource, and
// still do when the estimate comes back from the database.
func TestServicesMakeUpTheTotals(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	all := examples()
	var sums []ServiceAmount
	var want Estimate
	for range 60 {
		var cs []change
		for i := range 12 {
			x := all[rng.IntN(len(all))]
			c := x.changes("create")[0]
			c.address = strings.Replace(c.address, ".", "."+string(rune('a'+i)), 1)
			switch rng.IntN(5) {
			case 0:
				c.actions, c.before, c.after = "delete", c.after, nil
			case 1: // of the same type to something else, priced or not
				c.actions, c.before, c.after = "update", c.after, object{}
			case 2:
				c.actions, c.before = "update", object{}
			case 3:
				c.actions, c.before = "no-op", c.after
			}
			cs = append(cs, c)
		}
		e := estimate(t, planOf(t, virginia, cs...))
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back Estimate
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		list := back.ByService()
		var before, after, delta decimal.Decimal
		for _, a := range list {
			before, after, delta = before.Add(a.Before), after.Add(a.After), delta.Add(a.Delta)
		}
		if !before.Equal(e.Before) || !after.Equal(e.After) || !delta.Equal(e.Delta) {
			t.Fatalf("the services are %s → %s (%s), the totals %s → %s (%s):\n%s", before, after, delta, e.Before, e.After, e.Delta, text)
		}
		sums, want = MergeServices(sums, list), want.Plus(e)
	}
	var before, after decimal.Decimal
	for i, a := range sums {
		before, after = before.Add(a.Before), after.Add(a.After)
		if i > 0 && a.After.GreaterThan(sums[i-1].After) {
			t.Error("the dearest doesn't stand first")
		}
	}
	if !before.Equal(want.Before) || !after.Equal(want.After) || want.After.IsZero() || want.Before.IsZero() {
		t.Errorf("all the services are %s → %s, all the totals %s → %s", before, after, want.Before, want.After)
	}
}

package explorer

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"a*", "abc", true}, {"*c", "abc", true}, {"a*c", "abdc", true}, {"a*c", "abd", false}, {"a?c", "abc", true}, {"a?c", "ac", false},
		{"*a*b*", "xxaxxbxx", true}, {"*a*b*", "xxbxxaxx", false}, {`module.a["x*"].b`, `module.a["xyz"].b`, true}, {"[a]", "a", false}, {"A", "a", false}, {"**", "x", true},
	} {
		if got := matches(c.pattern, c.text); got != c.want {
			t.Errorf("%q, %q: %v", c.pattern, c.text, got)
		}
	}
}

func TestWanted(t *testing.T) {
	for _, c := range []struct {
		wanted, name, version string
		want                  bool
	}{
		{"aws", "registry.terraform.io/hashicorp/aws", "5.1.0", true},
		{"hashicorp/aws@5.1.0", "registry.terraform.io/hashicorp/aws", "5.1.0", true},
		{"hashicorp/aws@5.1.0", "registry.terraform.io/hashicorp/aws", "5.1.1", false},
		{"aws@< 5.0", "registry.terraform.io/hashicorp/aws", "4.67.0", true},
		{"aws@< 5.0", "registry.terraform.io/hashicorp/aws", "5.0.0", false},
		{"aws", "registry.terraform.io/hashicorp/awscc", "1.0.0", false},
		{"ws", "registry.terraform.io/hashicorp/aws", "1.0.0", false},
		{"vpc/aws", "terraform-aws-modules/vpc/aws", "~> 5.0", true},
		{"terraform-aws-modules/vpc/aws@5.2.0", "terraform-aws-modules/vpc/aws", "~> 5.0", true}, // it may be
		{"terraform-aws-modules/vpc/aws@6.0.0", "terraform-aws-modules/vpc/aws", "~> 5.0", false},
		{"*/m.git@v1.2.0", "https://example.com/m.git", "v1.2.0", true},
		{"*/m.git@1.2.0", "https://example.com/m.git", "v1.2.0", true},
		{"*/m.git@main", "https://example.com/m.git", "main", true},
		{"*/m.git@main", "https://example.com/m.git", "dev", false},
		{"git@example.com:o/m.git", "git@example.com:o/m.git", "", true},
		{"./modules/vpc", "./modules/vpc", "", true},
	} {
		w, err := ParseWanted(c.wanted)
		if err != nil {
			t.Errorf("%s: %v", c.wanted, err)
		} else if got := w.names(c.name) && w.versions(c.version); got != c.want {
			t.Errorf("%s: %s %s: %v", c.wanted, c.name, c.version, got)
		}
	}
	for _, bad := range []string{"", "@1.0", "aws@", strings.Repeat("x", 600)} {
		if _, err := ParseWanted(bad); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "a", "=b", "a=b\nc"} {
		if _, err := ParseMatch(bad); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

const appPlan = `{"format_version":"1.2","terraform_version":"1.11.4","resource_changes":[
	{"address":"module.vpc[0].aws_subnet.a","module_address":"module.vpc[0]","mode":"managed","type":"aws_subnet","name":"a","provider_name":"registry.terraform.io/hashicorp/aws","change":{"actions":["no-op"],"before":{"id":"subnet-1"},"after":{"id":"subnet-1"}}},
	{"address":"aws_subnet.new","mode":"managed","type":"aws_subnet","name":"new","provider_name":"registry.terraform.io/hashicorp/aws","change":{"actions":["create"],"before":null,"after":{}}},
	{"address":"aws_vpc.moved","previous_address":"aws_vpc.was","mode":"managed","type":"aws_vpc","name":"moved","provider_name":"registry.terraform.io/hashicorp/aws","change":{"actions":["no-op"],"before":{"id":"vpc-1"},"after":{"id":"vpc-1"}}}],
	"configuration":{"provider_config":{"aws":{"name":"aws","full_name":"registry.terraform.io/hashicorp/aws","version_constraint":"~> 5.0"},"null":{"full_name":"registry.terraform.io/hashicorp/null"}},
	"root_module":{"module_calls":{"vpc":{"source":"terraform-aws-modules/vpc/aws","version_constraint":"5.1.2","module":{"module_calls":{"inner":{"source":"../shared","module":{}}}}},"own":{"source":"./modules/own","module":{}}}}}}`

func (w *world) planned(dir, lineage, text string) {
	w.t.Helper()
	p := Planned{Client: w.acme, Repo: 1, Dir: dir, Workspace: "default", Name: dir, Lineage: lineage, Plan: plan(w.t, text), Pins: map[string]string{"registry.terraform.io/hashicorp/aws": "5.31.0"}}
	if err := w.index.Planned(w.t.Context(), p); err != nil {
		w.t.Fatal(err)
	}
}

func TestPlansTellOfProjectsWithStatesElsewhere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.planned("app", "l1", appPlan)
		if got := w.find(Query{Client: w.acme}); got != "app aws_vpc.was\napp module.vpc[0].aws_subnet.a" {
			t.Errorf("found\n%s", got)
		}
		uses, err := w.index.Uses(t.Context(), w.acme, "", Wanted{})
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, u := range uses {
			lines = append(lines, fmt.Sprint(u.Project, " ", u.Kind, " ", u.Path, " ", u.Name, " ", u.Version))
		}
		want := "app module module.own ./modules/own \napp module module.vpc terraform-aws-modules/vpc/aws 5.1.2\napp module module.vpc.module.inner ../shared \n" +
			"app provider  registry.terraform.io/hashicorp/aws 5.31.0\napp provider  registry.terraform.io/hashicorp/null "
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("the uses are\n%s\nwant\n%s", got, want)
		}
		// By module and provider, with and without a version.
		for query, want := range map[string]string{
			"module vpc/aws": "app module.vpc[0].aws_subnet.a", "module vpc/aws@5.1.2": "app module.vpc[0].aws_subnet.a", "module vpc/aws@5.0.0": "",
			"provider aws@5.31.0": "app aws_vpc.was\napp module.vpc[0].aws_subnet.a", "provider aws@> 6": "", "provider google": "", "provider hashicorp/aws": "app aws_vpc.was\napp module.vpc[0].aws_subnet.a",
		} {
			kind, text, _ := strings.Cut(query, " ")
			one, err := ParseWanted(text)
			if err != nil {
				t.Fatal(err)
			}
			q := Query{Client: w.acme, Module: one}
			if kind == Provider {
				q = Query{Client: w.acme, Provider: one}
			}
			if got := w.find(q); got != want {
				t.Errorf("%s: found\n%s", query, got)
			}
		}
		if got := w.find(Query{Client: w.beta}); got != "" {
			t.Errorf("beta has %s", got)
		}
		// The same again writes nothing; another lineage's state changes nothing;
		// the state itself takes the plan's place, and keeps its versions.
		before := w.dump()
		w.clock.Add(1000)
		w.planned("app", "l1", appPlan)
		if got := w.dump(); got != before {
			t.Errorf("after the same plan:\n%s", got)
		}
		w.write(w.acme, "app-state", stateText(1, "l1", res{module: "module.vpc[0]", typ: "aws_subnet", name: "a", attrs: map[string]any{"id": "subnet-1"}}))
		w.write(w.beta, "other", stateText(1, "l1"))
		w.refresh()
		if got := w.find(Query{}); got != "app-state module.vpc[0].aws_subnet.a" {
			t.Errorf("with the state here:\n%s", got)
		}
		w.planned("app", "l1", appPlan)
		p, err := w.index.Search(t.Context(), Query{Module: Wanted{Name: "vpc/aws"}})
		if err != nil || len(p.Resources) != 1 || p.Resources[0].ProviderVersion != "5.31.0" || !p.Resources[0].Kept {
			t.Errorf("%+v, %v", p, err)
		}
		// Nobody plans it for more than a year.
		w.clock.Add(planAge.Milliseconds() + 5000)
		if err := w.index.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if uses, err := w.index.Uses(t.Context(), "", "", Wanted{}); err != nil || len(uses) != 0 {
			t.Errorf("%v, %v", uses, err)
		}
		if got := w.find(Query{}); got != "app-state module.vpc[0].aws_subnet.a" {
			t.Errorf("after pruning:\n%s", got)
		}
	})
}

// manyStates writes so many resources of some types in states of a thousand.
func manyStates(w *world, n int) {
	for i := range n / 1000 {
		var all []res
		for j := range 1000 {
			id := fmt.Sprintf("%08x", i*1000+j)
			all = append(all, res{module: fmt.Sprintf("module.m%d", j%10), typ: fmt.Sprint("aws_type_", j%40), name: "r" + id, attrs: map[string]any{
				"id": "x-" + id, "arn": "arn:aws:svc:eu-west-1:123456789012:thing/" + id, "name": "name-" + id, "enabled": j%2 == 0, "size": j % 7, "tags": map[string]any{"Name": "tag-" + id, "env": []string{"prod", "dev"}[i%2]},
				"description": strings.Repeat("words that describe it ", 5), "rules": []any{map[string]any{"from": 1, "to": 65535, "cidr": "10.0.0.0/8"}, map[string]any{"from": 443, "to": 443, "cidr": "0.0.0.0/0"}},
			}})
		}
		name := fmt.Sprintf("p%d/prod", i)
		w.write(w.acme, name, stateText(1, name, all...))
	}
	w.refresh()
}

func TestSearch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		manyStates(w, 2000)
		w.write(w.acme, "odd", stateText(1, "odd", res{typ: "aws_odd", name: "a_b", attrs: map[string]any{"id": "100%_x", "note": "a=b*c?d", "long": strings.Repeat("x", 300)}}, res{typ: "aws_odd", name: "aXb", attrs: map[string]any{"id": "100yyx"}}))
		w.refresh()
		count := func(q Query) int {
			t.Helper()
			n := 0
			if err := w.index.Each(t.Context(), q, func(Resource) error { n++; return nil }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		match := func(all ...string) (out []Match) {
			for _, s := range all {
				m, err := ParseMatch(s)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, m)
			}
			return out
		}
		for name, c := range map[string]struct {
			q    Query
			want int
		}{
			"all": {Query{}, 2002}, "of a client": {Query{Client: w.beta}, 0}, "type": {Query{Type: "aws_type_3"}, 50}, "types": {Query{Type: "aws_type_3*"}, 550}, "project": {Query{Project: "p1/*"}, 1000},
			"address": {Query{Address: "module.m3.*"}, 200}, "one address": {Query{Address: "module.m3.aws_type_3.r00000003"}, 1}, "part of an address": {Query{Address: "aws_type_3"}, 0},
			"underscores are underscores": {Query{Address: "aws_odd.a_*"}, 1}, "case matters": {Query{Address: "AWS_odd.*"}, 0}, "text": {Query{Text: "THING/0000000A"}, 1}, "text with signs": {Query{Text: "100%_"}, 1},
			"value": {Query{Attributes: match("enabled=true")}, 1000}, "deep": {Query{Attributes: match("rules.1.from=443")}, 2000}, "two": {Query{Attributes: match("tags.env=prod", "size=3")}, 143},
			"any rule": {Query{Attributes: match("rules.*.cidr=0.0.0.0/0")}, 2000}, "beginning": {Query{Attributes: match("name=name-0000000*")}, 16}, "whole values only": {Query{Attributes: match("size=")}, 0},
			"wildcards in a value": {Query{Attributes: match("note=a=b*c?d")}, 1}, "a long value": {Query{Attributes: match("long=" + strings.Repeat("x", 150) + "*")}, 1}, "no attribute": {Query{Attributes: match("nope=*")}, 0},
			"all of it": {Query{Client: w.acme, Type: "aws_type_?", Project: "p0/prod", Attributes: match("enabled=false"), Address: "module.m*"}, 125},
		} {
			if got := count(c.q); got != c.want {
				t.Errorf("%s: %d, not %d", name, got, c.want)
			}
		}
		// Pages follow each other, whatever does not fit between them.
		seen, q := map[string]bool{}, Query{Attributes: match("enabled=true"), Limit: 300}
		for pages := 1; ; pages++ {
			p, err := w.index.Search(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range p.Resources {
				if seen[r.Project+r.Address] {
					t.Fatalf("%s twice", r.Address)
				}
				seen[r.Project+r.Address] = true
			}
			if q.After = p.Next; q.After == "" {
				if len(seen) != 1000 || pages != 4 {
					t.Errorf("%d resources on %d pages", len(seen), pages)
				}
				break
			}
		}
		if _, err := w.index.Search(t.Context(), Query{After: "x"}); !errs.Is(err, errs.Invalid) {
			t.Errorf("from nowhere: %v", err)
		}
		stop := errors.New("enough")
		if err := w.index.Each(t.Context(), Query{}, func(Resource) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("%v", err)
		}
	})
}

func TestHints(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.write(w.acme, "net/prod", stateText(1, "l1", res{typ: "aws_instance", name: "web", attrs: map[string]any{"id": "i-1", "instance_type": "m5.large", "password": "canary"}}))
	w.refresh()
	w.planned("app", "l1", appPlan)
	wanted := func(text string) Wanted {
		v, err := ParseWanted(text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for want, q := range map[string]Query{
		`There is no resource of the type "aws_instanse". Did you mean "aws_instance"?`:                                    {Type: "aws_instanse"},
		`There is no project "net/prd". Did you mean "net/prod"?`:                                                          {Project: "net/prd"},
		`There is no resource "aws_instance.wbe". Did you mean "aws_instance.web"?`:                                        {Address: "aws_instance.wbe"},
		`No resource that was looked at has an attribute "instance_tipe" that may be shown. Did you mean "instance_type"?`: {Attributes: []Match{{"instance_tipe", "x"}}},
		`No resource that was looked at has an attribute "password" that may be shown.`:                                    {Attributes: []Match{{"password", "canary"}}},
		`No plan used a provider "awz". Did you mean "aws"?`:                                                               {Provider: wanted("awz")},
		`The provider "aws" is used, in other versions: 5.31.0.`:                                                           {Provider: wanted("aws@4.0.0")},
		`No plan used a module "vcp/aws". Did you mean "vpc/aws"?`:                                                         {Module: wanted("vcp/aws")},
		"": {Type: "aws_*", Address: "*x*", Attributes: []Match{{"id", "y"}}},
	} {
		q.Client = w.acme
		if got := w.find(q); got != "" {
			t.Errorf("%+v finds %s", q, got)
		}
		hints, err := w.index.Hints(t.Context(), q)
		if got := strings.Join(hints, " "); err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
}

package actuals

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfplan"
)

func TestRulesOwner(t *testing.T) {
	rules := Rules{
		{Client: "acme", Accounts: []string{"111", "shared"}, Tags: map[string]string{"client": "acme"}},
		{Client: "bolt", Accounts: []string{"/subscriptions/ABC-1", "payer", "shared"}, Tags: map[string]string{"client": "bolt", "env": "prod"}},
		{Client: "corp", Tags: map[string]string{"client": "corp"}},
		{Client: "copy", Tags: map[string]string{"client": "corp"}},
	}
	for _, c := range []struct{ billing, sub, tags, client, how string }{
		{"payer", "111", "", "acme", ByAccount},
		{"payer", "111", `{"client":"bolt","env":"prod"}`, "acme", ByAccount}, // nobody tags himself out of an account, or into one
		{"payer", "999", "", "bolt", ByAccount},
		{"payer", "", "", "bolt", ByAccount},
		{"x", "abc-1", "", "bolt", ByAccount},
		{"x", "shared", "", "", nobody},
		{"x", "shared", `{"Client":"acme"}`, "acme", ByClient},
		{"x", "shared", `{"user:client":"bolt","env":"prod"}`, "bolt", ByClient},
		{"x", "shared", `{"client":"bolt","env":"dev"}`, "", nobody},
		{"x", "shared", `{"client":"corp"}`, "", nobody}, // of those who share it alone
		{"x", "y", `{"client":"acme"}`, "acme", ByClient},
		{"x", "y", `{"client":"corp"}`, "", several},
		{"x", "y", "", "", nobody},
	} {
		if client, how := rules.owner(c.billing, c.sub, c.tags); client != c.client || how != c.how {
			t.Errorf("%+v: %s, %s", c, client, how)
		}
	}
}

func TestIDKeys(t *testing.T) {
	for id, want := range map[string]string{
		"i-0a1b2c3d4e5f67890": "id:i-0a1b2c3d4e5f67890",
		"vol-0a1b2c3d":        "id:vol-0a1b2c3d",
		"arn:aws:ec2:eu-west-1:111122223333:natgateway/nat-0a1b2c3d4e5f67890": "id:arn:aws:ec2:eu-west-1:111122223333:natgateway/nat-0a1b2c3d4e5f67890 id:nat-0a1b2c3d4e5f67890",
		"arn:aws:rds:eu-west-1:111122223333:db:Main":                          "id:arn:aws:rds:eu-west-1:111122223333:db:main",
		"arn:aws:s3:::Logs":                       "id:arn:aws:s3:::logs bucket:logs",
		"arn:aws:logs:eu-west-1:1:log-group:/a:*": "id:arn:aws:logs:eu-west-1:1:log-group:/a",
		"/subscriptions/X/resourceGroups/Net/providers/Microsoft.Compute/virtualMachines/web/": "id:/subscriptions/x/resourcegroups/net/providers/microsoft.compute/virtualmachines/web",
		"https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/web":               "id:projects/p/zones/z/instances/web",
		"//compute.googleapis.com/projects/p/zones/z/instances/123":                            "id:projects/p/zones/z/instances/123",
		"projects/p/zones/z/disks/d": "id:projects/p/zones/z/disks/d",
		"ocid1.instance.oc1..aaa":    "id:ocid1.instance.oc1..aaa",
		"web":                        "",
		"my-table":                   "",
		"deadbeef":                   "",
		"projects/p":                 "",
		"arn:aws":                    "",
		"":                           "",
	} {
		if have := strings.Join(idKeys(id), " "); have != want {
			t.Errorf("%s: %s", id, have)
		}
	}
}

// planOf is a plan whose prior state has what each line says.
func planOf(t testing.TB, changes ...string) *tfplan.Plan {
	t.Helper()
	var list []string
	for i, c := range changes {
		list = append(list, fmt.Sprintf(`{"address":"x.r%d","mode":"managed","type":"aws_instance","name":"r%d","provider_name":"p","change":{"actions":["no-op"],%s}}`, i, i, c))
	}
	p, err := tfplan.ParsePlan(strings.NewReader(`{"format_version":"1.2","terraform_version":"1.9.0","complete":true,"resource_changes":[` + strings.Join(list, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestResources(t *testing.T) {
	p := planOf(t,
		`"before":{"id":"i-0a1b2c3d","arn":"arn:aws:ec2:eu-west-1:1:instance/i-0a1b2c3d","tags_all":{"Name":"web"}},"before_sensitive":{}`,
		`"before":{"id":"my-name","tags":{"Name":"hidden"}},"before_sensitive":{"tags":{"Name":true}}`,
		`"before":{"id":"vol-0a1b2c3d","password":"vol-0a1b2c3d"},"before_sensitive":{"password":true}`,
		`"before":null,"after":{"id":"vol-11111111"}`,
		`"before":{"self_link":"https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/web","instance_id":"42","zone":"z","location":"z"}`,
	)
	var have []string
	for _, r := range Resources(p) {
		have = append(have, r.Address+" "+r.Region+" "+strings.Join(r.Keys, " "))
	}
	equal(t, "resources", have, []string{
		"x.r0 eu-west-1 id:arn:aws:ec2:eu-west-1:1:instance/i-0a1b2c3d id:i-0a1b2c3d name:web",
		"x.r4 z id:projects/p/zones/z/instances/42 id:projects/p/zones/z/instances/web",
	})
}

// place of the tests' projects
func known(t testing.TB, s *Store, client string, repo int64, dir string, resources ...Resource) {
	t.Helper()
	if err := s.Known(t.Context(), ProjectKey{Client: client, Repo: repo, Dir: dir, Workspace: "default"}, strings.ReplaceAll(dir, "/", "-"), resources); err != nil {
		t.Fatal(err)
	}
}

func TestByProject(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		acme, bolt := makeClient(t, d, 1, "acme"), makeClient(t, d, 2, "bolt")
		s := newStore(d, Rules{{Client: "acme", Accounts: []string{"111"}, Tags: map[string]string{"client": "acme"}}, {Client: "bolt", Accounts: []string{"222"}}})
		web := Resource{Address: "aws_instance.web", Type: "aws_instance", Keys: []string{"id:i-0a1b2c3d", "name:web"}}
		known(t, s, acme.ID, 7, "live/web", web)
		known(t, s, acme.ID, 7, "live/db", Resource{Address: "aws_s3_bucket.b", Keys: []string{"bucket:logs", "name:data"}})
		// Another client claims the same: that is none of acme's concern.
		known(t, s, bolt.ID, 8, "live/web", web, Resource{Address: "x", Keys: []string{"bucket:logs"}})

		none, err := s.ByProject(t.Context(), "acme", "2026-10")
		if err != nil || none.Known || len(none.Currencies) != 0 {
			t.Fatalf("%+v, %v", none, err)
		}
		mustImport(t, s, mustRead(t,
			charge{"ResourceId": "arn:aws:ec2:eu-west-1:111:instance/i-0a1b2c3d", "BilledCost": "100", "EffectiveCost": "80"},
			charge{"ResourceId": "logs", "ServiceName": "Amazon Simple Storage Service", "BilledCost": "20"},
			charge{"ResourceId": "logs", "ServiceName": "AWS Lambda", "BilledCost": "3"},                                 // a bare name is no ID
			charge{"ResourceId": "other", "Tags": `{"Name":"web"}`, "BilledCost": "5"},                                   // by the name that one project has
			charge{"Tags": `{"tidelock:project":"live/db"}`, "BilledCost": "7", "ServiceName": "Amazon DynamoDB"},        // by the project's tag
			charge{"ChargeCategory": "Tax", "BilledCost": "30", "ServiceName": "Tax"},                                    //
			charge{"ChargeCategory": "Credit", "BilledCost": "-10"},                                                      //
			charge{"SubAccountId": "333", "Tags": `{"client":"acme"}`, "BilledCost": "2"},                                // in an account that nobody has
			charge{"SubAccountId": "333", "BilledCost": "50"},                                                            // nobody's
			charge{"SubAccountId": "222", "ResourceId": "i-0a1b2c3d", "BilledCost": "9"},                                 // bolt's
			charge{"BillingCurrency": "EUR", "BilledCost": "1", "ResourceId": "i-0a1b2c3d", "ChargeClass": "Correction"}, //
		), ImportOptions{})

		m, err := s.ByProject(t.Context(), "acme", "2026-10")
		if err != nil || !m.Known || len(m.Currencies) != 2 || !m.Imported.Equal(noon) || !m.Through.Equal(time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC)) || m.Covered.String() != "0.967742" {
			t.Fatalf("%+v, %v", m, err)
		}
		eur, usd := m.Currencies[0], m.Currencies[1]
		if eur.Currency != "EUR" || len(eur.Projects) != 1 || !eur.Projects[0].Amounts.Compared.Equal(dec("1")) || !eur.Categories[0].Correction {
			t.Errorf("EUR: %+v", eur)
		}
		if !usd.Total.Billed.Equal(dec("157")) || !usd.Total.Compared.Equal(dec("117")) || usd.Total.Lines != 8 {
			t.Errorf("USD: %+v", usd.Total)
		}
		var got []string
		for _, x := range usd.Matched {
			got = append(got, fmt.Sprint(x.How, " ", x.Amounts.Billed, " ", x.Share))
		}
		// Shares are of 117, what is compared: taxes and credits are no project's.
		equal(t, "matched", got, []string{"id 120 0.854701", "tag 12 0.102564", "account 23 0.025641", "client 2 0.017094"})
		got = nil
		for _, p := range usd.Projects {
			for _, x := range p.Services {
				got = append(got, fmt.Sprint(p.Repo, " ", p.Dir, " ", p.Name, " ", x.Service, " ", x.Amounts.Compared))
			}
		}
		equal(t, "projects", got, []string{"7 live/db live-db Amazon DynamoDB 7", "7 live/db live-db Amazon Simple Storage Service 20", "7 live/web live-web Amazon Elastic Compute Cloud 85"})
		if len(usd.Categories) != 3 || usd.Categories[1].Category != Tax || len(usd.Services) != 5 {
			t.Errorf("%+v, %+v", usd.Categories, usd.Services)
		}

		other, err := s.ByProject(t.Context(), "bolt", "2026-10")
		if err != nil || len(other.Currencies) != 1 || !other.Currencies[0].Total.Billed.Equal(dec("9")) || other.Currencies[0].Projects[0].Repo != 8 {
			t.Errorf("bolt: %+v, %v", other, err)
		}
		left, err := s.Unattributed(t.Context(), "2026-10")
		if err != nil || len(left) != 1 || left[0].SubAccount != "333" || !left[0].Amounts.Billed.Equal(dec("50")) || left[0].Why != nobody || left[0].Share.String() != "0.211864" {
			t.Errorf("%+v, %v", left, err)
		}

		// The resource moves: the state that was read last has it.
		s.now = func() time.Time { return noon.Add(time.Hour) }
		known(t, s, acme.ID, 7, "live/new", web)
		if m, err = s.ByProject(t.Context(), "acme", "2026-10"); err != nil || m.Currencies[1].Projects[1].Name != "live-new" {
			t.Errorf("moved: %+v, %v", m.Currencies[1].Projects, err)
		}
		if _, err := s.ByProject(t.Context(), "acme", "October"); !errs.Is(err, errs.Invalid) {
			t.Errorf("%v", err)
		}

		// An export that was said to be one client's is that, whatever the rules say.
		mustImport(t, s, mustRead(t, charge{"BillingAccountId": "own", "SubAccountId": "222", "BilledCost": "6"}), ImportOptions{Client: "acme"})
		if m, err = s.ByProject(t.Context(), "acme", "2026-10"); err != nil || !m.Currencies[1].Total.Billed.Equal(dec("163")) {
			t.Errorf("by its import: %+v, %v", m.Currencies[1].Total, err)
		}
		if other, err = s.ByProject(t.Context(), "bolt", "2026-10"); err != nil || !other.Currencies[0].Total.Billed.Equal(dec("9")) {
			t.Errorf("bolt: %+v, %v", other, err)
		}
	})
}

// A sub account that used nothing in the rest of the month is billed as far as
// the export goes, and not only to its last use.
func TestByProjectOfAnIdleAccount(t *testing.T) {
	d := dbtest.SQLite(t)
	makeClient(t, d, 1, "acme")
	s := newStore(d, Rules{{Client: "acme", Accounts: []string{"111"}}, {Client: "bolt", Accounts: []string{"222"}}})
	idle := charge{"ChargePeriodStart": "2026-10-02T00:00:00Z", "ChargePeriodEnd": "2026-10-03T00:00:00Z"}
	covered := func(want string) {
		t.Helper()
		m, err := s.ByProject(t.Context(), "acme", "2026-10")
		if err != nil || m.Covered.String() != want {
			t.Errorf("%s until %s, %v; want %s", m.Covered, m.Through, err, want)
		}
	}
	other := func(end string) charge {
		return charge{"SubAccountId": "222", "ChargePeriodStart": "2026-10-02T00:00:00Z", "ChargePeriodEnd": end}
	}
	mustImport(t, s, mustRead(t, idle, other("2026-10-16T12:00:00Z")), ImportOptions{})
	covered("0.5")
	mustImport(t, s, mustRead(t, idle, other("2026-11-01T00:00:00Z")), ImportOptions{}) // the idle one as it was
	covered("1")
}

// TestByProjectIsRemembered: what was told is told again without its rows, until
// an import or a state makes another of it.
func TestByProjectIsRemembered(t *testing.T) {
	d := dbtest.SQLite(t)
	c := makeClient(t, d, 1, "acme")
	s := newStore(d, Rules{{Client: "acme", Accounts: []string{"111"}}})
	mustImport(t, s, mustRead(t, charge{"ResourceId": "i-0a1b2c3d", "BilledCost": "5"}), ImportOptions{})
	told := func() string {
		t.Helper()
		m, err := s.ByProject(t.Context(), "acme", "2026-10")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(m.Currencies[0].Total.Billed, " in ", len(m.Currencies[0].Projects), " projects")
	}
	if got := told(); got != "5 in 0 projects" {
		t.Error(got)
	}
	if _, err := d.ExecContext(t.Context(), `UPDATE billing_rows SET billed = '7'`); err != nil { // which nobody does: rows are never changed
		t.Fatal(err)
	}
	if got := told(); got != "5 in 0 projects" {
		t.Errorf("%s: read again", got)
	}
	known(t, s, c.ID, 7, "live", Resource{Address: "a", Keys: []string{"id:i-0a1b2c3d"}})
	if got := told(); got != "7 in 1 projects" {
		t.Errorf("%s after the state was read", got)
	}
	mustImport(t, s, mustRead(t, charge{"ResourceId": "i-0a1b2c3d", "BilledCost": "6"}), ImportOptions{})
	if got := told(); got != "6 in 1 projects" {
		t.Errorf("%s after another import", got)
	}
}

// Nothing of a client's plans or states makes another client's charges his.
func TestThreat_BillOfAnotherClient(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		makeClient(t, d, 1, "victim")
		thief := makeClient(t, d, 2, "thief")
		s := newStore(d, Rules{{Client: "victim", Accounts: []string{"111"}}, {Client: "thief", Accounts: []string{"222"}, Tags: map[string]string{"client": "thief"}}})
		known(t, s, thief.ID, 9, "evil", Resource{Address: "a", Keys: []string{"id:i-0a1b2c3d", "name:web"}})
		mustImport(t, s, mustRead(t,
			charge{"ResourceId": "i-0a1b2c3d", "Tags": `{"Name":"web","tidelock:project":"evil","client":"thief"}`},
			charge{"SubAccountId": "333", "ResourceId": "i-0a1b2c3d", "Tags": `{"Name":"web","tidelock:project":"evil"}`}), ImportOptions{})
		m, err := s.ByProject(t.Context(), "thief", "2026-10")
		if err != nil || m.Known || len(m.Currencies) > 0 {
			t.Errorf("%+v, %v", m, err)
		}
		m, err = s.ByProject(t.Context(), "victim", "2026-10")
		if err != nil || len(m.Currencies) != 1 || len(m.Currencies[0].Projects) != 0 {
			t.Errorf("%+v, %v", m, err)
		}
	})
}

func TestKnownForgets(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := makeClient(t, d, 1, "acme")
		s := newStore(d, nil)
		at := noon
		s.now = func() time.Time { return at }
		a, b := Resource{Address: "a", Keys: []string{"id:i-00000001"}}, Resource{Address: "b", Keys: []string{"id:i-00000002"}}
		known(t, s, c.ID, 7, "live", a, b)
		at = noon.Add(keyAge / 2)
		known(t, s, c.ID, 7, "live", a, b) // nothing new: nothing written
		known(t, s, c.ID, 7, "live", a)
		if n := count(t, d, "resource_keys"); n != 2 {
			t.Errorf("%d keys: what is gone is billed for its last month", n)
		}
		at = noon.Add(keyAge + time.Hour)
		known(t, s, c.ID, 7, "live", a, Resource{Address: "c", Keys: []string{"id:i-00000003"}})
		if n := count(t, d, "resource_keys"); n != 3 {
			t.Errorf("%d keys: b was there half the time ago, though it was written before", n)
		}
		at = noon.Add(keyAge/2 + keyAge + time.Hour)
		known(t, s, c.ID, 7, "live", a)
		if n := count(t, d, "resource_keys"); n != 2 {
			t.Errorf("%d keys", n)
		}
	})
}

func TestCompare(t *testing.T) {
	m := Month{Client: "acme", Month: "2026-10", Known: true, Covered: dec("0.5"), Currencies: []Currency{{
		Currency: "USD", Total: Amounts{Compared: dec("70")},
		Matched:  []Matched{{ByID, Amounts{Compared: dec("60")}, dec("0.8")}, {ByAccount, Amounts{Compared: dec("10")}, dec("0.2")}},
		Projects: []Project{{Repo: 1, Dir: "web", Workspace: "default", Name: "web", Amounts: Amounts{Compared: dec("60")}}},
		Services: []Service{{"AWS", "EC2", Amounts{Compared: dec("70")}}},
	}}}
	all := Compare(m, []Estimated{
		{Repo: 1, Dir: "web", Workspace: "default", Name: "web", Currency: "USD", Amount: dec("100"), Elapsed: dec("1"), Known: true, Services: []EstimatedService{{"aws", "EC2", dec("100")}}},
		{Repo: 1, Dir: "db", Workspace: "default", Name: "db", Currency: "USD", Amount: dec("8"), Elapsed: dec("0.4"), Known: true, AtLeast: true}, // ends before the bill does
		{Repo: 1, Dir: "old", Workspace: "default", Name: "old", Currency: "USD"},                                                                  // not known: no zero
		{Repo: 2, Dir: "eu", Workspace: "default", Name: "eu", Currency: "EUR", Amount: dec("4"), Elapsed: dec("1"), Known: true},
	})
	var got []string
	for _, c := range all {
		for _, l := range append(append(c.Projects, c.Services...), c.Total) {
			got = append(got, fmt.Sprint(c.Currency, " ", l.Name, " ", word(l.Estimate), " ", l.AtLeast, " ", word(l.Actual), " ", word(l.Difference), " ", word(l.Percent)))
		}
		got = append(got, fmt.Sprint(c.Currency, " unmatched ", c.Unmatched, " ", c.Share))
	}
	equal(t, "lines", got, []string{
		"EUR eu 2 false - - -", "EUR acme 2 false - - -", "EUR unmatched 0 0",
		"USD db 8 true - - -", "USD old - false - - -", "USD web 50 false 60 10 20", "USD EC2 50 false 70 20 40", "USD acme 58 true 70 12 20.69", "USD unmatched 10 0.2",
	})
}

func word(d interface{ String() string }) string {
	if s := fmt.Sprint(d); s != "<nil>" {
		return s
	}
	return "-"
}

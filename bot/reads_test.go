package bot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/capacity"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

const netDoc = `{"version":4,"terraform_version":"1.11.4","serial":7,"lineage":"l","outputs":{"vpc":{"value":"vpc-of-net","type":"string"}},"resources":[{"mode":"managed","type":"terraform_data","name":"a","provider":"x","instances":[{"attributes":{"input":"RESOURCE-OF-NET"}}]}]}`

func readCode(address string) string {
	return "data \"terraform_remote_state\" \"net\" {\n  backend = \"http\"\n  config  = { address = \"https://tidelock.example.com/state/" + address + "\" }\n}\n"
}

// readsBench is a bench with the state acme/net of the project net, and a tree in
// which app reads what address says.
func readsBench(t *testing.T, files map[string]string) (b *bench, lay func(p planner.Project, kind tfrun.Kind) tfrun.Spec) {
	b = newBench(t, capacity.Limits{})
	b.withStates()
	b.PublicURL = "https://tidelock.example.com"
	var err error
	if b.Runner, err = runner.New(runner.Options{Dir: filepath.Join(b.DataDir, "runs"), Self: "/bin/false"}); err != nil {
		t.Fatal(err)
	}
	tree := t.TempDir()
	for name, text := range files {
		path := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, who := t.Context(), state.Who{Actor: b.actor}
	owner := state.Owner{Client: b.pull.Client, Repo: 7, Project: "net:default"}
	if _, err := b.States.Claim(ctx, owner, "net"); err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string]string{"net": netDoc, "other/repo": strings.ReplaceAll(netDoc, "vpc-of-net", "vpc-of-other")} {
		if _, err := b.States.Write(ctx, state.Write{Client: owner.Client, Name: name, Who: who, Body: strings.NewReader(doc)}); err != nil {
			t.Fatal(err)
		}
	}
	r := b.begun("app")[0]
	return b, func(p planner.Project, kind tfrun.Kind) tfrun.Spec {
		t.Helper()
		p.Name, p.Dir, p.Workspace = "app", "app", planner.DefaultWorkspace
		r.Project = p
		s := tfrun.Spec{RunID: r.ID, Kind: kind, Root: tree, Dir: "app", DataDir: filepath.Join(tree, "data")}
		if err := b.Runner.Remove(r.ID); err != nil {
			t.Fatal(err)
		}
		if err := b.layState(ctx, r, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func (b *bench) refused(subject string) (n int) {
	b.t.Helper()
	if err := b.DB.QueryRowContext(b.t.Context(), `SELECT count(*) FROM events WHERE action = 'state.refused' AND subject = $1 AND client_id = $2`, subject, b.pull.Client).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// laid returns the copies that a run was given, joined.
func laid(t *testing.T, s tfrun.Spec) string {
	t.Helper()
	if s.Reads == nil || s.Reads.Dir == "" {
		return ""
	}
	text := ""
	for _, one := range s.Reads.States {
		if one.File == "" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(s.Reads.Dir, one.File))
		if err != nil {
			t.Fatal(err)
		}
		text += one.State + string(b)
	}
	return text
}

// Code names whatever it likes; what its run is given is what the base branch
// says, or an administrator, and it is the outputs alone.
func TestThreat_CodeReadsWhatTheBaseBranchAllows(t *testing.T) {
	b, lay := readsBench(t, map[string]string{"app/main.tf": readCode("acme/net")})
	for _, kind := range []tfrun.Kind{tfrun.KindPlan, tfrun.KindApply} {
		before := b.refused(`state "acme/net"`)
		s := lay(planner.Project{}, kind)
		if !strings.HasPrefix(s.Refused, "app/main.tf:1: data.terraform_remote_state.net reads the state acme/net, and there is none of that name that this project may read.") ||
			!strings.Contains(s.Refused, "reads_state") || !strings.Contains(s.Refused, "tidelock state share acme/net --with acme/infra/app") || laid(t, s) != "" || s.StateDir != "" {
			t.Errorf("%s: %q, %q", kind, s.Refused, laid(t, s))
		}
		if b.refused(`state "acme/net"`) != before+1 {
			t.Errorf("%s: no row in the audit trail", kind)
		}
		// What the base branch says of depends_on opens nothing.
		if s := lay(planner.Project{DependsOn: []string{"net"}}, kind); s.Refused == "" {
			t.Errorf("%s: depends_on opened it", kind)
		}
		s = lay(planner.Project{ReadsState: []string{"net:default"}}, kind)
		if text := laid(t, s); s.Refused != "" || !strings.Contains(text, "vpc-of-net") || strings.Contains(text, "RESOURCE") || strings.Contains(text, "vpc-of-other") {
			t.Errorf("%s, allowed: %q, %s", kind, s.Refused, text)
		}
		for name, value := range s.Env {
			if strings.Contains(name, "TOKEN") || strings.HasPrefix(name, "TF_") || strings.Contains(value, "tlk_") {
				t.Errorf("the run holds %s", name)
			}
		}
	}
	// Another client's, and one that nobody has, look alike.
	for _, address := range []string{"beta/net", "acme/nowhere", "nobody/net", "acme/other/../net"} {
		_, lay := readsBench(t, map[string]string{"app/main.tf": readCode(address)})
		s := lay(planner.Project{ReadsState: []string{"net:default"}}, tfrun.KindPlan)
		if want := "app/main.tf:1: data.terraform_remote_state.net reads the state " + address + ", and there is none of that name that this project may read."; !strings.HasPrefix(s.Refused, want) {
			t.Errorf("%s: %q", address, s.Refused)
		}
	}
}

// What another repository has is shared by an administrator.
func TestCodeReadsWhatIsShared(t *testing.T) {
	b, lay := readsBench(t, map[string]string{"app/main.tf": readCode("acme/other/repo")})
	if s := lay(planner.Project{}, tfrun.KindPlan); s.Refused == "" {
		t.Fatal("it was not shared")
	}
	with := state.Owner{Client: b.pull.Client, Repo: 7, Project: "app:default"}
	who := state.Who{Actor: b.actor}
	if err := b.States.Share(t.Context(), with.Client, "other/repo", with, who); err != nil {
		t.Fatal(err)
	}
	if s := lay(planner.Project{}, tfrun.KindPlan); s.Refused != "" || !strings.Contains(laid(t, s), "vpc-of-other") || strings.Contains(laid(t, s), "vpc-of-net") {
		t.Errorf("shared: %q", s.Refused)
	}
	r := b.begun("app")[0]
	r.Project = planner.Project{Dir: "app", Workspace: planner.DefaultWorkspace}
	if hidden, err := b.masked(t.Context(), r); err != nil || !hidden {
		t.Errorf("its apply masks nothing: %v", err)
	}
	if err := b.States.Unshare(t.Context(), with.Client, "other/repo", with, who); err != nil {
		t.Fatal(err)
	}
	if s := lay(planner.Project{}, tfrun.KindPlan); s.Refused == "" {
		t.Error("it is not shared any more")
	}
}

// Nothing is copied that the code does not name; where only Terraform knows what
// it names, all that may be read is.
func TestReadsThatAreLaid(t *testing.T) {
	all := planner.Project{ReadsState: []string{"net:default", "gone:default"}, Modules: []string{"modules/m"}}
	for name, c := range map[string]struct {
		files map[string]string
		want  bool
		says  string
	}{
		"nothing named":      {map[string]string{"app/main.tf": "# nothing"}, false, ""},
		"another server's":   {map[string]string{"app/main.tf": strings.ReplaceAll(readCode("acme/secret"), "tidelock.example", "else.example")}, false, ""},
		"computed":           {map[string]string{"app/main.tf": readCode("acme/${var.x}")}, true, ""},
		"in a module":        {map[string]string{"app/main.tf": "# calls it", "modules/m/main.tf": readCode("acme/net")}, false, "modules/m/main.tf:1: a module reads a state"},
		"another's module":   {map[string]string{"app/main.tf": "# calls none", "modules/other/main.tf": readCode("acme/net")}, false, ""},
		"no code, for hooks": {map[string]string{"else/main.tf": ""}, false, ""},
	} {
		b, lay := readsBench(t, c.files)
		s := lay(all, tfrun.KindPlan)
		if got := laid(t, s); strings.Contains(got, "vpc-of-net") != c.want || !strings.HasPrefix(s.Refused, c.says) || (c.says == "") != (s.Refused == "") {
			t.Errorf("%s: %q, %q", name, s.Refused, got)
		}
		// A plan's own record of what it was made of is what counts now.
		if s.Refused != "" {
			continue
		}
		repo, err := b.Clients.Repo(t.Context(), b.DB, 7)
		if err != nil {
			t.Fatal(err)
		}
		p := all
		p.Dir, p.Workspace = "app", planner.DefaultWorkspace
		now, err := b.readNow(t.Context(), repo, p)
		if err != nil || len(now) != 1 || now[0].State != "acme/net" || now[0].Ref != (tfrun.StateRef{Lineage: "l", Serial: 7}) || len(s.Reads.States) != 1 || s.Reads.States[0].Ref != now[0].Ref {
			t.Errorf("%s: now %+v, then %+v (%v)", name, now, s.Reads.States, err)
		}
	}
	b, lay := readsBench(t, map[string]string{"app/main.tf": readCode("acme/net")})
	if err := b.States.Delete(t.Context(), b.pull.Client, "net", state.Who{Actor: b.actor}, ""); err != nil {
		t.Fatal(err)
	}
	if s := lay(all, tfrun.KindPlan); !strings.Contains(s.Refused, "has nothing in it yet") {
		t.Errorf("nothing there: %q", s.Refused)
	}
}

// A branch that somebody pushed can be the base of a pull request, and lets
// nobody read what the default branch does not.
func TestThreat_AnyBaseBranchIsNoConsent(t *testing.T) {
	config := func(text string) planner.RepoConfig {
		cfg, err := planner.ParseConfig([]byte(text), planner.ConfigFile)
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	const app = "project \"app\" {\n  dir = \"app\"\n  reads_state = [\"net\", \"dns\"]\n}\nproject \"new\" {\n  dir = \"new\"\n  reads_state = [\"net\"]\n}\n"
	pushed := config(app)
	for name, c := range map[string]struct {
		main planner.RepoConfig
		want string
	}{
		"nothing there":         {config(""), "app: new:"},
		"less":                  {config("project \"renamed\" {\n  dir = \"app\"\n  reads_state = [\"net\", \"other\"]\n}\n"), "app:net:default new:"},
		"the same":              {config(app), "app:dns:default net:default new:net:default"},
		"of another workspace":  {config("project \"app\" {\n  dir = \"app\"\n  workspace = \"prod\"\n  reads_state = [\"net\"]\n}\n"), "app: new:"},
		"under the name of app": {config("project \"app\" {\n  dir = \"else\"\n  reads_state = [\"net\"]\n}\n"), "app: new:"},
	} {
		var got []string
		for _, pc := range bothConsent(pushed, c.main).Projects {
			got = append(got, pc.Name+":"+strings.Join(pc.ReadsState, " "))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
	if len(pushed.Projects[0].ReadsState) != 2 {
		t.Error("the configuration itself was changed")
	}
}

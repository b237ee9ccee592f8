package planner

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tidelock/tidelock/internal/errs"
)

func readOf(t *testing.T, files map[string]string, tofu bool) []StateRead {
	t.Helper()
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	all, err := StateReads(tree, "app", tofu)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func dataBlock(backend, rest string) string {
	return "# of another project\ndata \"terraform_remote_state\" \"net\" {\n  backend = \"" + backend + "\"\n  " + rest + "\n}\n"
}

func TestWhichStatesCodeReads(t *testing.T) {
	us := Server{Host: "tidelock.example.com", Path: "/state/"}
	const host = `hostname = "tidelock.example.com", organization = "acme", `
	for name, c := range map[string]struct {
		text     string
		ours     bool
		state    string // "" where it is computed
		unknown  bool
		problem  string
		computed string // what the expression of the key holds
	}{
		"http":                      {dataBlock("http", `config = { address = "https://tidelock.example.com/state/acme/net/prod" }`), true, "acme/net/prod", false, "", ""},
		"http, with a port":         {dataBlock("http", `config = { address = "https://TIDELOCK.example.com:443/state/acme/net" }`), true, "acme/net", false, "", ""},
		"http, that leads out":      {dataBlock("http", `config = { address = "https://tidelock.example.com/state/acme/../beta/net" }`), true, "acme/../beta/net", false, "", ""},
		"http, elsewhere":           {dataBlock("http", `config = { address = "https://evil.example.com/state/acme/net" }`), false, "", false, "", ""},
		"http, elsewhere, as user":  {dataBlock("http", `config = { address = "https://tidelock.example.com@evil.example.com/state/acme/net" }`), false, "", false, "", ""},
		"http, computed":            {dataBlock("http", `config = { address = "https://tidelock.example.com/state/acme/net/${var.env}" }`), true, "", false, "", "${var.env}"},
		"http, half a host":         {dataBlock("http", `config = { address = "https://tidelock.example.com${var.x}/state/acme" }`), false, "", true, "", ""},
		"http, a computed host":     {dataBlock("http", `config = { address = "${local.base}/state/acme/net" }`), false, "", true, "", ""},
		"a config from elsewhere":   {dataBlock("http", `config = local.config`), false, "", true, "", ""},
		"remote":                    {dataBlock("remote", `config = { `+host+`workspaces = { name = "net:prod" } }`), true, "acme/net/prod", false, "", ""},
		"remote, quoted keys":       {dataBlock("remote", `config = { "hostname" = "tidelock.example.com", "organization" : "acme", workspaces = { "name" = "net" } }`), true, "acme/net", false, "", ""},
		"remote by prefix":          {dataBlock("remote", "workspace = \"prod\"\n  config = { "+host+`workspaces = { prefix = "net:" } }`), true, "acme/net/prod", false, "", ""},
		"remote by prefix, which":   {dataBlock("remote", `config = { `+host+`workspaces = { prefix = "net:" } }`), true, "acme/net/", false, "no workspace", ""},
		"remote, computed":          {dataBlock("remote", `config = { `+host+`workspaces = { name = "net:${terraform.workspace}" } }`), true, "", false, "", "${terraform.workspace}"},
		"remote, workspaces unread": {dataBlock("remote", `config = { `+host+`workspaces = var.w }`), true, "", false, "not written out", ""},
		"remote, no organization":   {dataBlock("remote", `config = { hostname = "tidelock.example.com", workspaces = { name = "net" } }`), true, "/net", false, "no organization", ""},
		"remote, elsewhere":         {dataBlock("remote", `config = { organization = "acme", workspaces = { name = "net" } }`), false, "", false, "", ""},
		"remote, a computed host":   {dataBlock("remote", `config = { hostname = var.h, organization = "acme", workspaces = { name = "net" } }`), false, "", true, "", ""},
	} {
		all := readOf(t, map[string]string{"app/main.tf": c.text}, false)
		if len(all) != 1 || all[0].Name != "net" || all[0].File != "app/main.tf" || all[0].Line != 2 {
			t.Errorf("%s: %+v", name, all)
			continue
		}
		r := all[0]
		if got := us.Names(r.Backend, r.StatePlace); got != c.ours || r.Unknown != c.unknown {
			t.Errorf("%s: ours %v, unknown %v: %+v", name, got, r.Unknown, r)
		}
		if !strings.Contains(r.Problem, c.problem) || (c.problem == "") != (r.Problem == "") || !strings.Contains(r.Key, c.computed) {
			t.Errorf("%s: %+v", name, r)
		}
		if c.ours && r.Problem == "" && r.Computed != (c.state == "") {
			t.Errorf("%s: computed %v", name, r.Computed)
		}
		if c.state != "" && r.State(us) != c.state {
			t.Errorf("%s: the state %q, not %q", name, r.State(us), c.state)
		}
	}
	for name, files := range map[string]map[string]string{
		"another backend":       {"app/main.tf": dataBlock("s3", `config = { bucket = "b" }`)},
		"a computed backend":    {"app/main.tf": strings.ReplaceAll(dataBlock("http", `config = {}`), `"http"`, "var.b")},
		"another data source":   {"app/main.tf": `data "http" "terraform_remote_state" { url = "https://tidelock.example.com" }`},
		"another directory":     {"net/main.tf": dataBlock("http", `config = { address = "https://tidelock.example.com/state/acme/net" }`), "app/x.txt": "x"},
		"ours, from a run":      {"app/" + ReadsOverride: dataBlock("http", `config = { address = "https://tidelock.example.com/state/acme/net" }`)},
		"OpenTofu's, elsewhere": {"app/main.tofu": dataBlock("http", `config = { address = "https://tidelock.example.com/state/acme/net" }`)},
		"broken":                {"app/main.tf": "data \"terraform_remote_state\" {{{"},
	} {
		if all := readOf(t, files, false); len(all) != 0 {
			t.Errorf("%s: %+v", name, all)
		}
	}
}

// A file that overrides others has the last word, and of two files of one name
// OpenTofu reads its own.
func TestStateReadsOfSeveralFiles(t *testing.T) {
	us := Server{Host: "tidelock.example.com", Path: "/state/"}
	one := func(state string) string {
		return dataBlock("http", `config = { address = "https://tidelock.example.com/state/`+state+`" }`)
	}
	for name, c := range map[string]struct {
		files map[string]string
		tofu  bool
		want  string
	}{
		"an override":          {map[string]string{"app/a_override.tf": one("acme/two"), "app/main.tf": one("acme/one")}, false, "acme/two"},
		"OpenTofu's own":       {map[string]string{"app/main.tofu": one("acme/two"), "app/main.tf": one("acme/one")}, true, "acme/two"},
		"Terraform's own":      {map[string]string{"app/main.tofu": one("acme/two"), "app/main.tf": one("acme/one")}, false, "acme/one"},
		"JSON":                 {map[string]string{"app/main.tf.json": `{"data":{"terraform_remote_state":{"net":{"backend":"remote","config":{"hostname":"tidelock.example.com","organization":"acme","workspaces":{"name":"one"}}}}}}`}, true, "acme/one"},
		"JSON, lists":          {map[string]string{"app/main.tf.json": `{"data":[{"terraform_remote_state":[{"net":[{"backend":"http","config":{"address":"https://tidelock.example.com/state/acme/one"}}]}]}]}`}, false, "acme/one"},
		"JSON, beside a .tf":   {map[string]string{"app/main.tf.json": `{"data":{"terraform_remote_state":{"net":{"backend":"http","config":{"address":"https://tidelock.example.com/state/acme/one"}}}}}`, "app/main.tofu": "# none"}, true, "acme/one"},
		"JSON, OpenTofu's own": {map[string]string{"app/main.tf": one("acme/one"), "app/main.tofu.json": `{}`}, true, "acme/one"},
	} {
		all := readOf(t, c.files, c.tofu)
		if len(all) != 1 || all[0].State(us) != c.want {
			t.Errorf("%s: %+v", name, all)
		}
	}
	all := readOf(t, map[string]string{"app/main.tf.json": `{"data":{"terraform_remote_state":{"net":{"backend":"http","config":{"address":"https://tidelock.example.com/state/${var.x}"}}}}}`}, false)
	if len(all) != 1 || !all[0].Unknown {
		t.Errorf("computed in JSON: %+v", all)
	}
}

// What a project may read is said by name, block or directory, in the file
// alone; what is not there is told with its line.
func TestConfigReadsState(t *testing.T) {
	const file = `
project "network" {
  dir = "live/net"
}
project "dns" {
  dir        = "live/dns"
  workspaces = ["dev", "prod"]
}
project "app" {
  dir         = "live/app"
  reads_state = %s
}
`
	read := func(list, more string) (RepoConfig, error) {
		return ParseConfig([]byte(more+strings.Replace(file, "%s", list, 1)), ConfigFile)
	}
	for list, want := range map[string]string{
		`["network"]`:                    "live/net:default",
		`["live/net"]`:                   "live/net:default",
		`["./live/net/", "network"]`:     "live/net:default",
		`["dns"]`:                        "live/dns:dev live/dns:prod",
		`["dns:prod"]`:                   "live/dns:prod",
		`["live/dns"]`:                   "live/dns:dev live/dns:prod",
		`["found/by/itself", "network"]`: "found/by/itself:default live/net:default",
		`[]`:                             "",
	} {
		cfg, err := read(list, "")
		if err != nil {
			t.Errorf("%s: %v", list, err)
			continue
		}
		app := cfg.Projects[len(cfg.Projects)-1]
		if got := strings.Join(app.ReadsState, " "); got != want || list != "[]" && app.ReadsLine != 11 {
			t.Errorf("%s: %q, line %d", list, got, app.ReadsLine)
		}
	}
	for list, says := range map[string]string{
		`["../elsewhere"]`: "there is no such project",
		`["dns:prd"]`:      `reads the state of "dns:prd", and there is no such project. Did you mean`,
		`["/etc"]`:         "there is no such project",
		`["app"]`:          "its own state",
	} {
		if _, err := read(list, ""); !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), "tidelock.hcl:11: ") || !strings.Contains(errs.Sentence(err), says) {
			t.Errorf("%s: %v", list, err)
		}
	}
	if _, err := read(`["found/by/itself"]`, "autodiscover = false"); !strings.Contains(errs.Sentence(err), "there is no such project") {
		t.Errorf("without discovery: %v", err)
	}
	cfg, err := read(`["network", "nowhere"]`, "")
	if err != nil {
		t.Fatal(err)
	}
	projects, problems := discovered(t, map[string]string{"live/app/main.tf": resource, "live/net/main.tf": resource, "live/dns/main.tf": resource}, cfg)
	if len(problems) != 1 || problems[0].String() != `tidelock.hcl:11: The project app reads the state of "nowhere", and there is no such project.` {
		t.Errorf("%v", problems)
	}
	for _, p := range projects {
		if got := strings.Join(p.ReadsState, " "); (p.Name == "app") != (got == "live/net:default nowhere:default") {
			t.Errorf("%s reads %q", p.Name, got)
		}
	}
}

// A plan of a project that may read something else is another plan.
func TestDigestTellsWhatMayBeRead(t *testing.T) {
	tree := fstest.MapFS{"app/main.tf": &fstest.MapFile{Data: []byte(resource)}, "app/" + ReadsOverride: &fstest.MapFile{Data: []byte("# of a run")}}
	digest := func(p Project) string {
		t.Helper()
		p.Name, p.Dir, p.Workspace = "app", "app", DefaultWorkspace
		d, err := InputsDigest(tree, p)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	without, with := digest(Project{}), digest(Project{ReadsState: []string{"net:default"}})
	if without == with {
		t.Error("the digest does not tell")
	}
	delete(tree, "app/"+ReadsOverride)
	if digest(Project{}) != without {
		t.Error("the run's own file counts")
	}
}

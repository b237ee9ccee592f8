package tfrun

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

const victimDoc = `{"version":4,"terraform_version":"1.11.4","serial":7,"lineage":"victims","outputs":{},"resources":[{"mode":"managed","type":"terraform_data","name":"canary","provider":"provider[\"terraform.io/builtin/terraform\"]","instances":[{"schema_version":0,"attributes":{"id":"canary-51","input":null,"output":null,"triggers_replace":null},"sensitive_attributes":[]}]}],"check_results":null}`

// Whatever a pull request lays beside its code to say where the state is, a run
// whose state Tidelock keeps works on the copy that it was given, or does not
// begin and says why.
func TestThreat_CodeMovesNoState(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		var mu sync.Mutex
		var wrote []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.Method != http.MethodGet {
				wrote = append(wrote, r.Method+" "+r.URL.Path)
			}
			_, _ = w.Write([]byte(victimDoc))
		}))
		t.Cleanup(server.Close)
		victim := filepath.Join(t.TempDir(), "victim.tfstate")
		local := "terraform {\n  backend \"local\" {\n    path = \"" + victim + "\"\n  }\n}\n"
		const json = `"terraform":{"backend":{"local":{"path":"VICTIM"}}}`
		remote := "terraform {\n  backend \"http\" {\n    address = \"" + server.URL + "/state/beta/net\"\n  }\n}\n"
		const kept = "is kept by Tidelock"
		cases := map[string]struct {
			files map[string]string
			env   map[string]string
			says  string // why it is refused; "" where ours wins
		}{
			"a second terraform block":            {files: map[string]string{"live/other.tf": local}},
			"the same in JSON":                    {files: map[string]string{"live/other.tf.json": "{" + json + "}"}},
			"override.tf, which ours follows":     {files: map[string]string{"live/override.tf": local}},
			"an override that follows ours":       {files: map[string]string{"live/zz_override.tf": local}, says: kept},
			"the same in JSON, later":             {files: map[string]string{"live/zz_override.tf.json": "{" + json + "}"}, says: kept},
			"JSON that says it twice":             {files: map[string]string{"live/zz_override.tf.json": "{" + json + `,"terraform":{"required_version":">= 1.0"}}`}, says: kept},
			"a file too large to be read":         {files: map[string]string{"live/zz_override.tf": local + strings.Repeat("# "+strings.Repeat("x", 1000)+"\n", 1100)}, says: kept},
			"another client's, over HTTP":         {files: map[string]string{"live/zz_override.tf": remote}, says: kept},
			"a cloud block":                       {files: map[string]string{"live/zz_override.tf": "terraform {\n  cloud {\n    hostname     = \"127.0.0.1\"\n    organization = \"beta\"\n    workspaces {\n      name = \"net\"\n    }\n  }\n}\n"}, says: kept},
			"a module in a folder below":          {files: map[string]string{"live/main.tf": resource + "module \"m\" {\n  source = \"./m\"\n}\n", "live/m/main.tf": local, "live/m/zz_override.tf": remote}},
			"a working directory that is there":   {files: map[string]string{"live/.terraform/terraform.tfstate": `{"version":3,"backend":{"type":"local","config":{"path":"VICTIM"}}}`}, says: "must not be in the repository"},
			"a workspace that is chosen":          {files: map[string]string{"live/.terraform/environment": "prod"}, says: "must not be in the repository"},
			"a CLI configuration":                 {files: map[string]string{".terraformrc": "credentials \"127.0.0.1\" {\n  token = \"x\"\n}\n"}, says: "must not be in the repository"},
			"ours, committed":                     {files: map[string]string{"live/tidelock_backend_override.tf": local}},
			"what OpenTofu reads in ours's place": {files: map[string]string{"live/tidelock_backend_override.tofu": "# nothing\n"}, says: "must not be in the repository"},
			"-backend-config":                     {env: map[string]string{"TF_CLI_ARGS_init": "-backend-config=path=" + victim}, says: "TF_CLI_ARGS_init"},
			"-backend-config by another name":     {env: map[string]string{"TF_CLI_ARGS": "-backend-config=path=" + victim}, says: "TF_CLI_ARGS"},
			"a workspace of the environment":      {env: map[string]string{"TF_WORKSPACE": "prod"}, says: "TF_WORKSPACE"},
			"a token of the environment":          {env: map[string]string{"TF_TOKEN_127_0_0_1": "x"}, says: "TF_TOKEN_127_0_0_1"},
			"a variable in the backend": {files: map[string]string{
				"live/vars.tf": "variable \"where\" {}\n", "live/zz_override.tf": "terraform {\n  backend \"local\" {\n    path = var.where\n  }\n}\n", "live/terraform.tfvars": "where = \"" + victim + "\"\n",
			}, says: kept},
			"a file that OpenTofu alone reads": {files: map[string]string{"live/zz_override.tofu": local}, says: kept},
		}
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				toolchaintest.Write(t, victim, victimDoc)
				s := newSite(t, b, map[string]string{"live/main.tf": resource})
				for path, text := range c.files {
					toolchaintest.Write(t, filepath.Join(s.root, path), strings.ReplaceAll(text, "VICTIM", victim))
				}
				common := filepath.Join(s.dir, "data.state", "terraform.tfstate")
				given := func(spec Spec) Spec {
					spec.ManagedBackend, spec.StateDir, spec.Env = common, filepath.Join(s.dir, spec.RunID, "state-1"), c.env
					return spec
				}
				plan := given(s.spec("live"))
				r, log := s.execute(plan)
				if strings.Contains(r.Error+log, "canary") {
					t.Errorf("it read what is not its own:\n%s\n%s", r.Error, log)
				}
				own := plan
				if c.says != "" {
					if r.Outcome != OutcomeFailed || !strings.Contains(r.Error, c.says) || r.Started {
						t.Errorf("want a refusal that says %q, have %+v\n%s", c.says, r, log)
					}
					// What is merged all the same gets no further as an apply.
					if r, _ := s.execute(applyOf(given(s.spec("live")))); r.Outcome != OutcomeFailed || r.Started {
						t.Errorf("applied: %+v", r)
					}
				} else {
					if r.Outcome != OutcomePlanned {
						t.Fatalf("%+v\n%s", r, log)
					}
					own = applyOf(given(s.spec("live")))
					own.PlanFile = plan.PlanFile
					s.must(own, OutcomeApplied)
				}
				_, serial, err := StateHead(filepath.Join(own.StateDir, "terraform.tfstate"))
				if made := err == nil && serial > 0; made != (c.says == "") {
					t.Errorf("its own copy: serial %d, %v", serial, err)
				}
				if text, err := os.ReadFile(victim); err != nil || string(text) != victimDoc {
					t.Errorf("the other state is %s, %v", text, err)
				}
				mu.Lock()
				defer mu.Unlock()
				if len(wrote) > 0 {
					t.Errorf("the other client's state: %v", wrote)
				}
			})
		}
	})
}

// A state that would be gone with the run's folder is none that a run begins
// with, whatever the code says.
func TestDeclaredStateThatWouldBeGone(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		const s3 = "terraform {\n  backend \"s3\" {}\n}\n"
		hidden := map[string]string{"live/main.tf": resource, "live/state.tofu": s3} // from Terraform
		if strings.Contains(b.Path, "tofu") {
			hidden = map[string]string{"live/main.tf": resource, "live/state.tf": s3, "live/state.tofu": "# nothing\n"}
		}
		for name, c := range map[string]struct {
			files map[string]string
			says  string
		}{
			"a cloud block":    {map[string]string{"live/override.tf": "terraform {\n  cloud {\n    organization = \"a\"\n    workspaces {\n      name = \"b\"\n    }\n  }\n}\n", "live/versions.tf": s3 + resource}, "tidelock state migrate"},
			"beside the code":  {map[string]string{"live/main.tf": "terraform {\n  backend \"local\" {}\n}\n" + resource}, "would be gone with the run"},
			"out of the tree":  {map[string]string{"live/main.tf": "terraform {\n  backend \"local\" {\n    path = \"../../x.tfstate\"\n  }\n}\n" + resource}, `keeps its state in the file "../../x.tfstate"`},
			"hidden from that": {hidden, "declares a backend, but what runs it finds none"},
		} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, b, c.files)
				spec := s.spec("live")
				spec.ManagedBackend = ""
				if r, log := s.execute(spec); r.Outcome != OutcomeFailed || !strings.Contains(r.Error, c.says) || name != "a cloud block" && !strings.Contains(r.Error, "Tidelock keeps the state itself") {
					t.Errorf("%+v\n%s", r, log)
				}
			})
		}
	})
}

package tfe_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/internal/toolchain"
)

// laptop is a folder in which somebody works with a real Terraform.
type laptop struct {
	t    *testing.T
	tool string
	dir  string
	env  []string
	// answers are what the person types; without any nothing is asked.
	answers string
}

const work = `
resource "terraform_data" "a" {
  input = "one"
}
resource "terraform_data" "b" {
  input = "two"
}
output "a" {
  value = terraform_data.a.output
}
output "secret" {
  value     = ["x", "y"]
  sensitive = true
}
`

// newLaptop is a folder with the block, and with the token as login leaves it.
func newLaptop(t *testing.T, w *world, tool, token, block string) *laptop {
	t.Helper()
	l := &laptop{t: t, tool: tool, dir: t.TempDir()}
	l.write("main.tf", "terraform {\n"+block+"\n}\n"+work)
	l.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + l.dir, "CHECKPOINT_DISABLE=1", "SSL_CERT_FILE=" + w.ca, "SSL_CERT_DIR=" + os.DevNull,
		"TF_INPUT=0", "TF_CLI_ARGS=-no-color", "TF_CLI_CONFIG_FILE=" + filepath.Join(l.dir, "rc"),
	}
	l.login(w, token)
	return l
}

// login leaves the token where the login of a command line does.
func (l *laptop) login(w *world, token string) {
	l.t.Helper()
	l.write("rc", "credentials \""+w.host+"\" {\n  token = \""+token+"\"\n}\n")
}

func (l *laptop) write(name, text string) {
	l.t.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// try runs the tool and returns what it said and whether it was well.
func (l *laptop) try(args ...string) (string, bool) {
	l.t.Helper()
	cmd := exec.CommandContext(l.t.Context(), l.tool, args...)
	cmd.Dir, cmd.Env = l.dir, l.env
	if l.answers != "" {
		cmd.Stdin, cmd.Env = strings.NewReader(l.answers), append(l.env[:len(l.env):len(l.env)], "TF_INPUT=1")
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.t.Fatal(err)
	}
	return string(out), err == nil
}

func (l *laptop) run(args ...string) string {
	l.t.Helper()
	out, ok := l.try(args...)
	if !ok {
		l.t.Fatalf("%s: %s", strings.Join(args, " "), out)
	}
	return out
}

func (l *laptop) fails(says string, args ...string) {
	l.t.Helper()
	out, ok := l.try(args...)
	// Sentences break where the terminal ends, wherever that is.
	if ok || !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(out, "│", "")), " "), says) {
		l.t.Errorf("%s: well %v, and does not say %q: %s", strings.Join(args, " "), ok, says, out)
	}
}

// eachTool runs the test with Terraform and with OpenTofu.
func eachTool(t *testing.T, f func(t *testing.T, path string)) {
	t.Run("terraform", func(t *testing.T) {
		path, err := exec.LookPath("terraform")
		if err != nil {
			t.Skip("there is no terraform here")
		}
		t.Parallel()
		f(t, path)
	})
	t.Run("tofu", func(t *testing.T) {
		b, err := toolchain.FindOpenTofu(t.Context(), toolchain.Options{})
		if errs.Is(err, errs.NotFound) {
			t.Skip("there is no OpenTofu here")
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Parallel()
		f(t, b.Path)
	})
}

func cloud(w *world, workspaces string) string {
	return "  cloud {\n    hostname     = \"" + w.host + "\"\n    organization = \"acme\"\n    workspaces {\n      " + workspaces + "\n    }\n  }"
}

func remote(w *world, workspaces string) string {
	return strings.Replace(cloud(w, workspaces), "cloud", "backend \"remote\"", 1)
}

// All that a person does with a workspace from a laptop, by the real tools.
func TestRealToolsWithTheCloudBlock(t *testing.T) {
	eachTool(t, func(t *testing.T, tool string) {
		w := newWorld(t, dbtest.SQLite(t))
		token := w.token(w.acme, "**")
		l := newLaptop(t, w, tool, token, cloud(w, `name = "net:prod"`))
		l.run("init")
		l.run("apply", "-auto-approve")
		if out := l.run("plan"); !strings.Contains(out, "No changes") {
			t.Errorf("plan: %s", out)
		}
		if out := l.run("output"); !strings.Contains(out, `a = "one"`) || !strings.Contains(out, "secret = <sensitive>") {
			t.Errorf("output: %s", out)
		}
		if out := l.run("output", "-json", "secret"); strings.TrimSpace(out) != `["x","y"]` {
			t.Errorf("sensitive output: %s", out)
		}
		first := l.run("state", "pull")
		l.run("state", "mv", "terraform_data.b", "terraform_data.c")
		l.run("taint", "terraform_data.a")
		l.run("untaint", "terraform_data.a")
		l.run("import", "terraform_data.b", "some-id")
		if out := l.run("state", "list"); out != "terraform_data.a\nterraform_data.b\nterraform_data.c\n" {
			t.Errorf("state list: %s", out)
		}

		// The same state over HTTP, of which the same token reads the same.
		if got := w.want(200, token, "GET", "/state/acme/net/prod", ""); got.body != l.run("state", "pull") && !strings.Contains(got.body, `"some-id"`) {
			t.Errorf("over HTTP: %s", got.body)
		}

		// Somebody else's lock, whichever way it was taken.
		other := w.token(w.acme, "**")
		w.want(200, other, "LOCK", "/state/acme/net/prod", `{"ID":"0a1b"}`)
		l.fails(`lock ID: "acme/net:prod"`, "apply", "-auto-approve")
		l.run("force-unlock", "-force", "acme/net:prod")
		ws := "/api/v2/workspaces/" + w.want(200, other, "GET", orgs+"/workspaces/net:prod", "").one(t).ID
		w.want(200, other, "POST", ws+"/actions/lock", `{"reason":"mine"}`)
		l.fails("workspace already locked", "apply", "-auto-approve", "-lock-timeout=1s")
		l.fails("is locked by User", "apply", "-auto-approve", "-lock=false", "-replace=terraform_data.a")
		w.want(200, other, "POST", ws+"/actions/unlock", "")
		l.run("apply", "-auto-approve", "-replace=terraform_data.a")

		// An older serial is refused, and the client then leaves its lock, so that
		// nobody applies meanwhile. The cloud block does not say that it is meant,
		// whatever state push is told: a token for the repair does.
		l.write("old.tfstate", first)
		l.fails("needs the scope force-write", "state", "push", "-force", "old.tfstate")
		l.run("force-unlock", "-force", "acme/net:prod")
		l.fails("", "state", "push", "old.tfstate")
		l.login(w, w.token(w.acme, "net/prod", access.ScopeRead, access.ScopeWrite, access.ScopeLock, access.ScopeForceWrite))
		l.run("state", "push", "-force", "old.tfstate")
		if v, err := w.store.Current(t.Context(), w.acme.ID, "net/prod"); err != nil || v.Kind != state.KindForce || !strings.Contains(v.Reason, "force-write: test") || w.events(w.acme.ID)[0] != "state.forced" {
			t.Errorf("forced: %+v, %v, %v", v, err, w.events(w.acme.ID))
		}
		l.run("apply", "-auto-approve", "-replace=terraform_data.a") // the lock is free
		if v, err := w.store.Current(t.Context(), w.acme.ID, "net/prod"); err != nil || v.Kind != state.KindWrite {
			t.Errorf("what follows is no forced write: %+v, %v", v, err)
		}
		if err := w.trail.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Workspaces by their tags, and the older backend by its prefix.
func TestRealToolsWithSeveralWorkspaces(t *testing.T) {
	eachTool(t, func(t *testing.T, tool string) {
		w := newWorld(t, dbtest.SQLite(t))
		token := w.token(w.acme, "**")
		w.make(token, "unrelated")
		tags := `tags = ["net", "aws"]`
		if strings.HasSuffix(tool, "terraform") { // OpenTofu has no values
			tags = `tags = { net = "main", aws = "" }`
		}
		l := newLaptop(t, w, tool, token, cloud(w, tags+"\n      project = \"Network\""))
		l.answers = "net:dev\n" // the name of the first one
		l.run("init")
		l.answers = ""
		l.run("workspace", "select", "net:dev")
		l.run("workspace", "new", "net:prod")
		if out := strings.Join(strings.Fields(l.run("workspace", "list")), " "); out != "net:dev * net:prod" {
			t.Errorf("workspace list: %s", out)
		}
		l.run("apply", "-auto-approve")
		l.run("workspace", "select", "net:dev")
		l.fails("is not empty", "workspace", "delete", "net:prod")
		l.run("workspace", "delete", "-force", "net:prod")
		if out := strings.Join(strings.Fields(l.run("workspace", "list")), " "); out != "* net:dev" {
			t.Errorf("workspace list: %s", out)
		}

		old := newLaptop(t, w, tool, token, remote(w, `prefix = "app:"`))
		old.env = append(old.env, "TF_WORKSPACE=dev")
		w.make(token, "app:dev")
		old.run("init")
		old.run("apply", "-auto-approve")
		old.write("old.tfstate", old.run("state", "pull"))
		old.run("state", "mv", "terraform_data.b", "terraform_data.c")
		old.fails("needs the scope force-write", "state", "push", "-force", "old.tfstate")
		old.run("force-unlock", "-force", "acme/app:dev")
		old.login(w, w.token(w.acme, "app/*", append(access.Scopes(), access.ScopeForceWrite)...))
		old.run("state", "push", "-force", "old.tfstate")
		if v, err := w.store.Current(t.Context(), w.acme.ID, "app/dev"); err != nil || v.Instances != 2 || v.Kind != "force" || v.Actor.Name != "test" {
			t.Errorf("app/dev: %+v, %v", v, err)
		}
		old.run("destroy", "-auto-approve")
	})
}

// A state that was on the laptop comes along, with a token that may force
// nothing, and others read its outputs.
func TestRealToolsBringAStateAlong(t *testing.T) {
	eachTool(t, func(t *testing.T, tool string) {
		w := newWorld(t, dbtest.SQLite(t))
		token := w.token(w.acme, "**", access.ScopeRead, access.ScopeWrite, access.ScopeLock)
		l := newLaptop(t, w, tool, token, "")
		l.run("init")
		l.run("apply", "-auto-approve")
		l.write("main.tf", "terraform {\n"+cloud(w, `name = "net:prod"`)+"\n}\n"+work)
		l.answers = "yes\nyes\n"
		l.run("init")
		if v, err := w.store.Current(t.Context(), w.acme.ID, "net/prod"); err != nil || v.Instances != 2 || v.Kind != "write" {
			t.Errorf("%+v, %v", v, err)
		}
		reader := newLaptop(t, w, tool, w.token(w.acme, "net/*", access.ScopeRead), "")
		reader.write("main.tf", `data "terraform_remote_state" "net" {
  backend = "remote"
  config  = { hostname = "`+w.host+`", organization = "acme", workspaces = { name = "net:prod" } }
}
output "a" { value = data.terraform_remote_state.net.outputs.a }
`)
		reader.run("init")
		if out := reader.run("apply", "-auto-approve"); !strings.Contains(out, `a = "one"`) {
			t.Errorf("remote state: %s", out)
		}
	})
}

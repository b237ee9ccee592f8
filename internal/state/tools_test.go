package state_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tidelock/tidelock/internal/access"
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
}

// newLaptop sets a backend up as docs/state.md says.
func newLaptop(t *testing.T, w *world, tool, token, project string, more ...string) *laptop {
	t.Helper()
	l := &laptop{t: t, tool: tool, dir: t.TempDir()}
	address := w.url + "/state/acme/" + project
	l.write("main.tf", `
terraform {
  backend "http" {}
}
resource "terraform_data" "a" {
  input = "one"
}
resource "terraform_data" "b" {
  input = "two"
}
output "a" {
  value = terraform_data.a.output
}
`)
	l.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + l.dir, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0", "TF_CLI_CONFIG_FILE=" + os.DevNull,
		"TF_HTTP_ADDRESS=" + address, "TF_HTTP_LOCK_ADDRESS=" + address, "TF_HTTP_UNLOCK_ADDRESS=" + address,
		"TF_HTTP_USERNAME=tidelock", "TF_HTTP_PASSWORD=" + token, "TF_HTTP_RETRY_WAIT_MIN=1", "TF_HTTP_RETRY_MAX=1",
	}, more...)
	return l
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
	if ok || !strings.Contains(out, says) {
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
		f(t, b.Path)
	})
}

// All that a person does with a state from a laptop, by the real tools.
func TestRealToolsOverHTTP(t *testing.T) {
	eachTool(t, func(t *testing.T, tool string) {
		w := sqliteWorld(t)
		l := newLaptop(t, w, tool, w.token(w.acme, "**"), "net/prod")
		l.run("init")
		if out := l.run("plan"); !strings.Contains(out, "2 to add") {
			t.Errorf("plan: %s", out)
		}
		l.run("apply", "-auto-approve")
		if out := l.run("plan"); !strings.Contains(out, "No changes") {
			t.Errorf("plan: %s", out)
		}
		first := l.run("state", "pull")
		l.run("state", "mv", "terraform_data.b", "terraform_data.c")
		l.run("taint", "terraform_data.a")
		l.run("untaint", "terraform_data.a")
		l.run("import", "terraform_data.b", "some-id")
		if out := l.run("state", "list"); out != "terraform_data.a\nterraform_data.b\nterraform_data.c\n" {
			t.Errorf("state list: %s", out)
		}
		all, err := w.store.Versions(t.Context(), w.acme.ID, "net/prod", 100)
		if err != nil || len(all) < 5 {
			t.Fatalf("%d versions, %v", len(all), err)
		}
		last := all[0]
		if last.Actor != (access.Actor{Kind: access.Token, Name: "test"}) || last.Instances != 3 || last.Lineage == "" || last.Kind != state.KindWrite {
			t.Errorf("last version: %+v", last)
		}
		for i, v := range all[1:] {
			if v.Serial >= all[i].Serial || v.Seq != all[i].Seq-1 || v.Lineage != last.Lineage {
				t.Errorf("version %d: serial %d after %d", v.Seq, v.Serial, all[i].Serial)
			}
		}

		// Somebody else holds the lock: shown by its ID (of the holder that is told
		// Terraform shows no more), and waited for.
		w.want(200, w.token(w.acme, "**"), "LOCK", "/state/acme/net/prod", lockInfo("0a1b"))
		l.fails("0a1b", "apply", "-auto-approve")
		l.fails("0a1b", "apply", "-auto-approve", "-lock-timeout=1s")
		l.fails("HTTP error: 409", "apply", "-auto-approve", "-lock=false", "-replace=terraform_data.a")
		l.run("force-unlock", "-force", "0a1b")
		l.run("apply", "-auto-approve", "-replace=terraform_data.a")
		if st, err := w.store.State(t.Context(), w.acme.ID, "net/prod"); err != nil || st.Lock != nil {
			t.Errorf("lock left: %+v, %v", st.Lock, err)
		}

		// An older serial is refused even where the client does not look.
		l.write("old.tfstate", first)
		l.fails("HTTP error: 409", "state", "push", "-force", "old.tfstate")
		// The http backend has no word for force: a token for the repair says it.
		l.env = append(l.env, "TF_HTTP_PASSWORD="+w.token(w.acme, "net/prod", access.ScopeRead, access.ScopeWrite, access.ScopeLock, access.ScopeForceWrite))
		l.run("state", "push", "-force", "old.tfstate")
		if v, err := w.store.Current(t.Context(), w.acme.ID, "net/prod"); err != nil || v.Kind != state.KindForce || v.Serial >= last.Serial || !strings.Contains(v.Reason, "force-write: test") || w.events(w.acme.ID)[0] != "state.forced" {
			t.Errorf("forced: %+v, %v, %v", v, err, w.events(w.acme.ID))
		}
		// What is frozen is told by the only way that the tools show.
		if _, err := w.store.Freeze(t.Context(), state.Who{Actor: alice}, "An older backup came back."); err != nil {
			t.Fatal(err)
		}
		l.fails("older backup came back.", "apply", "-auto-approve", "-replace=terraform_data.a")
		l.fails("HTTP error: 409", "apply", "-auto-approve", "-replace=terraform_data.a", "-lock=false")
		st, err := w.store.State(t.Context(), w.acme.ID, "net/prod")
		if err == nil {
			err = w.store.Thaw(t.Context(), w.acme.ID, "net/prod", st.Serial, state.Who{Actor: alice}, "compared")
		}
		if err != nil {
			t.Fatal(err)
		}
		l.run("destroy", "-auto-approve")
		if err := w.trail.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// GitLab's users have other methods and another address for the lock; POST is
// the default for states, PUT is what some are set up with.
func TestRealToolsWithGitLabsForm(t *testing.T) {
	eachTool(t, func(t *testing.T, tool string) {
		w := sqliteWorld(t)
		l := newLaptop(t, w, tool, w.token(w.acme, "**"), "net/prod",
			"TF_HTTP_LOCK_ADDRESS="+w.url+"/state/acme/net/prod/lock", "TF_HTTP_LOCK_METHOD=POST",
			"TF_HTTP_UNLOCK_ADDRESS="+w.url+"/state/acme/net/prod/lock", "TF_HTTP_UNLOCK_METHOD=DELETE", "TF_HTTP_UPDATE_METHOD=PUT")
		l.run("init")
		l.run("apply", "-auto-approve")
		w.want(200, w.token(w.acme, "**"), "POST", "/state/acme/net/prod/lock", lockInfo("0a1b"))
		l.fails("0a1b", "apply", "-auto-approve")
		l.run("force-unlock", "-force", "0a1b")
		l.run("destroy", "-auto-approve")
	})
}

// A token that does not open the project opens nothing, and the tool says so.
func TestRealToolsWithoutARight(t *testing.T) {
	eachTool(t, func(t *testing.T, tool string) {
		w := sqliteWorld(t)
		l := newLaptop(t, w, tool, w.token(w.acme, "**", access.ScopeRead, access.ScopeLock), "net/prod")
		l.run("init")
		l.run("plan")
		l.fails("HTTP error: 403", "apply", "-auto-approve")
		other := newLaptop(t, w, tool, w.token(w.beta, "**"), "net/prod")
		out, ok := other.try("init")
		if applied, done := other.try("apply", "-auto-approve"); done || ok && !strings.Contains(applied, "404") {
			t.Errorf("another client's token: %s%s", out, applied)
		}
		if _, err := url.Parse(w.url); err != nil {
			t.Fatal(err)
		}
		if st, err := w.store.States(t.Context(), w.beta.ID); err != nil || len(st) != 0 {
			t.Errorf("beta has %v, %v", st, err)
		}
	})
}

// Fault 30 with the real tools: the write at the end of an apply fails, the
// tool leaves its errored.tfstate, and that is kept, pushed and found right.
func TestFault30_RealToolsErroredState(t *testing.T) {
	eachTool(t, func(t *testing.T, tool string) {
		w := sqliteWorld(t)
		inner := w.store.Handler(w.clients)
		var broken atomic.Bool
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if broken.Load() && r.Method == http.MethodPost {
				http.Error(rw, "the disk is gone", http.StatusInternalServerError)
				return
			}
			inner.ServeHTTP(rw, r)
		}))
		defer server.Close()
		w.url = server.URL
		l := newLaptop(t, w, tool, w.token(w.acme, "**"), "net/prod", "TF_HTTP_RETRY_MAX=0")
		l.run("init")
		broken.Store(true)
		l.fails("errored.tfstate", "apply", "-auto-approve")
		f, err := os.Open(filepath.Join(l.dir, "errored.tfstate"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		broken.Store(false)
		v, err := w.store.KeepErrored(t.Context(), w.acme.ID, "net/prod", state.Who{Actor: access.Actor{Kind: access.Bot}, Run: "r1"}, f, "HTTP error: 500")
		if err != nil || v.Instances != 2 {
			t.Fatalf("kept %+v, %v", v, err)
		}
		if out := l.run("plan"); !strings.Contains(out, "2 to add") {
			t.Errorf("before the push: %s", out)
		}
		if _, err := w.store.PushErrored(t.Context(), w.acme.ID, "net/prod", v.Seq, state.Who{Actor: alice}); err != nil {
			t.Fatal(err)
		}
		if out := l.run("plan"); !strings.Contains(out, "No changes") {
			t.Errorf("after the push: %s", out)
		}
	})
}

// Fault 28: who wants a lock that another holds waits as long as was asked, and
// has it when it is free; nobody takes it away meanwhile.
func TestFault28_RealToolsWaitForTheLock(t *testing.T) {
	eachTool(t, func(t *testing.T, tool string) {
		w := sqliteWorld(t)
		token := w.token(w.acme, "**")
		refused, inner := make(chan struct{}, 100), w.store.Handler(w.clients)
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			inner.ServeHTTP(rw, r)
			if r.Method == "LOCK" {
				refused <- struct{}{}
			}
		}))
		defer server.Close()
		w.url = server.URL
		l := newLaptop(t, w, tool, token, "net/prod")
		l.run("init")
		w.want(200, token, "LOCK", "/state/acme/net/prod", lockInfo("0a1b"))
		<-refused
		go func() {
			<-refused // the tool's first try
			_ = w.store.Unlock(t.Context(), w.acme.ID, "net/prod", state.Who{Token: tokenID(t, w)}, "0a1b")
		}()
		l.run("apply", "-auto-approve", "-lock-timeout=60s")
	})
}

// tokenID returns the ID of the only token.
func tokenID(t *testing.T, w *world) string {
	all, err := w.tokens.List(t.Context(), "", true)
	if err != nil || len(all) != 1 {
		t.Errorf("%d tokens, %v", len(all), err)
		return ""
	}
	return all[0].ID
}

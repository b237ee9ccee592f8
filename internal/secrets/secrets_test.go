package secrets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
)

func TestGet(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "token")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("from-a-file\n")
	count := filepath.Join(dir, "count")
	s := New([]Source{
		{Name: "env", Env: "PROD_DB", Repos: []string{"acme/infra", "acme/shop-*"}},
		{Name: "file", File: file, Clients: []string{"Acme"}, Phases: []string{PhaseApply}},
		{Name: "command", Command: []string{"sh", "-c", `echo x >> "$0"; printf '%s-of-a-vault\n%s' "$VAULT_ADDR" "$TIDELOCK_SECRET"`, count}, Repos: []string{"*/*"}},
		{Name: "both", File: file, Repos: []string{"acme/*"}, Clients: []string{"other"}},
		{Name: "nobody", File: file},
		{Name: "short", Env: "SHORT", Repos: []string{"**"}}, {Name: "unset", Env: "UNSET", Repos: []string{"**"}}, {Name: "gone", File: filepath.Join(dir, "gone"), Repos: []string{"**"}},
		{Name: "fails", Command: []string{"sh", "-c", "echo half-of-a-secret; echo sealed >&2; exit 2"}, Repos: []string{"**"}},
	}, []string{"PROD_DB=from=the environment", "VAULT_ADDR=here", "TIDELOCK_SECRET=the bot's own", "SHORT=abc", "UNSETTLED=whatever it is"})
	acme := Asker{Client: "acme", Repo: "Acme/Infra"}
	got, err := s.Get(t.Context(), acme, PhaseApply, map[string]string{"A": "env", "B": "file", "C": "command", "D": "command"})
	if err != nil {
		t.Fatal(err)
	}
	for variable, want := range map[string]string{"A": "from=the environment", "B": "from-a-file", "C": "here-of-a-vault", "D": "here-of-a-vault"} {
		if got[variable].Reveal() != want {
			t.Errorf("%s is %q, want %q", variable, got[variable].Reveal(), want)
		}
	}
	if n, err := os.ReadFile(count); err != nil || string(n) != "x\n" {
		t.Errorf("the command ran %q, %v", n, err)
	}
	write("changed-since\r\n")
	if got, err := s.Get(t.Context(), acme, PhaseApply, map[string]string{"B": "file"}); err != nil || got["B"].Reveal() != "changed-since" {
		t.Errorf("a changed file: %v", err)
	}
	for _, tc := range []struct {
		who   Asker
		phase string
		name  string
		kind  errs.Kind
		want  string // in the sentence
		log   string // in the chain only
	}{
		{acme, PhasePlan, "unknown", errs.NotFound, `no secret "unknown" for the repository Acme/Infra, which the project asks for as V.`, ""},
		{Asker{"acme", "acme/other"}, PhasePlan, "env", errs.NotFound, `no secret "env" for the repository acme/other`, ""},
		{Asker{"acme", "evil/acme/infra"}, PhasePlan, "env", errs.NotFound, "no secret", ""},
		{Asker{"other", "other/x"}, PhaseApply, "file", errs.NotFound, "no secret", ""},
		{acme, PhasePlan, "both", errs.NotFound, "no secret", ""},
		{acme, PhasePlan, "nobody", errs.NotFound, "no secret", ""},
		{acme, PhasePlan, "file", errs.Forbidden, `to no plan. Ask for it in apply_secrets`, ""},
		{acme, PhasePlan, "short", errs.Unavailable, `"short" can't be read now`, "can't be masked"},
		{acme, PhasePlan, "unset", errs.Unavailable, "can't be read now", "the variable UNSET is not in the server's environment"},
		{acme, PhasePlan, "gone", errs.Unavailable, "can't be read now", "no such file"},
		{acme, PhasePlan, "fails", errs.Unavailable, "can't be read now", "exit status 2: sealed"},
	} {
		got, err := s.Get(t.Context(), tc.who, tc.phase, map[string]string{"V": tc.name})
		if got != nil || errs.KindOf(err) != tc.kind || !strings.Contains(errs.Sentence(err), tc.want) {
			t.Errorf("%s for %v: %v", tc.name, tc.who, err)
			continue
		}
		if strings.Contains(err.Error(), "half-of-a-secret") || tc.log != "" && (!strings.Contains(err.Error(), tc.log) || strings.Contains(errs.Sentence(err), tc.log)) {
			t.Errorf("%s: the log has %q, people %q", tc.name, err, errs.Sentence(err))
		}
	}
}

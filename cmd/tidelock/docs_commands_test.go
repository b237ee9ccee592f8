package main

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/state"
)

// manuals are the pages whose commands are run.
var manuals = []string{"backup.md", "operations.md", "state.md"}

// runElsewhere are commands that this test can't run, with the test that does.
var runElsewhere = map[string]string{
	"tidelock doctor":                        "TestDoctorFindsNothingOnAWellServer", // finds much in a folder without an App
	"tidelock tools install terraform 1.9.8": "TestScripts",                         // downloads: script tools
	"tidelock providers fetch ~/src/infra":   "TestScripts",                         // downloads: script providers
	"tidelock state migrate acme/infra/live/network --from backend --dir live/network --repo acme/infra --project live/network": "TestStateMigrate", // needs a backend
	"tidelock state migrate acme/infra/live/network --to backend --dir live/network":                                            "TestStateMigrate",
}

// supposed is what must be so for a command, where it is more than what
// everybody finds: SQL, or a line for the shell.
var supposed = map[string][]string{
	"tidelock backup verify":          {"cp ../all.tlb /backup/tidelock-2026-11-23.tlb"},
	"tidelock restore /backup":        {"cp ../all.tlb /backup/tidelock-2026-11-23.tlb", "rm ../data/tidelock.db*"},
	"tidelock restore --from-replica": {"rm ../data/tidelock.db*"},
	"tidelock restore status":         {recovering},
	"tidelock restore finish":         {recovering},
	"tidelock restore release":        {recovering, `INSERT INTO recovery_projects (recovery_id, client_id, repo_id, project, status, known_serial, known_lineage, found_serial, found_lineage, actor, reason, at_ms) SELECT 'r', client_id, id, 'live/network:default', 'differs', 41, 'l', 42, 'l', '{}', 'It differs.', 1 FROM repos`},
	"tidelock state share":            {appsRepo},
	"tidelock state unshare":          {appsRepo, "tidelock state share acme/network/prod --with acme/apps/live/shop"},
	"tidelock state thaw":             {`UPDATE states SET frozen = 'It came back.'`},
	"tidelock state approve-restore":  {`INSERT INTO state_restores (id, state_id, client_id, version_id, over_id, reason, status, asked_by, asked_ms) SELECT '019a2b3c-…', s.id, 'c1', v.id, s.version_id, 'x', 'asked', '{"kind":"user","name":"carol","id":9}', unixepoch() * 1000 FROM states s JOIN state_versions v ON v.state_id = s.id WHERE s.name = 'network/prod' AND v.seq = 11`},
	"tidelock state unlock":           {`INSERT INTO state_locks SELECT id, client_id, '0a1b2c3d-…', '{"ID":"0a1b2c3d-…"}', '{"kind":"token","name":"x"}', '', '', 1000 FROM states WHERE name = 'network/prod'`},
	"tidelock state migrate acme/infra/live/network --to old.tfstate": {"tidelock state push acme/infra/live/network old.tfstate", "rm old.tfstate"},
}

const appsRepo = `INSERT INTO repos (id, client_id, owner, name, status, created_ms) VALUES (77, 'c1', 'acme', 'apps', 'active', 0)`

const recovering = `INSERT INTO recoveries (id, source, made_ms, came_ms, actor) VALUES ('r', 'backup', 1000, 2000, '{}')`

// commandsOf returns the commands in the blocks of a page: between fences, or
// indented. What stands behind two spaces explains them.
func commandsOf(page string) (all []string) {
	fenced := false
	for line := range strings.SplitSeq(page, "\n") {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
			continue
		}
		indented := strings.HasPrefix(line, "    ")
		line = strings.TrimSpace(line)
		if (fenced || indented) && (line == "tidelock" || strings.HasPrefix(line, "tidelock ")) {
			command, _, _ := strings.Cut(line, "  ")
			all = append(all, command)
		}
	}
	return all
}

// TestManualsCommandsWork runs every command of the operator's pages, each in a
// copy of a server's folder that has what the page supposes.
func TestManualsCommandsWork(t *testing.T) {
	t.Parallel()
	binary, err := builtBinary()
	if err != nil {
		t.Fatal(err)
	}
	base := manualFolder(t)
	tests := declaredTests(t)
	used := map[string]bool{}
	n := 0
	for _, page := range manuals {
		done := map[string]bool{}
		for _, command := range commandsOf(read(t, filepath.Join("..", "..", "docs", page))) {
			if done[command] {
				continue
			}
			done[command] = true
			n++
			if by, ok := runElsewhere[command]; ok {
				used[command] = true
				if !tests[by] {
					t.Errorf("%s is said to be run by %s, which is no test", command, by)
				}
				continue
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
				t.Fatal(err)
			}
			lines := []string{command}
			for begins, first := range supposed {
				if strings.HasPrefix(command, begins) {
					lines = append(append([]string{}, first...), lines...)
				}
			}
			for _, line := range lines {
				if out, err := inManual(t, binary, dir, line); err != nil {
					t.Errorf("docs/%s: %s\n%v: %s\n%s", page, command, err, line, out)
					break
				}
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d commands were found", n)
	}
	for command := range runElsewhere {
		if !used[command] {
			t.Errorf("no page has %q any more", command)
		}
	}
}

// inManual runs a line, or changes the database.
func inManual(t *testing.T, binary, dir, line string) (string, error) {
	t.Helper()
	if strings.HasPrefix(line, "INSERT ") || strings.HasPrefix(line, "UPDATE ") {
		return "", changeDatabase(filepath.Join(dir, "data", "tidelock.db"), line)
	}
	line = strings.ReplaceAll(line, "/backup/", dir+"/backup/")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir = filepath.Join(dir, "work")
	cmd.Env = []string{"HOME=" + filepath.Join(dir, "home"), "PATH=" + filepath.Dir(binary) + ":" + os.Getenv("PATH"), "TIDELOCK_DATA_DIR=" + filepath.Join(dir, "data"), "TIDELOCK_REPLICA_URL=" + filepath.Join(dir, "replica")}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func changeDatabase(file, query string) error {
	d, err := sql.Open("sqlite", file)
	if err != nil {
		return err
	}
	_, err = d.Exec(query)
	return errors.Join(err, d.Close())
}

func declaredTests(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, pattern := range []string{"*_test.go", "doctor/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(read(t, f), -1) {
				known[m[1]] = true
			}
		}
	}
	return known
}

// manualFolder makes what the pages suppose: a server's data folder, a backup,
// a replica, and the files that somebody has at hand.
func manualFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"data", "work/live/network", "backup", "replica", "home/.config/tidelock"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
	write("data/encryption.key", key)
	write("work/live/network/main.tf", "terraform {}\n")
	write("work/old.tfstate", manualState(3))
	write("work/fixed.tfstate", manualState(40))
	p := &program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: os.Stderr, environ: []string{"TIDELOCK_DATA_DIR=" + filepath.Join(dir, "data")}}
	run := func(args ...string) {
		t.Helper()
		if code := p.run(t.Context(), args); code != exitOK {
			t.Fatalf("%v: exit code %d", args, code)
		}
	}
	run("migrate")
	database := filepath.Join(dir, "data", "tidelock.db")
	for _, line := range []string{
		`INSERT INTO clients (id, slug, name, created_ms) VALUES ('c1', 'acme', 'acme', 0)`,
		`INSERT INTO repos (id, client_id, owner, name, created_ms) VALUES (7, 'c1', 'acme', 'infra', 0)`,
	} {
		if err := changeDatabase(database, line); err != nil {
			t.Fatal(err)
		}
	}
	err := p.onStates(t.Context(), true, func(ctx context.Context, v *vault) error {
		for serial := range 12 {
			if _, err := v.states.Write(ctx, state.Write{Client: "c1", Name: "network/prod", Who: v.who, Body: strings.NewReader(manualState(31 + serial))}); err != nil {
				return err
			}
		}
		left, err := v.states.KeepErrored(ctx, "c1", "network/prod", v.who, strings.NewReader(manualState(43)), "x")
		if err != nil {
			return err
		}
		if err := v.states.NoteBase(ctx, left, state.Base{Serial: 42, Lineage: "l1"}); err != nil {
			return err
		}
		token, _, err := v.tokens.Create(ctx, access.NewToken{Client: "c1", Name: "dave", Projects: []string{"**"}, Scopes: []access.Scope{access.ScopeWrite}, By: v.who.Actor})
		if err != nil {
			return err
		}
		write("home/.config/tidelock/token", token.Reveal())
		to, err := blob.Open(filepath.Join(dir, "replica"), redact.NewSecret(key))
		if err != nil {
			return err
		}
		r, err := backup.StartReplica(ctx, v.db.Path(), to, slog.New(slog.DiscardHandler), slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		return r.Stop(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	run("backup", "--out", filepath.Join(dir, "all.tlb"))
	return dir
}

func manualState(serial int) string {
	return strings.ReplaceAll(`{"version":4,"terraform_version":"1.9.0","serial":N,"lineage":"l1","outputs":{"n":{"value":"N","type":"string"}},"resources":[]}`, "N", strconv.Itoa(serial))
}
